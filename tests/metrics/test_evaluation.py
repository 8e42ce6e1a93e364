"""All that is measured of one set of predictions."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import TypeAdapter
from sklearn import metrics as oracle

from winnow.errors import UserError
from winnow.metrics.evaluation import Evaluation, evaluate
from winnow.metrics.resamples import make_resamples
from winnow.metrics.scores import METRICS

from .simulated import interval, simulated_predictions

CLASSES = ["cat", "dog", "owl", "cow"]


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    """200 pictures of cats, dogs and cows; owls are a class without an example."""
    probs, labels = simulated_predictions(260, 4, seed=1)
    kept = labels != 2
    return evaluate(probs[kept], labels[kept], CLASSES, draws=200)


def test_it_comes_back_from_json_exactly(evaluation: Evaluation):
    adapter = TypeAdapter(Evaluation)
    assert adapter.validate_json(adapter.dump_json(evaluation)) == evaluation


def test_every_metric_has_its_score_and_interval(evaluation: Evaluation):
    probs, labels = simulated_predictions(260, 4, seed=1)
    kept = labels != 2
    resamples = make_resamples(np.arange(kept.sum()), draws=200)
    assert evaluation.scores.keys() == METRICS.keys()
    for name, found in evaluation.scores.items():
        assert found == interval(METRICS[name], probs[kept], labels[kept], resamples)


def test_the_scores_of_each_class_equal_scikit_learns(evaluation: Evaluation):
    probs, labels = simulated_predictions(260, 4, seed=1)
    kept = labels != 2
    probs, labels = probs[kept], labels[kept]
    precision, recall, f1, n = oracle.precision_recall_fscore_support(
        labels, probs.argmax(1), labels=range(4), zero_division=0
    )
    for c in (0, 1, 3):
        scores = evaluation.per_class[c]
        assert (scores.name, scores.n) == (CLASSES[c], n[c])
        expected = {
            "precision": precision[c],
            "recall": recall[c],
            "f1": f1[c],
            "auroc": oracle.roc_auc_score(labels == c, probs[:, c]),
            "average_precision": oracle.average_precision_score(labels == c, probs[:, c]),
        }
        for name, value in expected.items():
            found = getattr(scores, name)
            assert found.value == pytest.approx(value, abs=1e-12)
            assert found.low < found.value < found.high


def test_a_class_without_an_example_has_a_row_and_no_claims(evaluation: Evaluation):
    owl = evaluation.per_class[2]
    assert (owl.name, owl.n) == ("owl", 0)
    assert (owl.recall, owl.f1, owl.auroc, owl.average_precision) == (None, None, None, None)
    assert owl.precision is not None
    assert owl.precision.value == 0
    assert "owl" not in evaluation.pr_curves


def test_a_class_that_is_never_answered_has_no_precision():
    probs = np.tile([0.7, 0.3], (20, 1))
    never = evaluate(probs, np.arange(20) % 2, ["a", "b"], draws=100).per_class[1]
    assert never.precision is None
    assert never.recall is not None
    assert never.recall.value == 0
    assert never.recall.high > 0.1


def test_the_tables_count_every_picture(evaluation: Evaluation):
    assert np.sum(evaluation.confusion.counts) == evaluation.n
    assert sum(one.n for one in evaluation.reliability) == evaluation.n
    assert len(evaluation.thresholds) == 101
    assert evaluation.pr_curves.keys() == {"cat", "dog", "cow", "micro"}


def test_two_pictures_can_be_evaluated():
    adapter = TypeAdapter(Evaluation)
    tiny = evaluate(np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([0, 0]), ["a", "b"], draws=50)
    assert tiny.scores["macro_auroc"] is None
    assert tiny.scores["accuracy"] is not None
    assert adapter.validate_json(adapter.dump_json(tiny)) == tiny


def test_one_picture_can_be_evaluated():
    tiny = evaluate(np.array([[0.9, 0.1]]), np.array([0]), ["a", "b"], draws=50)
    assert tiny.scores["accuracy"] is not None
    assert tiny.scores["accuracy"].low < 0.5


def test_pictures_of_one_patient_widen_every_interval():
    probs, labels = simulated_predictions(40, 2, seed=2)
    probs, labels = np.repeat(probs, 8, axis=0), np.repeat(labels, 8)
    alone = evaluate(probs, labels, ["a", "b"], draws=300)
    by_patient = evaluate(probs, labels, ["a", "b"], np.repeat(np.arange(40), 8), draws=300)
    for name in ("accuracy", "macro_f1", "log_loss", "macro_auroc"):
        narrow, wide = alone.scores[name], by_patient.scores[name]
        assert narrow is not None
        assert wide is not None
        assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_what_does_not_fit_together_is_refused():
    probs, labels = simulated_predictions(10, 2, seed=3)
    with pytest.raises(UserError, match="give one name a column"):
        evaluate(probs, labels, ["a", "b", "c"])
    with pytest.raises(UserError, match="give one each"):
        evaluate(probs, labels, ["a", "b"], [1, 2, 3])
