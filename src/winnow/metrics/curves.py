"""What each threshold would do: precision-recall and ROC curves, and the table behind a threshold slider."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve by threshold: at point k, all scores >= thresholds[k] are called positive.

    Precision-recall: x = recall, y = precision. ROC: x = false positive rate, y = true positive rate.
    Thresholds fall from point to point.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    thresholds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ThresholdRow:
    """What happens if the model keeps silent below a threshold."""

    threshold: float
    coverage: float
    """Share of pictures answered: the largest probability is at least the threshold."""
    accuracy: float | None
    """Share of the answered pictures that are answered right; None where nothing is answered."""
    precision: float | None
    """Over all (picture, class) pairs called at this threshold, the share that is true (micro precision)."""
    recall: float
    """Share of pictures whose true class is called at this threshold (micro recall)."""
