"""Nearest class mean: works from one example a class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.preprocessing import normalize

from winnow.graph.build import GraphPen
from winnow.tasks.heads.head import EachLesson, Lesson, Rows, Weights, Write
from winnow.tasks.rung import Settings


class NearestMean:
    """Features of unit length, and the squared distance to each class's mean as (negative) logit.

    Source: scikit-learn's `NearestCentroid`; Mensink et al., Distance-Based Image Classification, PAMI 2013.
    """

    heeds_weights = True

    def grid(self, n_features: int) -> Sequence[Settings]:
        """Nothing to choose."""
        return [{}]

    def learn(self, lesson: Lesson, grid: Sequence[Settings]) -> list[Write]:
        """Average."""
        unit_rows = _unit(lesson.rows)
        means = np.stack(
            [_mean(unit_rows, lesson.labels == label, lesson.weights) for label in range(lesson.n_classes)]
        )

        def write(pen: GraphPen, x: str) -> str:
            # |x - m|^2 = 1 - 2 x m + |m|^2 for x of unit length; the constant 1 cancels in the softmax.
            return pen.linear(_write_unit(pen, x), 2 * means.T, -(means**2).sum(axis=1))

        return [write for _ in grid]

    def learn_each(self, lesson: EachLesson, grid: Sequence[Settings]) -> list[Write]:
        """Average the pictures that show a class, and those that do not."""
        unit_rows = _unit(lesson.rows)
        near = np.stack([_mean(unit_rows, shown == 1, lesson.weights) for shown in lesson.labels.T])
        far = np.stack([_mean(unit_rows, shown == 0, lesson.weights) for shown in lesson.labels.T])

        def write(pen: GraphPen, x: str) -> str:
            return pen.linear(_write_unit(pen, x), 2 * (near - far).T, (far**2).sum(axis=1) - (near**2).sum(axis=1))

        return [write for _ in grid]

    def estimate_s(self, n: int, n_features: int, n_classes: int, n_grid: int) -> float:
        """One pass over the features."""
        return 0.005 + 5e-9 * n * n_features

    def estimate_each_s(self, n: int, n_features: int, n_classes: int, n_grid: int) -> float:
        """A pass over the features for each class."""
        return 0.005 + 1e-8 * n * n_features * n_classes


# Not scikit-learn's NearestCentroid itself, which refuses features that never change.
def _unit(rows: Rows) -> npt.NDArray[np.float64]:
    return np.asarray(normalize(rows.astype(np.float64)))


def _mean(rows: npt.NDArray[np.float64], places: npt.NDArray[np.bool_], weights: Weights | None) -> np.ndarray:
    if weights is None:
        return rows[places].mean(axis=0)
    return np.average(rows[places], axis=0, weights=weights[places])


def _write_unit(pen: GraphPen, x: str) -> str:
    length = pen.op("ReduceL2", x, pen.constant([1], np.int64), keepdims=1)
    return pen.op("Div", x, pen.op("Max", length, pen.constant(1e-12)))
