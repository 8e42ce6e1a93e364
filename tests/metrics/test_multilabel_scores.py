"""The scores of pictures with several classes: scikit-learn's numbers, their replicates and their intervals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics as oracle

from winnow.errors import NotFoundError, UserError
from winnow.metrics import measure
from winnow.metrics.families import DEFAULTS, FAMILIES, find_metric
from winnow.metrics.multilabel_predictions import MultilabelPredictions
from winnow.metrics.multilabel_scores import MULTILABEL_METRICS
from winnow.metrics.resamples import make_resamples
from winnow.metrics.weighted import Weighted

from .simulated import simulated_multilabel

Numbers = NDArray[np.float64]
Marks = NDArray[np.bool_]

every_metric = pytest.mark.parametrize("name", MULTILABEL_METRICS)


def predictions(probs: Numbers, labels: Marks, threshold: float = 0.5) -> MultilabelPredictions:
    return MultilabelPredictions(probs, labels, probs >= threshold)


def _ece_by_loop(probs: Numbers, labels: Marks, weights: Numbers) -> float:
    total = 0.0
    pairs = [(i, c) for i in range(len(probs)) for c in range(probs.shape[1])]
    for b in range(15):
        low = -1 if b == 0 else b / 15
        gaps = [weights[i] * (float(labels[i, c]) - probs[i, c]) for i, c in pairs if low < probs[i, c] <= (b + 1) / 15]
        total += abs(sum(gaps))
    return total / (weights.sum() * probs.shape[1])


def _log_loss(p: Numbers, y: Marks, w: Numbers) -> float:
    return float(
        np.mean([oracle.log_loss(y[:, c], p[:, c], labels=[0, 1], sample_weight=w) for c in range(y.shape[1])])
    )


ORACLES: dict[str, Callable[[Numbers, Marks, Numbers], float]] = {
    "macro_average_precision": lambda p, y, w: oracle.average_precision_score(y, p, average="macro", sample_weight=w),
    "micro_average_precision": lambda p, y, w: oracle.average_precision_score(y, p, average="micro", sample_weight=w),
    "macro_f1": lambda p, y, w: oracle.f1_score(y, p >= 0.5, average="macro", sample_weight=w),
    "micro_f1": lambda p, y, w: oracle.f1_score(y, p >= 0.5, average="micro", sample_weight=w),
    "subset_accuracy": lambda p, y, w: oracle.accuracy_score(y, p >= 0.5, sample_weight=w),
    "hamming_loss": lambda p, y, w: oracle.hamming_loss(y, p >= 0.5, sample_weight=w),
    "macro_auroc": lambda p, y, w: oracle.roc_auc_score(y, p, average="macro", sample_weight=w),
    "label_ranking_average_precision": lambda p, y, w: oracle.label_ranking_average_precision_score(
        y, p, sample_weight=w
    ),
    "coverage_error": lambda p, y, w: oracle.coverage_error(y, p, sample_weight=w),
    "log_loss": _log_loss,
    "expected_calibration_error": _ece_by_loop,
}

CASES = {
    "five classes": simulated_multilabel(150, 5, seed=1),
    "two classes": simulated_multilabel(80, 2, seed=2),
    "many ties": simulated_multilabel(150, 4, seed=3, decimals=1),
    "all the same": (np.full((60, 3), 0.5), simulated_multilabel(60, 3, seed=4)[1]),
}


def test_every_metric_has_an_oracle():
    assert ORACLES.keys() == MULTILABEL_METRICS.keys()


@every_metric
@pytest.mark.parametrize("case", CASES)
def test_scores_equal_scikit_learns(name: str, case: str):
    probs, labels = CASES[case]
    ours = measure.value(MULTILABEL_METRICS[name], predictions(probs, labels))
    assert ours == pytest.approx(ORACLES[name](probs, labels, np.ones(len(labels))), abs=1e-12)


@every_metric
@pytest.mark.parametrize("case", CASES)
def test_replicates_equal_scikit_learns_scores_with_the_draws_as_weights(name: str, case: str):
    probs, labels = CASES[case]
    weights = make_resamples(np.arange(len(labels)), draws=3, seed=1).weights
    ours = MULTILABEL_METRICS[name].of(Weighted(predictions(probs, labels), weights))
    assert ours == pytest.approx([ORACLES[name](probs, labels, w) for w in weights], abs=1e-12)


@every_metric
def test_replicates_in_chunks_are_the_same_as_at_once(name: str):
    seen = predictions(*simulated_multilabel(50, 3, seed=4))
    resamples = make_resamples(np.arange(50), draws=40)
    at_once = MULTILABEL_METRICS[name].of(Weighted(seen, resamples.weights))
    assert measure.replicates(MULTILABEL_METRICS[name], seen, resamples) == pytest.approx(at_once, abs=1e-12)


@every_metric
def test_one_pass_over_the_draws_gives_both_interval_and_replicates(name: str):
    metric, seen = MULTILABEL_METRICS[name], predictions(*simulated_multilabel(60, 3, seed=5))
    resamples = make_resamples(np.arange(60), draws=50)
    found = measure.interval_and_replicates(metric, seen, resamples)
    assert found is not None
    assert found[0] == measure.interval(metric, seen, resamples)
    assert np.array_equal(found[1], measure.replicates(metric, seen, resamples))


def test_means_run_over_the_classes_that_can_be_ranked():
    probs, labels = simulated_multilabel(120, 5, seed=5)
    labels[:, 1], labels[:, 3] = False, True  # nobody shows the one, everybody the other
    kept = [0, 2, 4]
    seen = predictions(probs, labels)
    for name in ("macro_average_precision", "macro_auroc"):
        expected = ORACLES[name](probs[:, kept], labels[:, kept], np.ones(120))
        assert measure.value(MULTILABEL_METRICS[name], seen) == pytest.approx(expected, abs=1e-12)
    f1 = [oracle.f1_score(labels[:, c], probs[:, c] >= 0.5) for c in (0, 2, 3, 4)]
    assert measure.value(MULTILABEL_METRICS["macro_f1"], seen) == pytest.approx(np.mean(f1), abs=1e-12)


def test_one_class_that_is_there_or_not_can_be_judged():
    probs, labels = simulated_multilabel(60, 2, seed=6)
    seen = predictions(probs[:, :1], labels[:, :1])
    scores = {name: measure.value(metric, seen) for name, metric in MULTILABEL_METRICS.items()}
    assert scores["macro_average_precision"] == scores["micro_average_precision"]
    assert scores["subset_accuracy"] == 1 - scores["hamming_loss"]
    assert np.isfinite(list(scores.values())).all()


def test_pictures_that_show_nothing_and_get_nothing_are_right():
    seen = predictions(np.zeros((20, 2)), np.zeros((20, 2), dtype=bool))
    values = {name: measure.value(metric, seen) for name, metric in MULTILABEL_METRICS.items()}
    assert values["subset_accuracy"] == 1
    assert values["hamming_loss"] == values["coverage_error"] == 0
    for name in ("macro_average_precision", "micro_average_precision", "macro_f1", "micro_f1", "macro_auroc"):
        assert np.isnan(values[name])
        assert measure.interval(MULTILABEL_METRICS[name], seen, make_resamples(np.arange(20), draws=50)) is None


@every_metric
def test_the_interval_holds_the_score_and_repeats_with_its_seed(name: str):
    metric, seen = MULTILABEL_METRICS[name], predictions(*simulated_multilabel(150, 3, seed=6))
    one, same = (measure.interval(metric, seen, make_resamples(np.arange(150), draws=200)) for _ in range(2))
    assert one is not None
    assert one == same
    assert one.value == pytest.approx(measure.value(metric, seen), abs=1e-12)
    assert one.low <= one.value <= one.high
    assert one.low < one.high


# The calibration error's interval also allows for the chance of single answers, of which copies have more.
@pytest.mark.parametrize("name", [name for name in MULTILABEL_METRICS if name != "expected_calibration_error"])
def test_ten_copies_of_every_picture_are_worth_no_more_than_one(name: str):
    probs, labels = simulated_multilabel(100, 3, seed=7)
    alone = measure.interval(MULTILABEL_METRICS[name], predictions(probs, labels), make_resamples(np.arange(100)))
    copies = predictions(np.tile(probs, (10, 1)), np.tile(labels, (10, 1)))
    copied = measure.interval(MULTILABEL_METRICS[name], copies, make_resamples(np.tile(np.arange(100), 10)))
    assert alone is not None
    assert copied is not None
    assert copied.high - copied.low == pytest.approx(alone.high - alone.low, rel=0.05)


@every_metric
def test_95_percent_intervals_hold_the_true_score_92_to_98_percent_of_the_time(name: str):
    metric = MULTILABEL_METRICS[name]
    truth = measure.value(metric, predictions(*simulated_multilabel(40_000, 3, seed=0)))
    held = 0
    for seed in range(200):
        seen = predictions(*simulated_multilabel(150, 3, seed=1000 + seed))
        found = measure.interval(metric, seen, make_resamples(np.arange(150), draws=200, seed=seed))
        assert found is not None
        held += found.low <= truth <= found.high
    # The calibration error's interval is cautious by intention.
    assert 0.92 <= held / 200 <= (1.0 if metric.kind == "calibration" else 0.98)


def test_metrics_of_one_name_read_alike_whatever_the_task():
    for name, metric in MULTILABEL_METRICS.items():
        if name in FAMILIES["classify"]:
            other = FAMILIES["classify"][name]
            assert (metric.is_ratio, metric.higher_is_better) == (other.is_ratio, other.higher_is_better)
    assert all(DEFAULTS[task] in family for task, family in FAMILIES.items())


def test_a_metric_is_looked_for_in_the_tasks_own_family():
    assert find_metric("macro_average_precision", "multilabel").term == "mAP"
    assert find_metric("macro_average_precision", "classify").term == "macro average precision"
    assert find_metric("hamming_loss").name == "hamming_loss"
    with pytest.raises(NotFoundError, match=r"'accuracy' is not made for pictures with any number .*subset_accuracy"):
        find_metric("accuracy", "multilabel")
    with pytest.raises(NotFoundError, match="'hamming_loss' is not made for pictures with one class each"):
        find_metric("hamming_loss", "classify")
    with pytest.raises(NotFoundError, match=r"No metric is called 'zzz'\. Known are macro_average_precision, micro_"):
        find_metric("zzz", "multilabel")


@pytest.mark.parametrize(
    ("probs", "labels", "hint"),
    [
        ([[3.0, -1.0]], [[0, 1]], "sigmoid"),
        ([[np.nan, 1.0]], [[0, 1]], "sigmoid"),
        ([[0.5, 0.5]], [[2, 0]], "0 and 1"),
        ([[0.5, 0.5]], [[1]], "do not belong together"),
        ([[0.5, 0.5]], [1], "do not belong together"),
        (np.empty((0, 2)), np.empty((0, 2)), "at least one example"),
    ],
)
def test_what_are_no_predictions_is_refused_with_a_hint(probs: object, labels: object, hint: str):
    probs = np.asarray(probs)
    with pytest.raises(UserError, match=hint):
        MultilabelPredictions(probs, np.asarray(labels), probs > 0.5)
