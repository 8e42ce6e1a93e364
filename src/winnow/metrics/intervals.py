"""How sure are we of a score: what an interval is, and the ways to make one."""

from __future__ import annotations

from dataclasses import dataclass


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
