"""The scores a classifier is judged by: one family, one line a metric, each with its interval.

Where a class has no example in what is judged, means over classes run over the classes that have one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from winnow.errors import NotFoundError, did_you_mean
from winnow.metrics.intervals import (
    Interval,
    absolute_sum_interval,
    examples_behind_mean,
    percentile_interval,
    ratio_interval,
    wilson,
)
from winnow.metrics.resamples import Resamples
from winnow.metrics.weighted import Predictions, Weighted, mean_over_classes


@dataclass(frozen=True, slots=True)
class Metric:
    """One way to judge predictions.

    A metric is one function of `Weighted`: with weights of 1 it is the score, with those of `Resamples` its
    bootstrap replicates.
    """

    name: str
    """In code, commands and JSON."""
    title: str
    """In plain words, the field's term in brackets."""
    of: Callable[[Weighted], NDArray[np.float64]]
    """(B,) the score under each set of weights."""
    higher_is_better: bool = True
    is_counting: bool = False
    """The mean of a right (1) or wrong (0) for each example: small samples need a continuity correction."""
    is_ratio: bool = True
    """Lies in [0, 1] and reads as a percentage."""
    is_mean_over_classes: bool = False
    signed_terms: Callable[[Weighted], NDArray[np.float64]] | None = None
    """(K, B) terms whose absolute values sum to the score, for a score that chance alone makes positive."""

    def value(self, probs: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
        """The score itself; NaN where it is undefined.

        Args:
            probs: (N, C) class probabilities; each row sums to 1.
            labels: (N,) true class ids in 0..C-1.

        Raises:
            UserError: the two do not fit together (see `Predictions`).
        """
        return float(self.of(unweighted(Predictions(probs, labels)))[0])

    def resampled(
        self, probs: NDArray[np.floating], labels: NDArray[np.integer], weights: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """(B,) the score under each of the B rows of weights (B, N); NaN where it is undefined."""
        return self.of(Weighted(Predictions(probs, labels), weights))


def _accuracy(w: Weighted) -> NDArray[np.float64]:
    return w.hits.sum(axis=0) / w.totals


_ALL = (
    Metric("accuracy", "share of pictures answered right (accuracy)", _accuracy, is_counting=True),
    Metric(
        "balanced_accuracy",
        "share answered right, every class counting the same (balanced accuracy)",
        lambda w: mean_over_classes(w.recall),
        is_mean_over_classes=True,
    ),
    Metric(
        "macro_f1",
        "found and not falsely called, every class counting the same (macro F1)",
        lambda w: mean_over_classes(w.f1),
        is_mean_over_classes=True,
    ),
    # With one answer a picture, all false calls are also misses: micro F1 is accuracy.
    Metric(
        "micro_f1",
        "found and not falsely called, every picture counting the same (micro F1)",
        _accuracy,
        is_counting=True,
    ),
    Metric(
        "log_loss",
        "surprise at the true class, in nats; 0 is perfect (log loss)",
        lambda w: w.losses,
        higher_is_better=False,
        is_ratio=False,
    ),
    Metric(
        "macro_auroc",
        "a picture of a class ranks above one that is not, mean over classes (macro AUROC)",
        lambda w: mean_over_classes(w.areas[0]),
        is_mean_over_classes=True,
    ),
    Metric(
        "macro_average_precision",
        "precision at every depth of a class's ranking, mean over classes (macro average precision)",
        lambda w: mean_over_classes(w.areas[1]),
        is_mean_over_classes=True,
    ),
    Metric(
        "expected_calibration_error",
        "distance between how sure it is and how often it is right (expected calibration error)",
        lambda w: np.abs(w.calibration_gaps).sum(axis=0),
        higher_is_better=False,
        signed_terms=lambda w: w.calibration_gaps,
    ),
)

METRICS: dict[str, Metric] = {metric.name: metric for metric in _ALL}


def find_metric(name: str) -> Metric:
    """The metric of that name.

    Raises:
        NotFoundError: no metric is called so; the sentence names the nearest.
    """
    if name in METRICS:
        return METRICS[name]
    hint = did_you_mean(name, METRICS, otherwise=f"Known are {', '.join(METRICS)}.")
    raise NotFoundError(f"No metric is called '{name}'. {hint}")


def unweighted(predictions: Predictions) -> Weighted:
    """Predictions as they are: one set of weights, all 1."""
    return Weighted(predictions, np.ones((1, predictions.n)))


def replicates(
    metric: Metric, probs: NDArray[np.floating], labels: NDArray[np.integer], resamples: Resamples
) -> NDArray[np.float64]:
    """(draws,) the score of every bootstrap draw, a chunk at a time; NaN where a draw leaves it undefined.

    Args:
        metric: what to compute.
        probs: (N, C) class probabilities.
        labels: (N,) true class ids.
        resamples: draws of the same N examples.
    """
    predictions = Predictions(probs, labels)
    return np.concatenate([metric.of(Weighted(predictions, weights)) for weights in resamples.chunks()])


def interval(
    metric: Metric,
    probs: NDArray[np.floating],
    labels: NDArray[np.integer],
    resamples: Resamples,
    *,
    level: float = 0.95,
) -> Interval | None:
    """The score and its interval, by the way that suits the metric; None where the score is undefined.

    Shares of independent examples: Wilson. Other scores in [0, 1]: Wilson with the bootstrap's effective
    number of examples. Log loss: percentiles of the bootstrap. Calibration error: corrected for its bias (see
    `absolute_sum_interval` for what it covers).
    """
    predictions = Predictions(probs, labels)
    chunks = (Weighted(predictions, weights) for weights in resamples.chunks())
    if metric.signed_terms is not None:
        draws = np.concatenate([metric.signed_terms(chunk) for chunk in chunks], axis=1)
    elif metric.is_counting and not resamples.is_clustered:
        draws = np.empty(0)
    else:
        draws = np.concatenate([metric.of(chunk) for chunk in chunks])
    return interval_from_draws(metric, predictions, draws, resamples, level=level)


def interval_from_draws(
    metric: Metric,
    predictions: Predictions,
    draws: NDArray[np.float64],
    resamples: Resamples,
    *,
    level: float = 0.95,
) -> Interval | None:
    """`interval` for draws that are at hand.

    Args:
        metric: what was measured.
        predictions: of the N examples.
        draws: (B,) replicates of the score, or (K, B) of its signed terms where the metric has such; not used
            for shares of independent examples.
        resamples: where the draws come from.
        level: how often the interval shall hold the true score.
    """
    measured = unweighted(predictions)
    if metric.signed_terms is not None:
        return absolute_sum_interval(metric.signed_terms(measured)[:, 0], draws, level)
    value = float(metric.of(measured)[0])
    if metric.is_counting and not resamples.is_clustered:
        return wilson(value * predictions.n, predictions.n, level)
    if not metric.is_ratio:
        return percentile_interval(value, draws, level)
    n = examples_behind_mean(predictions.counts) if metric.is_mean_over_classes else float(predictions.n)
    # Examples of one cluster are worth no more than one.
    return ratio_interval(value, draws, n * resamples.n_clusters / resamples.n, level)
