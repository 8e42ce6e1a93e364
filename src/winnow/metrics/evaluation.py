"""All that is measured of one set of predictions, as plain numbers that a report can keep for ever."""

from __future__ import annotations

from dataclasses import dataclass

from winnow.metrics.calibration import ReliabilityBin
from winnow.metrics.confusion import ConfusionTable
from winnow.metrics.curves import Curve, ThresholdRow
from winnow.metrics.intervals import Interval


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
