"""Does 80 % sure mean right 80 % of the time? Reliability, calibration error and temperature."""

from __future__ import annotations

from dataclasses import dataclass

from winnow.metrics.intervals import Interval


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
