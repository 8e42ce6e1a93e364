"""All that is measured of one set of predictions where a picture may show several classes."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import TypeAdapter
from sklearn import metrics as oracle

from winnow.errors import UserError
from winnow.metrics import measure
from winnow.metrics.evaluation import Evaluation, evaluate_multilabel
from winnow.metrics.multilabel_predictions import MultilabelPredictions
from winnow.metrics.multilabel_scores import MULTILABEL_METRICS
from winnow.metrics.resamples import make_resamples

from .simulated import simulated_multilabel

CLASSES = ["cat", "dog", "owl", "cow"]
THRESHOLDS = np.array([0.5, 0.4, 0.6, 0.3])


def measured() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities, labels and calls for 200 pictures; no picture shows an owl."""
    probs, labels = simulated_multilabel(200, 4, seed=1)
    labels[:, 2] = False
    return probs, labels, probs >= THRESHOLDS


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return evaluate_multilabel(*measured(), THRESHOLDS.tolist(), CLASSES, draws=200)


def test_it_comes_back_from_json_exactly(evaluation: Evaluation):
    adapter = TypeAdapter(Evaluation)
    assert adapter.validate_json(adapter.dump_json(evaluation)) == evaluation


def test_every_metric_has_its_score_and_interval(evaluation: Evaluation):
    seen, resamples = MultilabelPredictions(*measured()), make_resamples(np.arange(200), draws=200)
    assert evaluation.scores.keys() == MULTILABEL_METRICS.keys()
    for name, found in evaluation.scores.items():
        assert found == measure.interval(MULTILABEL_METRICS[name], seen, resamples)


def test_the_scores_of_each_class_are_those_of_its_own_threshold(evaluation: Evaluation):
    probs, labels, called = measured()
    for c in (0, 1, 3):
        scores = evaluation.per_class[c]
        precision, recall, f1, _ = oracle.precision_recall_fscore_support(labels[:, c], called[:, c], average="binary")
        assert (scores.name, scores.n, scores.threshold) == (CLASSES[c], labels[:, c].sum(), THRESHOLDS[c])
        assert (scores.n_called, scores.n_found) == (called[:, c].sum(), (called & labels)[:, c].sum())
        expected = {
            "precision": precision,
            "recall": recall,
            "f1": f1,
            "auroc": oracle.roc_auc_score(labels[:, c], probs[:, c]),
            "average_precision": oracle.average_precision_score(labels[:, c], probs[:, c]),
        }
        for name, value in expected.items():
            found = getattr(scores, name)
            assert found.value == pytest.approx(value, abs=1e-12)
            assert found.low < found.value < found.high


def test_a_class_that_no_picture_shows_has_a_row_and_no_claims(evaluation: Evaluation):
    owl = evaluation.per_class[2]
    assert (owl.name, owl.n, owl.n_found) == ("owl", 0, 0)
    assert (owl.recall, owl.f1, owl.auroc, owl.average_precision) == (None, None, None, None)
    assert "owl" not in evaluation.pr_curves


def test_what_is_missed_and_what_is_falsely_called_is_counted(evaluation: Evaluation):
    _, labels, called = measured()
    misses = evaluation.misses
    assert evaluation.confusion is None
    assert misses is not None
    expected = oracle.multilabel_confusion_matrix(labels, called)
    assert misses.missed == tuple(expected[:, 1, 0])
    assert misses.false == tuple(expected[:, 0, 1])
    assert misses.together[0][1] == (labels[:, 0] & labels[:, 1]).sum()
    missed_for = labels[:, 0] & ~called[:, 0] & called[:, 3] & ~labels[:, 3]
    assert misses.instead[0][3] == missed_for.sum()
    assert all(misses.instead[c][c] == 0 for c in range(4))


def test_reliability_is_that_of_all_pairs_of_picture_and_class(evaluation: Evaluation):
    assert sum(one.n for one in evaluation.reliability) == 200 * 4
    assert len(evaluation.thresholds) == 101
    assert evaluation.pr_curves.keys() == {"cat", "dog", "cow", "micro"}


def test_pictures_of_one_patient_widen_every_interval():
    probs, labels, called = (np.repeat(part[:40], 8, axis=0) for part in measured())
    alone = evaluate_multilabel(probs, labels, called, THRESHOLDS.tolist(), CLASSES, draws=300)
    patients = np.repeat(np.arange(40), 8)
    by_patient = evaluate_multilabel(probs, labels, called, THRESHOLDS.tolist(), CLASSES, patients, draws=300)
    for name in ("macro_average_precision", "micro_f1", "subset_accuracy", "hamming_loss", "coverage_error"):
        narrow, wide = alone.scores[name], by_patient.scores[name]
        assert narrow is not None
        assert wide is not None
        assert wide.high - wide.low > 1.8 * (narrow.high - narrow.low)


def test_what_does_not_fit_together_is_refused():
    with pytest.raises(UserError, match="give one name a column"):
        evaluate_multilabel(*measured(), THRESHOLDS.tolist(), ["a", "b", "c"])
