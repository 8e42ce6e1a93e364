"""Linear discriminant analysis with a shrunk covariance (Ledoit and Wolf)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy.linalg
from sklearn.covariance import ledoit_wolf_shrinkage as sklearn_shrinkage

from winnow.graph.build import GraphPen
from winnow.tasks.heads.head import EachLesson, Labels, Lesson, Write
from winnow.tasks.heads.standardise import Standardiser
from winnow.tasks.rung import Settings

Matrix = npt.NDArray[np.float64]


class ShrunkLda:
    """One mean a class and one covariance for all, shrunk; on standardised features.

    What scikit-learn's `LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")` computes, to rounding, several
    times faster: a class has fewer examples than features, so its shrinkage comes from products of examples; all
    classes' covariances come from one product; and a shrunk covariance has a Cholesky factor. It is the head that is
    refitted while a user labels.

    Source: Ledoit and Wolf, Honey, I Shrunk the Sample Covariance Matrix, 2004.
    """

    heeds_weights = False

    def grid(self, n_features: int) -> Sequence[Settings]:
        """Nothing to choose: the shrinkage has a closed form."""
        return [{"shrinkage": "Ledoit-Wolf"}]

    def learn(self, lesson: Lesson, grid: Sequence[Settings]) -> list[Write]:
        """Means, the covariance within classes, and the hyperplanes they make."""
        standardiser = Standardiser.of(lesson.rows)
        rows = standardiser.apply(lesson.rows).astype(np.float64)
        counts = np.bincount(lesson.labels, minlength=lesson.n_classes)
        priors = np.full(lesson.n_classes, 1 / lesson.n_classes) if lesson.is_balanced else counts / counts.sum()
        means = np.stack([rows[lesson.labels == label].mean(axis=0) for label in range(lesson.n_classes)])
        covariance = _shrunk_covariance(rows, lesson.labels, means, priors)
        if not covariance.any():  # one example a class: nothing is known of how it varies, every direction counts alike
            covariance = np.eye(len(covariance))
        weights = _solve(covariance, means.T)
        intercepts = -0.5 * (means * weights.T).sum(axis=1) + np.log(priors)

        def write(pen: GraphPen, x: str) -> str:
            return pen.linear(standardiser.write(pen, x), weights, intercepts)

        return [write for _ in grid]

    def learn_each(self, lesson: EachLesson, grid: Sequence[Settings]) -> list[Write]:
        """A hyperplane a class from one covariance of all examples.

        The covariance within a class and its rest is that of all, S, less the step q d d^T between their means, where
        d is the step and q = p (1 - p). So its inverse times d is S^-1 d / (1 - q d^T S^-1 d): one factor of S
        serves every class.

        Source: Sherman and Morrison 1950; shrunk as scikit-learn's LDA with one `ShrunkCovariance` for all.
        """
        standardiser = Standardiser.of(lesson.rows)
        rows = standardiser.apply(lesson.rows).astype(np.float64)
        rows -= rows.mean(axis=0)
        covariance, shrinkage = _shrunk_total(rows)
        shown = lesson.labels.astype(np.float64)
        rates = shown.mean(axis=0)
        near = (shown.T @ rows) / shown.sum(axis=0)[:, None]
        far = -near * (rates / (1 - rates))[:, None]  # all rows have mean 0
        step = near - far
        solved = _solve(covariance, step.T)  # (D, C)
        explained = (1 - shrinkage) * rates * (1 - rates) * (step.T * solved).sum(axis=0)
        weights = solved / np.maximum(1 - explained, 1e-6)
        intercepts = -0.5 * ((near + far).T * weights).sum(axis=0) + np.log(rates / (1 - rates))

        def write(pen: GraphPen, x: str) -> str:
            return pen.linear(standardiser.write(pen, x), weights, intercepts)

        return [write for _ in grid]

    def estimate_s(self, n: int, n_features: int, n_classes: int, n_grid: int) -> float:
        """Covariances (D, D) of all classes, and one Cholesky factor of that size."""
        return 0.01 + (2.0 * n * n_features**2 + n_features**3 / 3 + 2.0 * n * n * n_features / n_classes) / 1.5e10

    def estimate_each_s(self, n: int, n_features: int, n_classes: int, n_grid: int) -> float:
        """One covariance (D, D), its shrinkage and its factor."""
        return 0.01 + (6.0 * n * n_features**2 + n_features**3 / 3 + 2.0 * n_features**2 * n_classes) / 1.5e10


def _shrunk_total(rows: Matrix) -> tuple[Matrix, float]:
    """(D, D) the covariance of centred rows, shrunk towards the identity times its mean variance; and how far."""
    covariance = rows.T @ rows / len(rows)
    if not covariance.any():  # pictures that are all alike: every direction counts the same
        return np.eye(len(covariance)), 1.0
    shrinkage = float(sklearn_shrinkage(rows, assume_centered=True))
    shrunk = (1 - shrinkage) * covariance
    shrunk[np.diag_indices_from(shrunk)] += shrinkage * np.trace(covariance) / len(covariance)
    return shrunk, shrinkage


def _shrunk_covariance(rows: Matrix, labels: Labels, means: Matrix, priors: Matrix) -> Matrix:
    """(D, D) the mean of the classes' covariances, each shrunk towards the variances of its features.

    Every class is brought to variance 1, shrunk towards the identity times its mean variance, and brought back; what
    is added to the diagonal keeps each feature's own scale.
    """
    weights = np.empty(len(rows))
    diagonal = np.zeros(rows.shape[1])
    for label, prior in enumerate(priors.tolist()):
        members = labels == label
        centred = rows[members] - means[label]
        scale = centred.std(axis=0)
        scale[scale < 10 * np.finfo(np.float64).eps] = 1.0
        shrinkage, mean_variance = ledoit_wolf_shrinkage(centred / scale)
        weights[members] = prior * (1 - shrinkage) / members.sum()
        diagonal += prior * shrinkage * mean_variance * scale**2
    weighted = (rows - means[labels]) * np.sqrt(weights)[:, None]
    covariance = weighted.T @ weighted
    covariance[np.diag_indices_from(covariance)] += diagonal
    return covariance


def ledoit_wolf_shrinkage(rows: Matrix) -> tuple[float, float]:
    """How far to shrink the covariance of centred rows (n, D), in [0, 1], and the features' mean variance.

    Source: Ledoit and Wolf 2004, lemma 3.2 to 3.4; scikit-learn's function of this name forms (D, D) products, this
    one the (n, n) products that have the same sums.
    """
    n, d = rows.shape
    lengths = (rows**2).sum(axis=1)
    mean_variance = lengths.sum() / (n * d)
    squares = ((rows @ rows.T) ** 2).sum() / n**2
    beta = ((lengths**2).sum() / n - squares) / (d * n)
    delta = squares / d - mean_variance**2
    return (0.0 if beta <= 0 else float(min(beta, delta) / delta)), float(mean_variance)


def _solve(covariance: Matrix, targets: Matrix) -> Matrix:
    try:
        return scipy.linalg.solve(covariance, targets, assume_a="pos")
    except scipy.linalg.LinAlgError:  # features that never change: any solution will do, take the shortest
        return np.linalg.lstsq(covariance, targets)[0].astype(np.float64)
