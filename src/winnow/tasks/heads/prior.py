"""Always the same answer: the classes' frequencies as probabilities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from winnow.graph.build import GraphPen
from winnow.tasks.heads.head import EachLesson, Lesson, Write
from winnow.tasks.rung import Settings


class Prior:
    """The baseline that looks at no picture (scikit-learn's `DummyClassifier(strategy="prior")`)."""

    heeds_weights = True

    def grid(self, n_features: int) -> Sequence[Settings]:
        """Nothing to choose."""
        return [{}]

    def learn(self, lesson: Lesson, grid: Sequence[Settings]) -> list[Write]:
        """Count."""
        counts = np.bincount(lesson.labels, weights=lesson.weights, minlength=lesson.n_classes)
        log_prior = np.log(counts / counts.sum()).astype(np.float32)
        zeros = np.zeros((lesson.rows.shape[1], lesson.n_classes), dtype=np.float32)

        def write(pen: GraphPen, x: str) -> str:
            return pen.linear(x, zeros, log_prior)

        return [write for _ in grid]

    def learn_each(self, lesson: EachLesson, grid: Sequence[Settings]) -> list[Write]:
        """Count each class."""
        rates = lesson.rates
        log_odds = np.log(rates / (1 - rates))
        zeros = np.zeros((lesson.rows.shape[1], lesson.n_classes), dtype=np.float32)
        return [lambda pen, x: pen.linear(x, zeros, log_odds) for _ in grid]

    def estimate_s(self, n: int, n_features: int, n_classes: int, n_grid: int) -> float:
        """Next to nothing."""
        return 0.002

    estimate_each_s = estimate_s
