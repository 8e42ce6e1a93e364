"""Support vector machines, linear and with a radial (RBF) kernel, with settings chosen by cross-validation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import numpy.typing as npt
from sklearn.svm import SVC

from winnow.graph.build import GraphPen
from winnow.tasks.heads.head import EachLesson, Lesson, Rows, Write
from winnow.tasks.heads.standardise import Standardiser
from winnow.tasks.heads.subsample import stratified_subsample, subsample_each
from winnow.tasks.rung import Settings

Kernel = Literal["linear", "rbf"]
Matrix = npt.NDArray[np.float64]

MOST_EXAMPLES = 8000
"""The kernel between all pairs of examples is held in memory: 8,000 make 512 MB. More are subsampled, stratified."""


SLOPE = 3.0
"""How steeply a pair's margin turns into a vote. Margins are 1 at the support vectors, where a pair is 95 % decided."""


class SupportVectorMachine:
    """scikit-learn's `SVC`: one machine for each pair of classes; a class's logit is the sum of its soft votes.

    A pair with margin m votes with log sigmoid(3 m): nearly LIBSVM's vote in its order, but it keeps how sure each
    pair is, which probabilities need and a vote throws away. The kernel of all pairs is computed once for a grid.

    Args:
        kernel: "linear" or "rbf".
        each: standardise every feature by itself (see `Standardiser.of`).

    Source: Cortes and Vapnik, Support-Vector Networks, 1995; one-against-one as in LIBSVM (Chang and Lin 2011);
    the soft vote follows Hastie and Tibshirani, Classification by Pairwise Coupling, 1998, section 2.
    """

    heeds_weights = True

    def __init__(self, kernel: Kernel, *, each: bool = True) -> None:
        self._kernel: Kernel = kernel
        self._each = each

    def grid(self, n_features: int) -> Sequence[Settings]:
        """Costs C, and for RBF the kernel's width as multiples of 1 / D (scikit-learn's `gamma="scale"`)."""
        if self._kernel == "linear":
            return [{"C": float(f"{c / n_features:.3g}")} for c in (0.3, 1.0, 3.0)]
        pairs = ((3.0, 0.3), (10.0, 0.3), (10.0, 1.0))
        return [{"C": c, "gamma": float(f"{width / n_features:.3g}")} for c, width in pairs]

    def learn(self, lesson: Lesson, grid: Sequence[Settings]) -> list[Write]:
        """One kernel matrix per width, one set of machines per entry of the grid."""
        kept = stratified_subsample(lesson.labels, MOST_EXAMPLES, lesson.seed)
        labels = lesson.labels[kept]
        standardiser = Standardiser.of(lesson.rows[kept], each=self._each)
        rows = standardiser.apply(lesson.rows[kept])
        products = (rows @ rows.T).astype(np.float64)
        learned: list[Write] = []
        for settings in grid:
            machine = SVC(
                kernel="precomputed",
                C=float(settings["C"]),
                cache_size=400,
                tol=1e-3,
                class_weight="balanced" if lesson.is_balanced else None,
            )
            weights = None if lesson.weights is None else lesson.weights[kept]
            machine.fit(self._kernel_of(products, settings), labels, sample_weight=weights)
            margins = _margins(machine, lesson.n_classes)
            vectors = rows[machine.support_]
            learned.append(self._writer(standardiser, vectors, margins, settings, _votes_of(lesson.n_classes)))
        return learned

    def learn_each(self, lesson: EachLesson, grid: Sequence[Settings]) -> list[Write]:
        """One kernel matrix per width; on it one machine a class, against the rest. A class's logit is its margin."""
        kept = subsample_each(lesson.labels, _most_each(lesson.n_classes), lesson.seed)
        standardiser = Standardiser.of(lesson.rows[kept], each=self._each)
        rows = standardiser.apply(lesson.rows[kept])
        products = (rows @ rows.T).astype(np.float64)
        weights = None if lesson.weights is None else lesson.weights[kept]
        learned: list[Write] = []
        for settings in grid:
            kernel = self._kernel_of(products, settings)
            coefficients, intercepts = np.zeros((len(kept), lesson.n_classes)), np.zeros(lesson.n_classes)
            for c, is_shown in enumerate(lesson.labels[kept].T):
                machine = SVC(kernel="precomputed", C=float(settings["C"]), cache_size=400, tol=1e-3)
                machine.fit(kernel, is_shown, sample_weight=weights)
                coefficients[machine.support_, c] = np.asarray(machine.dual_coef_)[0]
                intercepts[c] = machine.intercept_[0]
            supports = coefficients.any(axis=1)
            margins = _Margins(coefficients[supports], intercepts)
            learned.append(self._writer(standardiser, rows[supports], margins, settings, _write_steep))
        return learned

    def estimate_s(self, n: int, n_features: int, n_classes: int, n_grid: int) -> float:
        """The products of all pairs, then for each entry of the grid work that grows with N^2."""
        n = min(n, MOST_EXAMPLES)
        return 0.01 + 2.0 * n * n * n_features / 3e10 + n_grid * 5e-8 * n * n

    def estimate_each_s(self, n: int, n_features: int, n_classes: int, n_grid: int) -> float:
        """The same with a machine a class."""
        n = min(n, _most_each(n_classes))
        return 0.01 + 2.0 * n * n * n_features / 3e10 + n_classes * n_grid * 5e-8 * n * n

    def _writer(
        self, standardiser: Standardiser, vectors: Rows, margins: _Margins, settings: Settings, end: WriteMargins
    ) -> Write:
        if self._kernel == "linear":
            return _linear_writer(standardiser, vectors, margins, end)
        return _rbf_writer(standardiser, vectors, margins, float(settings["gamma"]), end)

    def _kernel_of(self, products: Matrix, settings: Settings) -> Matrix:
        if self._kernel == "linear":
            return products
        squares = np.diag(products)
        return np.exp(-float(settings["gamma"]) * np.maximum(squares[:, None] + squares[None] - 2 * products, 0))


@dataclass(frozen=True, slots=True)
class _Margins:
    """From kernel values (N, support vectors) to the margins of all pairs (N, P): a product and a sum."""

    coefficients: Matrix
    """(support vectors, P)"""
    intercepts: Matrix
    """(P,)"""


def _margins(machine: SVC, n_classes: int) -> _Margins:
    """The margins that LIBSVM votes with; positive: the pair (i, j), i < j, prefers i.

    For the support vectors of class i, `dual_coef_` holds one row per other class (scikit-learn, user guide,
    "SVMs: mathematical formulation").
    """
    starts = np.concatenate([[0], np.cumsum(machine.n_support_)])
    dual = np.asarray(machine.dual_coef_)
    pairs = list(combinations(range(n_classes), 2))
    coefficients = np.zeros((starts[-1], len(pairs)))
    for pair, (i, j) in enumerate(pairs):
        coefficients[starts[i] : starts[i + 1], pair] = dual[j - 1, starts[i] : starts[i + 1]]
        coefficients[starts[j] : starts[j + 1], pair] = dual[i, starts[j] : starts[j + 1]]
    # scikit-learn turns the sign of two-class machines so that a positive margin means class 1.
    sign = -1.0 if n_classes == 2 else 1.0
    return _Margins(sign * coefficients, sign * np.asarray(machine.intercept_))


WriteMargins = Callable[[GraphPen, str], str]
"""Writes what becomes of margins (N, P): gives the name of the logits (N, C)."""


def _most_each(n_classes: int) -> int:
    """So many examples that the machines of all classes together take as long as one of `MOST_EXAMPLES` for six."""
    return min(MOST_EXAMPLES, int(MOST_EXAMPLES * np.sqrt(6 / n_classes)))


def _write_steep(pen: GraphPen, margins: str) -> str:
    return pen.op("Mul", margins, pen.constant(SLOPE))


def _votes_of(n_classes: int) -> WriteMargins:
    return lambda pen, margins: _write_votes(pen, margins, n_classes)


def _write_votes(pen: GraphPen, margins: str, n_classes: int) -> str:
    """The logits (N, C) from the margins (N, P): log sigmoid(SLOPE * m) for i, log sigmoid(-SLOPE * m) for j."""
    pairs = list(combinations(range(n_classes), 2))
    for_first, for_second = np.zeros((2, len(pairs), n_classes), dtype=np.float32)
    for pair, (i, j) in enumerate(pairs):
        for_first[pair, i] = for_second[pair, j] = 1
    steep = pen.op("Mul", margins, pen.constant(SLOPE))
    # log sigmoid(z) = -softplus(-z) = z - softplus(z)
    against = pen.op("Neg", pen.op("Softplus", steep))
    first = pen.op("MatMul", pen.op("Add", steep, against), pen.constant(for_first))
    return pen.op("Add", first, pen.op("MatMul", against, pen.constant(for_second)))


def _linear_writer(standardiser: Standardiser, vectors: Rows, margins: _Margins, end: WriteMargins) -> Write:
    weights = vectors.T.astype(np.float64) @ margins.coefficients

    def write(pen: GraphPen, x: str) -> str:
        return end(pen, pen.linear(standardiser.write(pen, x), weights, margins.intercepts))

    return write


def _rbf_writer(standardiser: Standardiser, vectors: Rows, margins: _Margins, gamma: float, end: WriteMargins) -> Write:
    squares = (vectors.astype(np.float64) ** 2).sum(axis=1)
    # The coefficients of a pair add up to 0, so a number taken off all kernel values changes no margin. Taking off
    # a typical one leaves small numbers to add up: a tenth of the rounding error in float32, with 600 features.
    typical = float(np.float32(np.exp(-2 * gamma * squares.mean())))
    intercepts = margins.intercepts + typical * margins.coefficients.sum(axis=0)

    def write(pen: GraphPen, x: str) -> str:
        unit = standardiser.write(pen, x)
        own = pen.op("ReduceSumSquare", unit, pen.constant([1], np.int64), keepdims=1)
        # -gamma |x - v|^2 = 2 gamma x v - gamma |v|^2 - gamma |x|^2
        closeness = pen.linear(unit, 2 * gamma * vectors.T, -gamma * squares)
        kernel = pen.op("Exp", pen.op("Sub", closeness, pen.op("Mul", own, pen.constant(gamma))))
        above = pen.op("Sub", kernel, pen.constant(typical))
        return end(pen, pen.linear(above, margins.coefficients, intercepts))

    return write
