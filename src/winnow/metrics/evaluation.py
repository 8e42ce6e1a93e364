"""All that is measured of one set of predictions, as plain numbers that a report can keep for ever."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from winnow.errors import UserError
from winnow.metrics.calibration import ReliabilityBin, reliability_bins
from winnow.metrics.confusion import ConfusionTable, confusion_table
from winnow.metrics.curves import Curve, ThresholdRow, curves_by_class, pr_curve, roc_curve, threshold_table
from winnow.metrics.intervals import Interval, ratio_interval, wilson
from winnow.metrics.resamples import Resamples, make_resamples
from winnow.metrics.scores import METRICS, drawn, interval_from_draws, needs_draws, unweighted
from winnow.metrics.weighted import Predictions, Weighted


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


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores, tables and curves of one set of predictions."""

    n: int
    """Pictures judged."""
    scores: dict[str, Interval | None]
    """By metric name (`winnow.metrics.scores.METRICS`); None where a score is undefined."""
    per_class: tuple[ClassScores, ...]
    confusion: ConfusionTable
    pr_curves: dict[str, Curve]
    """By class name, and "micro" for all (picture, class) pairs together."""
    roc_curves: dict[str, Curve]
    """By class name, and "micro" for all (picture, class) pairs together."""
    thresholds: tuple[ThresholdRow, ...]
    reliability: tuple[ReliabilityBin, ...]


def evaluate(
    probs: NDArray[np.floating],
    labels: NDArray[np.integer],
    classes: Sequence[str],
    clusters: NDArray[np.integer] | Sequence[int] | None = None,
    *,
    seed: int = 0,
    draws: int = 1000,
) -> Evaluation:
    """Measure predictions in every way that a report shows.

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
    if len(classes) != predictions.n_classes:
        raise UserError(
            f"There are {len(classes)} class names for {predictions.n_classes} columns of probabilities: "
            "give one name a column."
        )
    if clusters is not None and len(clusters) != predictions.n:
        raise UserError(f"There are {len(clusters)} cluster ids for {predictions.n} examples: give one each.")
    resamples = make_resamples(np.arange(predictions.n) if clusters is None else clusters, draws=draws, seed=seed)
    metric_draws: dict[str, list[NDArray[np.float64]]] = {
        name: [] for name, metric in METRICS.items() if needs_draws(metric, resamples)
    }
    class_draws: dict[str, list[NDArray[np.float64]]] = {name: [] for name in _CLASS_SCORES}
    for weights in resamples.chunks():
        chunk = Weighted(predictions, weights)
        for name, parts in metric_draws.items():
            parts.append(drawn(METRICS[name], chunk))
        for name, parts in class_draws.items():
            parts.append(_CLASS_SCORES[name](chunk))
    joined = {name: np.concatenate(parts, axis=-1) for name, parts in metric_draws.items()}
    nothing = np.empty(0)
    return Evaluation(
        n=predictions.n,
        scores={
            name: interval_from_draws(metric, predictions, joined.get(name, nothing), resamples)
            for name, metric in METRICS.items()
        },
        per_class=_class_scores(
            predictions,
            classes,
            resamples,
            {name: np.concatenate(parts, axis=1) for name, parts in class_draws.items()},
        ),
        confusion=confusion_table(predictions.answers, predictions.labels, classes),
        pr_curves=curves_by_class(pr_curve, predictions.probs, predictions.labels, classes),
        roc_curves=curves_by_class(roc_curve, predictions.probs, predictions.labels, classes),
        thresholds=threshold_table(probs, labels),
        reliability=reliability_bins(probs, labels),
    )


_CLASS_SCORES: dict[str, Callable[[Weighted], NDArray[np.float64]]] = {
    "precision": lambda w: w.precision,
    "recall": lambda w: w.recall,
    "f1": lambda w: w.f1,
    "auroc": lambda w: w.areas[0],
    "average_precision": lambda w: w.areas[1],
}


def _class_scores(
    predictions: Predictions,
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
            n=int(predictions.counts[c]),
            precision=of_class(c, "precision", float(measured.called[c, 0])),
            recall=of_class(c, "recall", float(predictions.counts[c])),
            f1=of_class(c, "f1", float(predictions.counts[c])),
            auroc=of_class(c, "auroc", float(predictions.counts[c])),
            average_precision=of_class(c, "average_precision", float(predictions.counts[c])),
        )
        for c, name in enumerate(classes)
    )
