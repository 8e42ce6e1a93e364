"""Is one rung better than another, or only luckier? Paired comparisons of all rungs of a climb at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from winnow.metrics.intervals import Interval, normal_quantile


@dataclass(frozen=True, slots=True)
class Judged:
    """One rung's score on the judged examples, ready to be compared with the others."""

    rung: str
    value: float
    """The optimised metric, turned so that more is better (log loss: minus log loss)."""
    draws: NDArray[np.float64]
    """(B,) its bootstrap replicates, turned alike. The same `Resamples` for every rung of a climb."""
    interval: Interval | None = None
    """The metric as a person reads it, not turned, with its own interval."""


@dataclass(frozen=True, slots=True)
class Comparisons:
    """The gains between all rungs of a climb, with intervals that hold all at once.

    However many pairs are looked at, all intervals together hold their true gains `level` of the time.
    """

    rungs: tuple[str, ...]
    values: NDArray[np.float64]
    """(R,) the optimised metric of each rung, more is better; NaN where undefined."""
    errors: NDArray[np.float64]
    """(R, R) standard error of the gain of row over column; NaN where undefined."""
    critical: float
    """How many standard errors an interval reaches to each side."""
    correction: float
    """What the continuity correction adds to each side."""
    level: float

    def gain(self, i: int, j: int) -> Interval | None:
        """Rung i minus rung j, more is better; None where either score is undefined."""
        value, error = float(self.values[i] - self.values[j]), float(self.errors[i, j])
        if not (math.isfinite(value) and math.isfinite(error)):
            return None
        half = self.critical * error + self.correction
        return Interval(value, value - half, value + half, self.level)

    def is_better(self, i: int, j: int) -> bool:
        """Whether rung i is shown to be better than rung j: the interval of its gain lies above 0."""
        gain = self.gain(i, j)
        return gain is not None and gain.low > 0


def compare_all(judged: Sequence[Judged], n: int, is_counting: bool, level: float = 0.95) -> Comparisons:
    """Compare every rung with every other, example by example, corrected for having looked many times.

    The gain of each pair is measured in its standard errors; in each bootstrap draw the most extreme of all
    pairs is taken, and the intervals reach as far as `level` of those extremes do. This knows how alike the
    rungs are, where Bonferroni's correction does not, and so shows more.

    Args:
        judged: the rungs in ladder order, judged by the same `Resamples`.
        n: independent examples behind the scores (clusters, where examples belong together).
        is_counting: whether the metric counts right and wrong (`Metric.is_counting`). Few examples make such a
            gain jump in steps of 1 / n; half a step to each side of each count is added, as in McNemar's test.
        level: how often all intervals together shall hold the true gains.

    Raises:
        ValueError: there is no rung, or the rungs do not have the same number of draws.

    Source: Romano and Wolf, Stepwise Multiple Testing as Formalized Data Snooping, Econometrica 2005 (max-|t|);
    Edwards, Note on the Correction for Continuity, Psychometrika 1948. As in McNemar's test the variance is
    taken about no gain, not about the measured one: that adds gain^2 / n, and keeps two or three lucky examples
    from looking like proof.
    """
    if not judged or len({one.draws.shape for one in judged}) != 1:
        raise ValueError("Rungs are compared draw by draw: give at least one, all judged by the same draws.")
    values = np.array([one.value for one in judged])
    draws = np.stack([one.draws for one in judged])
    R, B = draws.shape
    errors = np.zeros((R, R))
    extremes = np.zeros(B)
    for i in range(R - 1):
        gains = draws[i] - draws[i + 1 :]
        is_defined = np.isfinite(gains)
        gains = np.where(is_defined, gains, 0.0)
        # A score that a draw leaves undefined says nothing there; where most do, the pair is not compared.
        defined = is_defined.sum(axis=1)
        centred = np.where(is_defined, gains - (gains.sum(axis=1) / np.maximum(defined, 1))[:, None], 0.0)
        spread = np.sqrt((centred**2).sum(axis=1) / np.maximum(defined, 1))
        # Rounding makes rungs that answer alike differ by 1e-17: that is no spread.
        is_spread = spread > 1e-12
        distances = np.abs(centred) / np.where(is_spread, spread, np.inf)[:, None]
        extremes = np.maximum(extremes, distances.max(axis=0))
        spread[defined * 2 < B] = np.nan
        errors[i, i + 1 :] = np.sqrt(spread**2 + (values[i] - values[i + 1 :]) ** 2 / n)
    # One standard error up, so that a short bootstrap errs on the side of caution.
    cautious_level = min(level + math.sqrt(level * (1 - level) / B), 1.0)
    # Never below one pair of normal gains: rungs that all answer alike have no extremes.
    critical = max(float(np.quantile(extremes, cautious_level, method="higher")), normal_quantile(level))
    return Comparisons(
        rungs=tuple(one.rung for one in judged),
        values=values,
        errors=errors + errors.T,
        critical=critical,
        correction=1 / n if is_counting else 0.0,
        level=level,
    )
