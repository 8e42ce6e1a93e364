"""Logistic regression, multinomial or each class against the rest, with an L2 penalty chosen by cross-validation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression as SklearnLogisticRegression

from winnow.graph.build import GraphPen
from winnow.tasks.heads.head import EachLesson, Lesson, Write
from winnow.tasks.heads.standardise import Standardiser
from winnow.tasks.rung import Settings

# Inverse penalties a standardised feature; divided by D below so that one grid suits 64 and 2,048 features.
_GRID = (0.5, 2.5, 12.5, 62.5)
_LARGE = 2_000_000
_LARGE_TOLERANCE, _TOLERANCE = 1e-3, 1e-4
"""Of the gradient; scikit-learn's own, but ten times that for problems of more than 2 million (examples x features x
classes): log loss on held-out pictures within 0.001 of the optimum's at the penalty that wins, in less than half the
time (clouds and caltech101-mini, frozen features)."""


class LogisticRegression:
    """scikit-learn's `LogisticRegression` (L-BFGS) on standardised features.

    Args:
        each: standardise every feature by itself (see `Standardiser.of`).
    """

    heeds_weights = True

    def __init__(self, *, each: bool = True) -> None:
        self._each = each

    def grid(self, n_features: int) -> Sequence[Settings]:
        """Inverse penalties C, strongest penalty first."""
        return [{"C": float(f"{value / n_features:.3g}")} for value in _GRID]

    def learn(self, lesson: Lesson, grid: Sequence[Settings]) -> list[Write]:
        """From the strongest penalty to the weakest, each starting where the last one ended."""
        standardiser = Standardiser.of(lesson.rows, each=self._each)
        rows = standardiser.apply(lesson.rows)
        model = SklearnLogisticRegression(
            max_iter=150,
            tol=_LARGE_TOLERANCE if rows.size * lesson.n_classes > _LARGE else _TOLERANCE,
            warm_start=True,
            class_weight="balanced" if lesson.is_balanced else None,
        )
        learned: list[Write] = []
        for settings in grid:
            model.set_params(C=settings["C"])
            model.fit(rows, lesson.labels, sample_weight=lesson.weights)
            learned.append(_writer(standardiser, np.array(model.coef_), np.array(model.intercept_)))
        return learned

    def learn_each(self, lesson: EachLesson, grid: Sequence[Settings]) -> list[Write]:
        """Class by class, for each from the strongest penalty to the weakest."""
        standardiser = Standardiser.of(lesson.rows, each=self._each)
        rows = standardiser.apply(lesson.rows)
        coef = np.empty((len(grid), lesson.n_classes, rows.shape[1]))
        intercept = np.empty((len(grid), lesson.n_classes))
        for c, is_shown in enumerate(lesson.labels.T):
            model = SklearnLogisticRegression(
                max_iter=150, tol=_LARGE_TOLERANCE if 2 * rows.size > _LARGE else _TOLERANCE, warm_start=True
            )
            for entry, settings in enumerate(grid):
                model.set_params(C=settings["C"])
                model.fit(rows, is_shown, sample_weight=lesson.weights)
                coef[entry, c], intercept[entry, c] = np.ravel(model.coef_), np.ravel(model.intercept_)[0]
        return [_linear_writer(standardiser, *learned) for learned in zip(coef, intercept, strict=True)]

    def estimate_s(self, n: int, n_features: int, n_classes: int, n_grid: int) -> float:
        """Two products of (N, D) and (D, C) a step, some 60 steps a penalty."""
        return 0.01 + n_grid * 60 * (4.0 * n * n_features * n_classes / 3e10 + 2e-4)

    def estimate_each_s(self, n: int, n_features: int, n_classes: int, n_grid: int) -> float:
        """The same for one class after the other."""
        return 0.01 + n_classes * n_grid * 40 * (4.0 * n * n_features / 1e10 + 2e-4)


def _writer(standardiser: Standardiser, coef: np.ndarray, intercept: np.ndarray) -> Write:
    if len(coef) == 1:  # two classes: one row that tells class 1 from class 0
        coef, intercept = np.vstack([0 * coef, coef]), np.concatenate([0 * intercept, intercept])
    return _linear_writer(standardiser, coef, intercept)


def _linear_writer(standardiser: Standardiser, coef: np.ndarray, intercept: np.ndarray) -> Write:
    def write(pen: GraphPen, x: str) -> str:
        return pen.linear(standardiser.write(pen, x), coef.T, intercept)

    return write
