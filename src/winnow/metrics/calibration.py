"""Does 80 % sure mean right 80 % of the time? Reliability, calibration error and temperature."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from winnow.errors import UserError
from winnow.metrics.intervals import Interval, wilson
from winnow.metrics.predictions import Predictions
from winnow.metrics.sums import CALIBRATION_BINS, BinSums

# scikit-learn looks for the temperature within the same range.
_LOG_BETA_BOUNDS = (-10.0, 10.0)
_MOST_STEPS, _CLOSE = 80, 1e-12


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """The pictures whose confidence (largest probability) lies in (low, high]."""

    low: float
    high: float
    n: int
    confidence: float | None
    """Mean confidence; None in an empty bin."""
    accuracy: Interval | None
    """Share answered right, with its Wilson interval; None in an empty bin."""


def reliability_bins(
    probs: NDArray[np.floating], labels: NDArray[np.integer], bins: int = CALIBRATION_BINS
) -> tuple[ReliabilityBin, ...]:
    """How often the answers of each degree of confidence are right.

    Args:
        probs: (N, C) class probabilities; each row sums to 1.
        labels: (N,) class ids in 0..C-1.
        bins: equal-width confidence bins over (0, 1].

    Raises:
        UserError: the two do not fit together (see `Predictions`).

    Source: DeGroot and Fienberg, The Comparison and Evaluation of Forecasters, The Statistician 1983.
    """
    predictions = Predictions(probs, labels)
    return reliability(BinSums.of(predictions.confidence, predictions.is_right, bins))


def reliability(sums: BinSums) -> tuple[ReliabilityBin, ...]:
    """`reliability_bins` of answers that are counted already."""
    n, confidence, right = sums.n, sums.confidence, sums.right
    bins = len(n)
    edges = np.linspace(0, 1, bins + 1).tolist()
    return tuple(
        ReliabilityBin(
            low=edges[b],
            high=edges[b + 1],
            n=int(n[b]),
            confidence=float(confidence[b] / n[b]) if n[b] else None,
            accuracy=wilson(float(right[b]), float(n[b])) if n[b] else None,
        )
        for b in range(bins)
    )


def expected_calibration_error(
    probs: NDArray[np.floating], labels: NDArray[np.integer], bins: int = CALIBRATION_BINS
) -> float:
    """How far the model's confidence is from how often it is right.

    Args:
        probs: (N, C) class probabilities; each row sums to 1.
        labels: (N,) class ids in 0..C-1.
        bins: equal-width confidence bins over (0, 1].

    Returns:
        The mean of |accuracy - confidence| over bins, weighted by size, in [0, 1]; 0 is perfect.

    Raises:
        UserError: a row does not sum to 1 (were logits passed? apply softmax first).

    Source: Guo et al., On Calibration of Modern Neural Networks, ICML 2017, section 2.

    >>> expected_calibration_error(np.eye(3), np.arange(3))
    0.0
    """
    predictions = Predictions(probs, labels)
    sums = BinSums.of(predictions.confidence, predictions.is_right, bins)
    return float(np.abs(sums.right - sums.confidence).sum() / predictions.n)


def calibration_interval(sums: BinSums, draws: NDArray[np.float64], level: float = 0.95) -> Interval:
    """The interval of the expected calibration error, corrected for its bias.

    Chance alone puts every bin a little off, so the error is measured too large, and its bootstrap
    replicates are larger still: their percentiles nearly never hold the truth. Here the truth is looked for
    instead. Were the true gaps of the bins t times the measured ones, how would the measured error be
    distributed? The interval holds every t x error for which the measured error lies in neither tail. Noise
    comes in two ways, neither of which is enough alone (the bootstrap knows nothing of a bin's rare kind of
    answer, the binomial nothing of clusters); what either accepts is in the interval.

    It covers the error of the whole population *in the same bins*, and starts at 0 where chance alone may
    explain all that was measured. The measured value is always inside, which makes the interval cautious when
    the truth is near 0. In simulations it covers 96 to 99 %: at least as often as it says.

    Args:
        sums: the answers by how sure they were.
        draws: (bins, B) replicates of `Weighted.calibration_gaps`.
        level: how often the interval shall hold the true error.

    Source: test inversion, Carpenter, Test Inversion Bootstrap Confidence Intervals, JRSS B 1999, along the
    line through 0 and the measured gaps; the binomial noise is the consistency resampling of Broecker and
    Smith, Increasing the Reliability of Reliability Diagrams, Weather and Forecasting 2007.
    """
    is_used = sums.n > 0
    n, confidence, right = sums.n[is_used], sums.confidence[is_used], sums.right[is_used]
    total = float(n.sum())
    gaps = (right - confidence) / total
    error = float(np.abs(gaps).sum())
    drawn_noise = draws[is_used] - gaps[:, None]
    stated = confidence / n
    # One more example, right as often as stated: three right answers do not make a bin right for ever.
    observed = (right + stated) / (n + 1)
    standard = np.random.default_rng(0).standard_normal((len(n), draws.shape[1]))

    def binomial_noise(t: float) -> NDArray[np.float64]:
        accuracy = np.clip(stated + t * (observed - stated), 0, 1)
        return (np.sqrt(n * accuracy * (1 - accuracy)) / total)[:, None] * standard

    def accepted(noise: Callable[[float], NDArray[np.float64]]) -> tuple[float, float]:
        def share_below(t: float) -> float:
            sums = np.abs(t * gaps[:, None] + noise(t)).sum(axis=0)
            return float((sums <= error + 1e-15).mean())

        tail = (1 - level) / 2
        # The share of errors below the measured one falls as t grows.
        low = 0.0 if share_below(0.0) < 1 - tail else _last_at_least(share_below, 1 - tail)
        return low, _last_at_least(share_below, tail)

    low, high = np.array([accepted(lambda _: drawn_noise), accepted(binomial_noise)]).T * error
    # Where all bins are clearly off there is no bias to correct: the signs stand, and the error is a plain sum.
    signed = np.sign(gaps) @ drawn_noise
    highest = max(float(high.max()), error - float(np.quantile(signed, (1 - level) / 2)))
    return Interval(error, min(float(low.min()), error), min(max(highest, error), 1.0), level)


def fit_temperature(logits: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """The temperature that makes softmax(logits / temperature) as honest as one number can.

    Args:
        logits: (N, C) scores before the softmax, or log-probabilities, which differ by a constant a row.
        labels: (N,) class ids in 0..C-1, of examples that the model was not fitted to.

    Returns:
        The temperature of least log loss: above 1 the model was too sure, below 1 too timid. 1 where
        no temperature changes the log loss; always in [exp(-10), exp(10)].

    Raises:
        UserError: the shapes do not fit or a logit is not finite.

    Source: Guo et al., On Calibration of Modern Neural Networks, ICML 2017, section 4.2. The same optimum as
    scikit-learn's `CalibratedClassifierCV(method="temperature")`; log loss is convex in 1 / temperature, so
    the root of its slope is found by Newton's steps, by halving where they would leave the range.
    """
    logits = np.asarray(logits, dtype=np.float64)
    labels = np.asarray(labels)
    if logits.ndim != 2 or labels.shape != (len(logits),) or len(logits) == 0:
        raise UserError(
            f"Logits of shape {logits.shape} and labels of shape {labels.shape} do not belong together: "
            "give (N, C) logits and N labels."
        )
    if not np.isfinite(logits).all():
        raise UserError("Some logits are not finite: take the logarithm of probabilities clipped above 0.")
    shifted = logits - logits.max(axis=1, keepdims=True)
    given = shifted[np.arange(len(labels)), labels].mean()

    def slope(log_beta: float) -> tuple[float, float]:
        """The log loss's derivative by 1 / temperature (expected logit minus the true one), and how fast it rises."""
        beta = np.exp(log_beta)
        weights = np.exp(beta * shifted)
        weights /= weights.sum(axis=1, keepdims=True)
        expected = (weights * shifted).sum(axis=1)
        variance = (weights * shifted**2).sum(axis=1) - expected**2
        return float(expected.mean() - given), float(beta * variance.mean())

    low, high = _LOG_BETA_BOUNDS
    log_beta = 0.0
    for _ in range(_MOST_STEPS):
        value, rise = slope(log_beta)
        if value == 0:
            break
        low, high = (log_beta, high) if value < 0 else (low, log_beta)
        newton = log_beta - value / rise if rise > 0 else np.inf
        following = newton if low < newton < high else (low + high) / 2
        is_there = abs(following - log_beta) < _CLOSE
        log_beta = float(following)
        if is_there:
            break
    return float(np.exp(-log_beta))


def apply_temperature(logits: NDArray[np.floating], temperature: float) -> NDArray[np.float64]:
    """softmax(logits / temperature).

    Args:
        logits: (N, C) scores before the softmax, or log-probabilities.
        temperature: above 0.

    >>> apply_temperature(np.array([[0.0, 0.0]]), 2.0)
    array([[0.5, 0.5]])
    """
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    weights = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def _last_at_least(falling: Callable[[float], float], target: float) -> float:
    """The largest t >= 0 at which a falling function is still at least `target`, within 0.1 %."""
    low, high = 0.0, 1.0
    while falling(high) >= target and high < 64:
        low, high = high, high * 2
    for _ in range(11):
        middle = (low + high) / 2
        if falling(middle) >= target:
            low = middle
        else:
            high = middle
    return low
