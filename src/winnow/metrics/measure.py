"""A score, its bootstrap replicates and its interval: the same for every task's predictions."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from winnow.metrics.bootstrap_t import mean_interval
from winnow.metrics.calibration import calibration_interval
from winnow.metrics.intervals import Interval, examples_behind_mean, ratio_interval, wilson
from winnow.metrics.metric import Metric
from winnow.metrics.resamples import Resamples
from winnow.metrics.weighted import AnyPredictions, Weighted

P = TypeVar("P", bound=AnyPredictions)


def unweighted(predictions: P) -> Weighted[P]:
    """Predictions as they are: one set of weights, all 1."""
    return Weighted(predictions, np.ones((1, predictions.n)))


def value(metric: Metric[P], predictions: P) -> float:
    """The score itself; NaN where it is undefined."""
    return float(metric.of(unweighted(predictions))[0])


def replicates(metric: Metric[P], predictions: P, resamples: Resamples) -> NDArray[np.float64]:
    """(draws,) the score of every bootstrap draw, a chunk at a time; NaN where a draw leaves it undefined.

    Args:
        metric: what to compute.
        predictions: of N examples.
        resamples: draws of the same N examples.
    """
    return np.concatenate([metric.of(Weighted(predictions, weights)) for weights in resamples.chunks()])


def interval(metric: Metric[P], predictions: P, resamples: Resamples, *, level: float = 0.95) -> Interval | None:
    """The score and its interval, by the way that suits the metric; None where the score is undefined.

    Shares of independent examples: Wilson. Other scores in [0, 1]: the bootstrap's standard error on the
    logit scale. Log loss and other lopsided means: the bootstrap of the studentised mean. Calibration error:
    corrected for its bias (see `calibration_interval` for what it covers).
    """
    draws = np.empty(0)
    if needs_draws(metric, resamples):
        chunks = (Weighted(predictions, weights) for weights in resamples.chunks())
        draws = np.concatenate([drawn(metric, chunk) for chunk in chunks], axis=-1)
    return interval_from_draws(metric, predictions, draws, resamples, level=level)


def interval_and_replicates(
    metric: Metric[P], predictions: P, resamples: Resamples
) -> tuple[Interval, NDArray[np.float64]] | None:
    """`interval` and `replicates` of a climb's rung from one pass over the draws; None where the score is undefined."""
    chunks = (Weighted(predictions, weights) for weights in resamples.chunks())
    draws = np.concatenate([drawn(metric, chunk) for chunk in chunks], axis=-1)
    found = interval_from_draws(metric, predictions, draws, resamples)
    if found is None:
        return None
    return found, np.abs(draws).sum(axis=0) if metric.kind == "calibration" else draws


def needs_draws(metric: Metric[Any], resamples: Resamples) -> bool:
    """Whether the interval of a metric is made from what `drawn` gives."""
    return metric.kind != "lopsided_mean" and (metric.kind != "share" or resamples.is_clustered)


def drawn(metric: Metric[P], chunk: Weighted[P]) -> NDArray[np.float64]:
    """(..., B) what the interval of a metric needs of some draws: the scores, or the gaps of the bins."""
    return chunk.calibration_gaps if metric.kind == "calibration" else metric.of(chunk)


def interval_from_draws(
    metric: Metric[P],
    predictions: P,
    draws: NDArray[np.float64],
    resamples: Resamples,
    *,
    level: float = 0.95,
) -> Interval | None:
    """`interval` for draws that are at hand.

    Args:
        metric: what was measured.
        predictions: of the N examples.
        draws: (..., B) what `drawn` gave, chunks joined; not used where `needs_draws` says so.
        resamples: where the draws come from.
        level: how often the interval shall hold the true score.
    """
    if metric.kind == "calibration":
        return calibration_interval(predictions.reliability, draws, level)
    if metric.kind == "lopsided_mean":
        values, top = predictions.lopsided(metric.name)
        return mean_interval(values, resamples, top=top, level=level)
    score = value(metric, predictions)
    if metric.kind == "share" and not resamples.is_clustered:
        return wilson(score * predictions.n, predictions.n, level)
    n = float(predictions.n)
    if metric.kind == "mean_over_classes":
        n = examples_behind_mean(predictions.counts)
    elif metric.kind == "pooled":
        n = float(predictions.n_labelled)
    # Examples of one cluster may be worth no more than one.
    return ratio_interval(score, draws, n * resamples.n_clusters / resamples.n, level)
