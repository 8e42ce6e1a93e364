"""From a metric's values to places on a line: further right is always better.

Where the rungs lie far apart (10 % for a guess, 98 % and 99 % for two good methods) an even scale would squeeze
the ones that matter into one dot. Then the scale stretches towards perfection: every halving of the mistakes
takes the same room.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from winnow.metrics.intervals import Interval

_STRETCH_FROM = 6.0
"""Stretch when the worst rung makes this many times the mistakes of the best one."""
_PADDING = 0.04


@dataclass(frozen=True, slots=True)
class Scale:
    """A line from `worst` (left) to `best` (right), in the metric's own unit."""

    worst: float
    best: float
    is_stretched: bool
    perfect: float
    """The value no model can pass: 1 for shares, 0 for losses."""

    def place(self, value: float) -> float:
        """Where a value lies, from 0 (left end) to 1 (right end); values outside are drawn at the ends."""
        left, right = self._bent(self.worst), self._bent(self.best)
        share = (self._bent(value) - left) / (right - left)
        return min(1.0, max(0.0, share))

    def ticks(self, at_most: int = 7) -> list[float]:
        """Round values to write under the line, worst first, not crowding each other."""
        chosen: list[float] = []
        for value in self._stretched_ticks() if self.is_stretched else self._even_ticks(at_most):
            if all(abs(self.place(value) - self.place(other)) >= 0.9 / at_most for other in chosen):
                chosen.append(value)
        return sorted(chosen, key=self.place)

    def _bent(self, value: float) -> float:
        if not self.is_stretched:
            return value if self.best > self.worst else -value
        smallest = abs(self.perfect - self.best)
        return -math.log(max(abs(self.perfect - value), smallest))

    def _stretched_ticks(self) -> list[float]:
        sign = -1 if self.perfect == 1 else 1
        lengths = [m * 10.0**power for m in (1, 5, 2, 3, 8, 1.5) for power in (1, 0, -1, -2, -3, -4)]
        return [v for v in (self.perfect + sign * length for length in lengths) if self._is_inside(v)]

    def _even_ticks(self, at_most: int) -> list[float]:
        low, high = sorted((self.worst, self.best))
        step = _round_step((high - low) / at_most)
        first = math.ceil(low / step - 1e-9)
        return [n * step for n in range(first, math.floor(high / step + 1e-9) + 1)]

    def _is_inside(self, value: float) -> bool:
        low, high = sorted((self.worst, self.best))
        return low <= value <= high


def scale_for(intervals: Sequence[Interval], *, higher_is_better: bool, unit_range: bool = True) -> Scale:
    """The scale on which all these intervals are seen.

    Args:
        intervals: of every rung that has a score; not empty.
        higher_is_better: whether 1 (else 0) is perfect.
        unit_range: the metric lies in [0, 1].
    """
    perfect = 1.0 if higher_is_better else 0.0
    ends = [v for i in intervals for v in (i.low, i.high, i.value) if math.isfinite(v)] or [0.0, 1.0]
    distances = sorted(abs(perfect - v) for v in ends)
    far, near = distances[-1], distances[0]
    values = [abs(perfect - i.value) for i in intervals if math.isfinite(i.value)] or [1.0]
    # An interval that touches perfection has no place on a stretched line: draw it at half the least distance.
    least_seen = max(near, 0.5 * min((d for d in distances if d > 0), default=1.0))
    is_stretched = max(values) > _STRETCH_FROM * max(min(values), least_seen)
    if is_stretched:
        room = (far / least_seen) ** _PADDING
        far, near = far * room, least_seen / room
    else:
        room = _PADDING * max(far - near, 1e-3)
        far, near = far + room, max(0.0, near - room)
    if unit_range:
        far = min(far, 1.0)
    sign = -1 if higher_is_better else 1
    return Scale(perfect + sign * far, perfect + sign * near, is_stretched, perfect)


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * (1 - 1e-9))
