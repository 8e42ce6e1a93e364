"""All that is measured of one set of predictions, as plain numbers that a report can keep for ever."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from winnow.errors import UserError
from winnow.metrics.calibration import ReliabilityBin, reliability, reliability_bins
from winnow.metrics.confusion import ConfusionTable, MissTable, confusion_table, miss_table
from winnow.metrics.curves import (
    Curve,
    ThresholdRow,
    curves_by_class,
    multilabel_threshold_table,
    pr_curve,
    roc_curve,
    threshold_table,
)
from winnow.metrics.intervals import Interval, ratio_interval, wilson
from winnow.metrics.measure import drawn, interval_from_draws, needs_draws, unweighted
from winnow.metrics.metric import Metric
from winnow.metrics.multilabel_predictions import MultilabelPredictions
from winnow.metrics.multilabel_scores import MULTILABEL_METRICS
from winnow.metrics.predictions import Predictions
from winnow.metrics.resamples import Resamples, make_resamples
from winnow.metrics.scores import METRICS
from winnow.metrics.weighted import AnyPredictions, Weighted

P = TypeVar("P", bound=AnyPredictions)


@dataclass(frozen=True, slots=True)
class ClassScores:
    """The scores of one class against all others; None where a score is undefined."""

    name: str
    n: int
    """Pictures of this class."""
    precision: Interval | None
    recall: Interval | None
    f1: Interval | None
    auroc: Interval | None
    average_precision: Interval | None
    threshold: float | None = None
    """The probability from which the class is called; None where a picture gets the likeliest class."""
    n_called: int | None = None
    """Pictures for which it was called, and `n_found` those of them that show it; None likewise."""
    n_found: int | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores, tables and curves of one set of predictions."""

    n: int
    """Pictures judged."""
    scores: dict[str, Interval | None]
    """By metric name (`winnow.metrics.families.FAMILIES`); None where a score is undefined."""
    per_class: tuple[ClassScores, ...]
    confusion: ConfusionTable | None
    """None where a picture may show several classes: see `misses`."""
    pr_curves: dict[str, Curve]
    """By class name, and "micro" for all (picture, class) pairs together."""
    roc_curves: dict[str, Curve]
    """By class name, and "micro" for all (picture, class) pairs together."""
    thresholds: tuple[ThresholdRow, ...]
    reliability: tuple[ReliabilityBin, ...]
    """Of the answers, or of all (picture, class) pairs where a picture may show several classes."""
    misses: MissTable | None = None
    """None where a picture has one class: see `confusion`."""


def evaluate(
    probs: NDArray[np.floating],
    labels: NDArray[np.integer],
    classes: Sequence[str],
    clusters: NDArray[np.integer] | Sequence[int] | None = None,
    *,
    seed: int = 0,
    draws: int = 1000,
) -> Evaluation:
    """Measure predictions in every way that a report shows, where a picture has one class.

    Every picture counts once, whatever it weighs in learning.

    Args:
        probs: (N, C) class probabilities; each row sums to 1.
        labels: (N,) true class ids in 0..C-1.
        classes: the C class names, by id.
        clusters: (N,) which examples belong together (one patient, one burst); None: all are independent.
        seed: of the bootstrap draws.
        draws: bootstrap draws behind the intervals.

    Raises:
        UserError: the three do not fit together, or a row is no probability (see `Predictions`).
    """
    predictions = Predictions(probs, labels)
    resamples = _resamples(predictions, classes, clusters, draws, seed)
    scores, class_draws = _scores(predictions, METRICS, resamples)
    is_true = predictions.labels[:, None] == np.arange(predictions.n_classes)
    return Evaluation(
        n=predictions.n,
        scores=scores,
        per_class=_class_scores(predictions, classes, resamples, class_draws),
        confusion=confusion_table(predictions.answers, predictions.labels, classes),
        pr_curves=curves_by_class(pr_curve, predictions.probs, is_true, classes),
        roc_curves=curves_by_class(roc_curve, predictions.probs, is_true, classes),
        thresholds=threshold_table(probs, labels),
        reliability=reliability_bins(probs, labels),
    )


def evaluate_multilabel(
    probs: NDArray[np.floating],
    labels: NDArray[np.generic],
    called: NDArray[np.bool_],
    thresholds: Sequence[float],
    classes: Sequence[str],
    clusters: NDArray[np.integer] | Sequence[int] | None = None,
    *,
    seed: int = 0,
    draws: int = 1000,
) -> Evaluation:
    """Measure predictions in every way that a report shows, where a picture may show any number of classes.

    Every picture counts once, whatever it weighs in learning.

    Args:
        probs: (N, C) probability that the picture shows the class.
        labels: (N, C) 1 where it does, else 0.
        called: (N, C) which classes are answered. Out of fold this is not `probs >= thresholds`: an example's own
            fold has no say in the thresholds that judge it.
        thresholds: (C,) what a user's model calls a class from.
        classes: the C class names, by id.
        clusters: (N,) which examples belong together; None: all are independent.
        seed: of the bootstrap draws.
        draws: bootstrap draws behind the intervals.

    Raises:
        UserError: they do not fit together, or there is no probability (see `MultilabelPredictions`).
    """
    predictions = MultilabelPredictions(probs, labels, called)
    resamples = _resamples(predictions, classes, clusters, draws, seed)
    scores, class_draws = _scores(predictions, MULTILABEL_METRICS, resamples)
    is_hit = predictions.called & predictions.labels
    n_called, n_found = (part.sum(axis=0).tolist() for part in (predictions.called, is_hit))
    per_class = tuple(
        replace(one, threshold=float(thresholds[c]), n_called=n_called[c], n_found=n_found[c])
        for c, one in enumerate(_class_scores(predictions, classes, resamples, class_draws))
    )
    return Evaluation(
        n=predictions.n,
        scores=scores,
        per_class=per_class,
        confusion=None,
        pr_curves=curves_by_class(pr_curve, predictions.probs, predictions.labels, classes),
        roc_curves=curves_by_class(roc_curve, predictions.probs, predictions.labels, classes),
        thresholds=multilabel_threshold_table(predictions.probs, predictions.labels),
        reliability=reliability(predictions.reliability),
        misses=miss_table(predictions.called, predictions.labels, classes),
    )


def _resamples(
    predictions: AnyPredictions,
    classes: Sequence[str],
    clusters: NDArray[np.integer] | Sequence[int] | None,
    draws: int,
    seed: int,
) -> Resamples:
    if len(classes) != predictions.n_classes:
        raise UserError(
            f"There are {len(classes)} class names for {predictions.n_classes} columns of probabilities: "
            "give one name a column."
        )
    if clusters is not None and len(clusters) != predictions.n:
        raise UserError(f"There are {len(clusters)} cluster ids for {predictions.n} examples: give one each.")
    return make_resamples(np.arange(predictions.n) if clusters is None else clusters, draws=draws, seed=seed)


_CLASS_SCORES: dict[str, Callable[[Weighted[Any]], NDArray[np.float64]]] = {
    "precision": lambda w: w.precision,
    "recall": lambda w: w.recall,
    "f1": lambda w: w.f1,
    "auroc": lambda w: w.areas[0],
    "average_precision": lambda w: w.areas[1],
}


def _scores(
    predictions: P, metrics: Mapping[str, Metric[P]], resamples: Resamples
) -> tuple[dict[str, Interval | None], dict[str, NDArray[np.float64]]]:
    """Every metric with its interval, and the (C, draws) replicates of the scores of single classes."""
    metric_draws: dict[str, list[NDArray[np.float64]]] = {
        name: [] for name, metric in metrics.items() if needs_draws(metric, resamples)
    }
    class_draws: dict[str, list[NDArray[np.float64]]] = {name: [] for name in _CLASS_SCORES}
    for weights in resamples.chunks():
        chunk = Weighted(predictions, weights)
        for name, parts in metric_draws.items():
            parts.append(drawn(metrics[name], chunk))
        for name, parts in class_draws.items():
            parts.append(_CLASS_SCORES[name](chunk))
    joined = {name: np.concatenate(parts, axis=-1) for name, parts in metric_draws.items()}
    nothing = np.empty(0)
    scores = {
        name: interval_from_draws(metric, predictions, joined.get(name, nothing), resamples)
        for name, metric in metrics.items()
    }
    return scores, {name: np.concatenate(parts, axis=1) for name, parts in class_draws.items()}


def _class_scores(
    predictions: AnyPredictions,
    classes: Sequence[str],
    resamples: Resamples,
    draws: dict[str, NDArray[np.float64]],
) -> tuple[ClassScores, ...]:
    measured = unweighted(predictions)
    values = {name: of(measured)[:, 0] for name, of in _CLASS_SCORES.items()}
    # Examples of one cluster may be worth no more than one.
    worth = resamples.n_clusters / resamples.n

    def of_class(c: int, name: str, n: float) -> Interval | None:
        value = float(values[name][c])
        if np.isnan(value):
            return None
        # Recall and precision are plain shares: of the class's examples, of its answers.
        if name in ("recall", "precision") and not resamples.is_clustered:
            return wilson(value * n, n)
        return ratio_interval(value, draws[name][c], n * worth)

    return tuple(
        ClassScores(
            name=name,
            n=n,
            precision=of_class(c, "precision", float(measured.called[c, 0])),
            recall=of_class(c, "recall", float(n)),
            f1=of_class(c, "f1", float(n)),
            auroc=of_class(c, "auroc", float(n)),
            average_precision=of_class(c, "average_precision", float(n)),
        )
        for c, (name, n) in enumerate(zip(classes, predictions.counts.tolist(), strict=True))
    )
