"""The scores: scikit-learn's numbers, their replicates and their intervals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics as oracle

from winnow.errors import NotFoundError, UserError
from winnow.metrics import measure
from winnow.metrics.families import find_metric
from winnow.metrics.predictions import Predictions
from winnow.metrics.resamples import make_resamples
from winnow.metrics.scores import METRICS
from winnow.metrics.weighted import Weighted

from .simulated import interval, simulated_predictions

Probs = NDArray[np.float64]
Labels = NDArray[np.int64]


def value(name: str, probs: Probs, labels: Labels) -> float:
    return measure.value(METRICS[name], Predictions(probs, labels))


def resampled(name: str, probs: Probs, labels: Labels, weights: Probs) -> Probs:
    return METRICS[name].of(Weighted(Predictions(probs, labels), weights))


def _one_hot(labels: Labels, classes: int) -> NDArray[np.int64]:
    return (labels[:, None] == np.arange(classes)).astype(np.int64)


def _ece_by_loop(probs: Probs, labels: Labels, weights: Probs) -> float:
    total = 0.0
    for b in range(15):
        inside = [i for i in range(len(probs)) if b / 15 < probs[i].max() <= (b + 1) / 15]
        gaps = [weights[i] * (float(probs[i].argmax() == labels[i]) - probs[i].max()) for i in inside]
        total += abs(sum(gaps))
    return total / weights.sum()


ORACLES: dict[str, Callable[[Probs, Labels, Probs], float]] = {
    "accuracy": lambda p, y, w: oracle.accuracy_score(y, p.argmax(1), sample_weight=w),
    "balanced_accuracy": lambda p, y, w: oracle.balanced_accuracy_score(y, p.argmax(1), sample_weight=w),
    "macro_f1": lambda p, y, w: oracle.f1_score(y, p.argmax(1), average="macro", sample_weight=w),
    "micro_f1": lambda p, y, w: oracle.f1_score(y, p.argmax(1), average="micro", sample_weight=w),
    "log_loss": lambda p, y, w: oracle.log_loss(y, p, labels=range(p.shape[1]), sample_weight=w),
    "macro_auroc": lambda p, y, w: oracle.roc_auc_score(_one_hot(y, p.shape[1]), p, average="macro", sample_weight=w),
    "macro_average_precision": lambda p, y, w: oracle.average_precision_score(
        _one_hot(y, p.shape[1]), p, average="macro", sample_weight=w
    ),
    "expected_calibration_error": _ece_by_loop,
}

PREDICTIONS = {
    "two classes": simulated_predictions(90, 2, seed=1),
    "five classes": simulated_predictions(200, 5, seed=2),
    "many ties": simulated_predictions(200, 4, seed=3, decimals=1),
    "all the same": (np.full((60, 3), 1 / 3), np.arange(60) % 3),
}


def test_every_metric_has_an_oracle():
    assert ORACLES.keys() == METRICS.keys()


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("case", PREDICTIONS)
def test_scores_equal_scikit_learns(name: str, case: str):
    probs, labels = PREDICTIONS[case]
    ours = value(name, probs, labels)
    assert ours == pytest.approx(ORACLES[name](probs, labels, np.ones(len(labels))), abs=1e-12)


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("case", PREDICTIONS)
def test_replicates_equal_scikit_learns_scores_with_the_draws_as_weights(name: str, case: str):
    probs, labels = PREDICTIONS[case]
    weights = make_resamples(np.arange(len(labels)), draws=3, seed=1).weights
    ours = resampled(name, probs, labels, weights)
    assert ours == pytest.approx([ORACLES[name](probs, labels, w) for w in weights], abs=1e-12)


@pytest.mark.parametrize("name", METRICS)
def test_replicates_in_chunks_are_the_same_as_at_once(name: str):
    probs, labels = simulated_predictions(50, 3, seed=4)
    resamples = make_resamples(np.arange(50), draws=40)
    at_once = resampled(name, probs, labels, resamples.weights)
    assert measure.replicates(METRICS[name], Predictions(probs, labels), resamples) == pytest.approx(at_once, abs=1e-12)


def test_impossible_answers_cost_what_scikit_learn_makes_them_cost():
    probs, labels = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]), np.array([0, 1, 1])
    for kind in (np.float64, np.float32):
        exact = probs.astype(kind)
        assert value("log_loss", exact, labels) == pytest.approx(oracle.log_loss(labels, exact), rel=1e-6)


def test_means_run_over_the_classes_that_have_examples():
    probs, labels = simulated_predictions(120, 4, seed=5)
    kept = labels != 2
    probs, labels = probs[kept], labels[kept]
    present = [0, 1, 3]
    answers = probs.argmax(1)
    f1 = oracle.f1_score(labels, answers, labels=present, average="macro")
    auroc = np.mean([oracle.roc_auc_score(labels == c, probs[:, c]) for c in present])
    precision = np.mean([oracle.average_precision_score(labels == c, probs[:, c]) for c in present])
    assert value("macro_f1", probs, labels) == pytest.approx(f1, abs=1e-12)
    assert value("macro_auroc", probs, labels) == pytest.approx(auroc, abs=1e-12)
    assert value("macro_average_precision", probs, labels) == pytest.approx(precision, abs=1e-12)


def test_ranking_one_class_against_nothing_is_undefined():
    probs, labels = np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([0, 0])
    assert np.isnan(value("macro_auroc", probs, labels))
    assert interval(METRICS["macro_auroc"], probs, labels, make_resamples([0, 1])) is None


@pytest.mark.parametrize("name", METRICS)
def test_the_interval_holds_the_score_and_repeats_with_its_seed(name: str):
    probs, labels = simulated_predictions(150, 3, seed=6)
    metric = METRICS[name]
    one, same = (interval(metric, probs, labels, make_resamples(np.arange(150), draws=200)) for _ in range(2))
    assert one is not None
    assert one == same
    assert one.value == pytest.approx(value(name, probs, labels), abs=1e-12)
    assert one.low <= one.value <= one.high
    assert one.low < one.high


@pytest.mark.parametrize("name", METRICS)
def test_two_examples_are_enough_to_be_unsure(name: str):
    probs, labels = np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 1])
    measured = interval(METRICS[name], probs, labels, make_resamples([0, 1], draws=200))
    assert measured is not None
    # However good it looks, two examples leave room below (above, where less is better).
    assert measured.high - measured.low > 0.1


@pytest.mark.parametrize("name", ["accuracy", "macro_f1", "log_loss", "macro_auroc"])
def test_ten_copies_of_every_picture_are_worth_no_more_than_one(name: str):
    probs, labels = simulated_predictions(100, 3, seed=7)
    clusters = np.tile(np.arange(100), 10)
    alone = interval(METRICS[name], probs, labels, make_resamples(np.arange(100)))
    copied = interval(METRICS[name], np.tile(probs, (10, 1)), np.tile(labels, 10), make_resamples(clusters))
    assert alone is not None
    assert copied is not None
    assert copied.high - copied.low == pytest.approx(alone.high - alone.low, rel=0.05)


@pytest.mark.parametrize("name", METRICS)
def test_95_percent_intervals_hold_the_true_score_93_to_97_percent_of_the_time(name: str):
    metric = METRICS[name]
    truth = value(name, *simulated_predictions(200_000, 3, seed=0))
    held = 0
    for seed in range(200):
        probs, labels = simulated_predictions(150, 3, seed=1000 + seed)
        found = interval(metric, probs, labels, make_resamples(np.arange(150), draws=200, seed=seed))
        assert found is not None
        held += found.low <= truth <= found.high
    # The calibration error's interval is cautious by intention.
    assert 0.93 <= held / 200 <= (1.0 if metric.kind == "calibration" else 0.97)


def test_an_unknown_metric_is_met_with_the_nearest():
    assert find_metric("log_loss").name == "log_loss"
    with pytest.raises(NotFoundError, match="Did you mean accuracy"):
        find_metric("acuracy")
    with pytest.raises(NotFoundError, match="Known are accuracy, balanced_accuracy"):
        find_metric("zzz")


@pytest.mark.parametrize(
    ("probs", "labels", "hint"),
    [
        ([[3.0, -1.0]], [0], "softmax"),
        ([[0.5, 0.4]], [0], "softmax"),
        ([[np.nan, 1.0]], [0], "softmax"),
        ([[0.5, 0.5]], [2], "0..1"),
        ([[0.5, 0.5]], [0.5], "whole class ids"),
        ([[0.5, 0.5]], [0, 1], "N labels"),
        ([[1.0]], [0], "two classes"),
        (np.empty((0, 2)), np.empty(0, int), "at least one example"),
    ],
)
def test_what_are_no_predictions_is_refused_with_a_hint(probs: object, labels: object, hint: str):
    with pytest.raises(UserError, match=hint):
        value("accuracy", np.asarray(probs), np.asarray(labels))
