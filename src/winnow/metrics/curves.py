"""What each threshold would do: precision-recall and ROC curves, and the table behind a threshold slider."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from winnow.metrics.predictions import Predictions

MOST_POINTS = 200
MICRO = "micro"


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve by threshold: at point k, all scores >= thresholds[k] are called positive.

    Precision-recall: x = recall, y = precision. ROC: x = false positive rate, y = true positive rate.
    Thresholds fall from point to point; the first calls nothing.
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
    """Share of the answered pictures that are answered right; None where nothing is answered, and where a picture
    may have several classes."""
    precision: float | None
    """Over all (picture, class) pairs called at this threshold, the share that is true (micro precision)."""
    recall: float
    """Share of all true (picture, class) pairs that are called at this threshold (micro recall)."""


def pr_curve(
    scores: NDArray[np.floating], is_positive: NDArray[np.bool_], *, most_points: int = MOST_POINTS
) -> Curve | None:
    """Precision and recall at every threshold, thinned to the points that make its shape.

    Args:
        scores: (N,) higher is more likely positive.
        is_positive: (N,) the truth.
        most_points: the most points to keep.

    Returns:
        From recall 0 (precision 1 by convention, as in scikit-learn) to recall 1; None without a positive.
    """
    if not is_positive.any():
        return None
    thresholds, true, called = _steps(scores, is_positive)
    return _thinned(true / true[-1], np.r_[1.0, true[1:] / called[1:]], thresholds, most_points)


def roc_curve(
    scores: NDArray[np.floating], is_positive: NDArray[np.bool_], *, most_points: int = MOST_POINTS
) -> Curve | None:
    """False and true positive rate at every threshold, thinned to the points that make its shape.

    Args:
        scores: (N,) higher is more likely positive.
        is_positive: (N,) the truth.
        most_points: the most points to keep.

    Returns:
        From (0, 0) to (1, 1); None unless there are positives and negatives.
    """
    if not is_positive.any() or is_positive.all():
        return None
    thresholds, true, called = _steps(scores, is_positive)
    false = called - true
    return _thinned(false / false[-1], true / true[-1], thresholds, most_points)


def curves_by_class(
    curve: Callable[[NDArray[np.floating], NDArray[np.bool_]], Curve | None],
    probs: NDArray[np.floating],
    is_true: NDArray[np.bool_],
    classes: Sequence[str],
) -> dict[str, Curve]:
    """A curve for each class against all others, and one for all (picture, class) pairs together.

    Args:
        curve: `pr_curve` or `roc_curve`.
        probs: (N, C) class probabilities.
        is_true: (N, C) whether the picture is of the class, or shows it.
        classes: the C class names, by id.

    Returns:
        By class name, without those for which it is undefined; the pooled curve is called "micro", and a
        class of that very name "micro (class)".
    """
    named = {
        f"{name} (class)" if name == MICRO else name: curve(probs[:, c], is_true[:, c])
        for c, name in enumerate(classes)
    }
    named[MICRO] = curve(probs.ravel(), is_true.ravel())
    return {name: drawn for name, drawn in named.items() if drawn is not None}


def threshold_table(
    probs: NDArray[np.floating], labels: NDArray[np.integer], *, steps: int = 100
) -> tuple[ThresholdRow, ...]:
    """What happens at thresholds 0, 1/steps, ... 1: how much is answered, and how much of it is right.

    Args:
        probs: (N, C) class probabilities; each row sums to 1.
        labels: (N,) class ids in 0..C-1.
        steps: rows minus one.

    Raises:
        UserError: the two do not fit together (see `Predictions`).
    """
    predictions = Predictions(probs, labels)
    thresholds = np.arange(steps + 1) / steps
    n = predictions.n
    answered = _at_least(predictions.confidence, thresholds)
    right = _at_least(predictions.confidence[predictions.is_right], thresholds)
    called = _at_least(predictions.probs.ravel(), thresholds)
    true = _at_least(predictions.probs[np.arange(n), predictions.labels], thresholds)
    return tuple(
        ThresholdRow(
            threshold=float(thresholds[k]),
            coverage=float(answered[k] / n),
            accuracy=float(right[k] / answered[k]) if answered[k] else None,
            precision=float(true[k] / called[k]) if called[k] else None,
            recall=float(true[k] / n),
        )
        for k in range(steps + 1)
    )


def multilabel_threshold_table(
    probs: NDArray[np.floating], labels: NDArray[np.bool_], *, steps: int = 100
) -> tuple[ThresholdRow, ...]:
    """What one threshold for all classes would do, from 0 to 1: how many pictures get an answer, and how good.

    Args:
        probs: (N, C) probabilities.
        labels: (N, C) what each picture shows.
        steps: rows minus one.
    """
    thresholds = np.arange(steps + 1) / steps
    answered = _at_least(probs.max(axis=1), thresholds)
    called, true = _at_least(probs.ravel(), thresholds), _at_least(probs[labels], thresholds)
    n_true = int(labels.sum())
    return tuple(
        ThresholdRow(
            threshold=float(thresholds[k]),
            coverage=float(answered[k] / len(probs)),
            accuracy=None,
            precision=float(true[k] / called[k]) if called[k] else None,
            recall=float(true[k] / n_true) if n_true else 0.0,
        )
        for k in range(steps + 1)
    )


def _at_least(scores: NDArray[np.floating], thresholds: NDArray[np.float64]) -> NDArray[np.int64]:
    """(T,) how many scores reach each threshold."""
    return len(scores) - np.searchsorted(np.sort(scores), thresholds, side="left")


def _steps(
    scores: NDArray[np.floating], is_positive: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Distinct thresholds, falling, with the true positives and the calls at each; the first calls nothing."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order].astype(np.float64)
    last_of_tie = np.r_[np.flatnonzero(np.diff(ranked)), len(ranked) - 1]
    true = np.cumsum(is_positive[order])[last_of_tie]
    # JSON has no infinity: just above every score calls nothing as well.
    above = np.nextafter(max(1.0, ranked[0]), np.inf)
    return np.r_[above, ranked[last_of_tie]], np.r_[0, true], np.r_[0, last_of_tie + 1]


def _thinned(
    x: NDArray[np.float64], y: NDArray[np.float64], thresholds: NDArray[np.float64], most_points: int
) -> Curve:
    """Keep the points that matter most to the shape, ends included.

    Source: Douglas and Peucker, Algorithms for the Reduction of the Number of Points, 1973, but the farthest
    point of the whole curve is added first, so that any number of points may be asked for.
    """
    kept = [0, len(x) - 1]
    waiting: list[tuple[float, int, int, int]] = []

    def look(start: int, end: int) -> None:
        if end - start < 2:
            return
        dx, dy = x[end] - x[start], y[end] - y[start]
        inner_x, inner_y = x[start + 1 : end] - x[start], y[start + 1 : end] - y[start]
        length = float(np.hypot(dx, dy))
        off = np.abs(dx * inner_y - dy * inner_x) / length if length else np.hypot(inner_x, inner_y)
        farthest = int(off.argmax())
        if off[farthest] > 1e-12:
            heapq.heappush(waiting, (-float(off[farthest]), start, start + 1 + farthest, end))

    look(0, len(x) - 1)
    while waiting and len(kept) < most_points:
        _, start, middle, end = heapq.heappop(waiting)
        kept.append(middle)
        look(start, middle)
        look(middle, end)
    chosen = np.unique(kept)
    return Curve(tuple(x[chosen].tolist()), tuple(y[chosen].tolist()), tuple(thresholds[chosen].tolist()))
