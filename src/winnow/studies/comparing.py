"""Paired comparisons over seeds: is the difference there, is it not, or can so few seeds not tell?"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from winnow.metrics.intervals import Interval
from winnow.report.study_schema import Comparison, Series, Verdict


def mean_interval(values: Sequence[float], level: float = 0.95) -> Interval:
    """The mean of independent numbers, with Student's t interval; at least two numbers.

    Source: Student, The Probable Error of a Mean, Biometrika 6, 1908.
    """
    array = np.asarray(values, dtype=np.float64)
    mean, error = float(array.mean()), float(array.std(ddof=1)) / math.sqrt(len(array))
    half = float(stats.t.ppf((1 + level) / 2, len(array) - 1)) * error
    return Interval(mean, mean - half, mean + half, level)


def verdict_of(interval: Interval, at_least: float) -> Verdict:
    """Whether a mean lies above a bound: its whole interval does, its whole interval does not, or neither.

    >>> verdict_of(Interval(2.0, 1.0, 3.0), 0.0), verdict_of(Interval(2.0, -1.0, 5.0), 0.0)
    ('holds', 'not decided by this much data')
    """
    if interval.low > at_least:
        return "holds"
    return "does not hold" if interval.high <= at_least else "not decided by this much data"


def compare(what: str, by_seed: Sequence[float], *, unit: str = "", at_least: float = 0.0) -> Comparison:
    """A number by seed, usually the difference of two runs that share the seed, against what the claim needs.

    Args:
        what: the number is, in words.
        by_seed: finite, one for each seed, so turned that more is for the claim.
        unit: "points" for shares in [0, 1].
        at_least: the claim says that the mean is more than this.
    """
    interval = mean_interval(by_seed)
    verdict = verdict_of(interval, at_least)
    values = tuple(float(value) for value in by_seed)
    return Comparison(what=what, unit=unit, by_seed=values, interval=interval, at_least=at_least, verdict=verdict)


def verdict_on_all(comparisons: Sequence[Comparison]) -> Verdict:
    """Of a claim that says all of these: it holds if each does, and does not hold if one does not.

    To find that all hold at a level of 95 % needs no correction for their number (the intersection-union test:
    Berger 1982).
    """
    verdicts = {one.verdict for one in comparisons}
    if "does not hold" in verdicts:
        return "does not hold"
    return "holds" if verdicts == {"holds"} else "not decided by this much data"


def mean_line(name: str, xs: Sequence[float], by_seed: Sequence[Sequence[float]], *, is_log: bool = False) -> Series:
    """The mean over the seeds at every x, with its 95 % interval.

    Args:
        name: of the line.
        xs: (n,) places.
        by_seed: (seeds, n) values.
        is_log: take mean and interval of the logarithms, for what is drawn on a logarithmic axis; values above 0.
    """
    array = np.asarray(by_seed, dtype=np.float64)
    array = np.log(array) if is_log else array
    intervals = [mean_interval(array[:, place].tolist()) for place in range(array.shape[1])]
    ends = np.array([(one.value, one.low, one.high) for one in intervals])
    ends = np.exp(ends) if is_log else ends
    ys, lows, highs = (tuple(column.tolist()) for column in ends.T)
    return Series(name=name, xs=tuple(map(float, xs)), ys=ys, lows=lows, highs=highs)
