"""How sure are we of a score: what an interval is, and the ways to make one.

The bootstrap that most of them stand on is in `resamples.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Interval:
    """A score and the range that holds the true one `level` of the time.

    `value` is what was measured; `low` and `high` are what the same model may be worth on other pictures
    of the same kind. Ratios lie in [0, 1].
    """

    value: float
    low: float
    high: float
    level: float = 0.95


def wilson(successes: float, n: float, level: float = 0.95) -> Interval:
    """The interval of a share: so many right out of so many.

    Unlike value +- 1.96 standard errors it never leaves [0, 1] and stays honest at 0 % and 100 %: 20 right
    out of 20 is "84 % or better", not "certainly always".

    Args:
        successes: how many were right, in [0, n]; need not be whole.
        n: how many there were; need not be whole (an effective number). More than 0.
        level: how often the interval shall hold the true share.

    Raises:
        ValueError: `n` is not positive.

    Source: Wilson, Probable Inference, the Law of Succession, and Statistical Inference, JASA 1927.

    >>> interval = wilson(20, 20)
    >>> round(interval.low, 3), interval.high
    (0.839, 1.0)
    """
    if n <= 0:
        raise ValueError(f"A share of {n} examples has no interval: at least one example is needed.")
    return _wilson_at(successes / n, n, _z(level), level)


def ratio_interval(
    value: float, draws: NDArray[np.float64], n: float, level: float = 0.95
) -> Interval | None:
    """The interval of a score in [0, 1] that is no plain share (macro F1, AUROC, accuracy by patient ...).

    Wilson's interval with the effective number of examples that the bootstrap's spread tells:
    value * (1 - value) / variance. For accuracy this is Wilson's own interval. The usual percentile interval
    is too narrow near 1 and shrinks to nothing for a score of exactly 1; there, `n` takes the place of the
    effective number.

    Args:
        value: the measured score in [0, 1].
        draws: (B,) bootstrap replicates; NaN where a draw leaves the score undefined.
        n: independent examples behind the score: for a mean over classes `examples_behind_mean`.
        level: how often the interval shall hold the true score.

    Returns:
        None where the score, or more than half of its replicates, is undefined.

    Source: Kott and Carr, Developing an Estimation Strategy for a Pesticide Data Program, Journal of Official
    Statistics 1997 (Wilson's interval with an effective sample size); Efron 1979 for the bootstrap variance.
    """
    finite = draws[np.isfinite(draws)]
    if not math.isfinite(value) or finite.size * 2 < draws.size or n <= 0:
        return None
    value = min(max(value, 0.0), 1.0)
    # Resampling n things underestimates their variance by (n - 1) / n.
    variance = float(finite.var()) * n / max(n - 1, 1)
    spread = value * (1 - value)
    effective_n = spread / variance if variance > 1e-12 and spread > 1e-12 else n
    return _wilson_at(value, effective_n, _z(level), level)


def percentile_interval(value: float, draws: NDArray[np.float64], level: float = 0.95) -> Interval | None:
    """The middle `level` of the bootstrap replicates: for scores without an upper bound, such as log loss.

    Args:
        value: the measured score.
        draws: (B,) bootstrap replicates; NaN where a draw leaves the score undefined.
        level: how often the interval shall hold the true score.

    Returns:
        None where the score, or more than half of its replicates, is undefined.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
    """
    finite = draws[np.isfinite(draws)]
    if not math.isfinite(value) or finite.size * 2 < draws.size:
        return None
    low, high = np.quantile(finite, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, min(float(low), value), max(float(high), value), level)


def absolute_sum_interval(
    terms: NDArray[np.float64], draws: NDArray[np.float64], level: float = 0.95
) -> Interval | None:
    """The interval of a sum of absolute values, such as the calibration error: corrected for its bias.

    Chance alone makes |difference| positive, so such a sum is measured too large, and its replicates are larger
    still: their percentiles do not hold the truth. Here the truth is looked for instead. Were the true terms
    t times the measured ones, how would the measured sum be distributed? The noise around them is the
    bootstrap's. The interval holds all t * sum for which the measured sum is not in either tail.

    It covers the sum of absolute *population* terms (for the calibration error: of the same bins) and starts
    at 0 where chance alone may explain all that was measured. It always holds the measured value too, which
    makes it cautious when the truth is near 0 (there it covers at least `level`).

    Args:
        terms: (K,) measured signed terms; the score is the sum of their absolute values.
        draws: (K, B) bootstrap replicates of the terms.
        level: how often the interval shall hold the true sum.

    Returns:
        None where a term or more than half of the replicates is undefined.

    Source: test inversion by the bootstrap, Carpenter, Test Inversion Bootstrap Confidence Intervals, JRSS B
    1999, along the line through 0 and the measured terms.
    """
    finite = draws[:, np.isfinite(draws).all(axis=0)]
    if not np.isfinite(terms).all() or finite.shape[1] * 2 < draws.shape[1]:
        return None
    value = float(np.abs(terms).sum())
    noise = finite - terms[:, None]
    tail = (1 - level) / 2

    def share_below(t: float) -> float:
        return float((np.abs(t * terms[:, None] + noise).sum(axis=0) <= value + 1e-15).mean())

    # The share of sums below the measured one falls as t grows: bisect for both tails.
    low = 0.0 if share_below(0.0) < 1 - tail else value * _bisect(share_below, 1 - tail)
    high = value * _bisect(share_below, tail)
    return Interval(value, min(low, value), max(high, value), level)


def examples_behind_mean(counts: NDArray[np.integer]) -> float:
    """How many examples a plain mean over classes is worth: K^2 / sum(1 / counts), less than their sum.

    A mean of K shares has the variance sum(p (1 - p) / counts) / K^2; one share of n examples has p (1 - p) / n.

    Args:
        counts: (K,) examples of each class; classes without any are left out.

    >>> examples_behind_mean(np.array([10, 10]))
    20.0
    """
    present = counts[counts > 0]
    return float(len(present) ** 2 / (1.0 / present).sum()) if len(present) else 0.0


def _wilson_at(share: float, n: float, z: float, level: float) -> Interval:
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # At 0 and 1 the formula gives the end itself but for rounding.
    low = 0.0 if share <= 0 else max(centre - half, 0.0)
    high = 1.0 if share >= 1 else min(centre + half, 1.0)
    return Interval(share, low, high, level)


def _z(level: float) -> float:
    return NormalDist().inv_cdf((1 + level) / 2)


def _bisect(share_below: Callable[[float], float], target: float) -> float:
    """The largest t at which the falling function is still at least `target`, within 0.1 %; its start is 0."""
    low, high = 0.0, 1.0
    while share_below(high) >= target and high < 64:
        low, high = high, high * 2
    for _ in range(11):
        middle = (low + high) / 2
        if share_below(middle) >= target:
            low = middle
        else:
            high = middle
    return low
