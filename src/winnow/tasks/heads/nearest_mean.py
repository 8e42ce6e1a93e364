"""Nearest class mean: works from one example a class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.preprocessing import normalize

from winnow.graph.build import GraphPen
from winnow.tasks.heads.head import Lesson, Write
from winnow.tasks.rung import Settings


class NearestMean:
    """Features of unit length, and the squared distance to each class's mean as (negative) logit.

    Source: scikit-learn's `NearestCentroid`; Mensink et al., Distance-Based Image Classification, PAMI 2013.
    """

    def grid(self, n_features: int) -> Sequence[Settings]:
        """Nothing to choose."""
        return [{}]

    def learn(self, lesson: Lesson, grid: Sequence[Settings]) -> list[Write]:
        """Average."""
        # Not scikit-learn's NearestCentroid itself, which refuses features that never change.
        unit_rows = normalize(lesson.rows.astype(np.float64))
        means = np.stack([unit_rows[lesson.labels == label].mean(axis=0) for label in range(lesson.n_classes)])

        def write(pen: GraphPen, x: str) -> str:
            # |x - m|^2 = 1 - 2 x m + |m|^2 for x of unit length; the constant 1 cancels in the softmax.
            length = pen.op("ReduceL2", x, pen.constant([1], np.int64), keepdims=1)
            unit = pen.op("Div", x, pen.op("Max", length, pen.constant(1e-12)))
            return pen.linear(unit, 2 * means.T, -(means**2).sum(axis=1))

        return [write for _ in grid]

    def estimate_s(self, n: int, n_features: int, n_classes: int, n_grid: int) -> float:
        """One pass over the features."""
        return 0.005 + 5e-9 * n * n_features
