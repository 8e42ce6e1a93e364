"""Linear discriminant analysis with a shrunk covariance (Ledoit and Wolf)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from winnow.graph.build import GraphPen
from winnow.tasks.classify.heads.head import Lesson, Write
from winnow.tasks.classify.heads.standardise import Standardiser
from winnow.tasks.rung import Settings

Matrix = npt.NDArray[np.float64]


class ShrunkLda:
    """scikit-learn's `LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")` on standardised features.

    Source: Ledoit and Wolf, Honey, I Shrunk the Sample Covariance Matrix, 2004.
    """

    def grid(self, n_features: int) -> Sequence[Settings]:
        """Nothing to choose: the shrinkage has a closed form."""
        return [{"shrinkage": "Ledoit-Wolf"}]

    def learn(self, lesson: Lesson, grid: Sequence[Settings]) -> list[Write]:
        """One covariance for all classes, one mean each."""
        standardiser = Standardiser.of(lesson.rows)
        rows = standardiser.apply(lesson.rows).astype(np.float64)
        coef, intercept = _of_single_examples(rows, lesson) if len(rows) == lesson.n_classes else _fit(rows, lesson)

        def write(pen: GraphPen, x: str) -> str:
            return pen.linear(standardiser.write(pen, x), coef.T, intercept)

        return [write for _ in grid]

    def estimate_s(self, n: int, n_features: int, n_classes: int, n_grid: int) -> float:
        """A covariance (D, D) and one least-squares problem of that size."""
        return 0.01 + 4.0 * n * n_features**2 / 2e10 + 2e-10 * 4 * n_features**3


def _fit(rows: Matrix, lesson: Lesson) -> tuple[Matrix, Matrix]:
    """Weights (C, D) and biases (C,) of the logits."""
    priors = np.full(lesson.n_classes, 1 / lesson.n_classes) if lesson.is_balanced else None
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=priors)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # constant features make the least-squares problem rank-deficient
        model.fit(rows, lesson.labels)
    coef, intercept = np.array(model.coef_), np.array(model.intercept_)
    if len(coef) == 1:
        coef, intercept = np.vstack([0 * coef, coef]), np.concatenate([0 * intercept, intercept])
    return coef, intercept


def _of_single_examples(rows: Matrix, lesson: Lesson) -> tuple[Matrix, Matrix]:
    """As `_fit`, from one example a class, which says nothing of how a class varies: every direction counts alike."""
    means = rows[np.argsort(lesson.labels)]
    return means, -0.5 * (means**2).sum(axis=1)
