"""Predictions seen through weights: what each score needs to know, for many draws at once.

A metric is a function of a `Weighted`. With weights of 1 it gives the score itself, with the rows of a
`Resamples` its bootstrap replicates, so that both are one definition. What several metrics share (the
counts by class, the ranking of every class) is computed once a chunk.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from winnow.metrics.sums import BinSums, Ranking


class AnyPredictions(Protocol):
    """Answers and truths of the same N examples: `Predictions` or `MultilabelPredictions`.

    Sums take weights (N, B), the draws of one example side by side, and give one column a draw.
    """

    @property
    def n(self) -> int:
        """Examples."""
        ...

    @property
    def n_classes(self) -> int:
        """Classes, those without an example included."""
        ...

    @property
    def counts(self) -> NDArray[np.int64]:
        """(C,) examples of each class."""
        ...

    @property
    def n_labelled(self) -> int:
        """Examples that a ratio pooled over classes rests on."""
        ...

    @property
    def reliability(self) -> BinSums:
        """How sure the answers were and how often right."""
        ...

    def lopsided(self, metric: str) -> tuple[NDArray[np.float64], float]:
        """(N,) the values behind a metric that is a lopsided mean, and the largest one possible."""
        ...

    def truth_sums(self, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """(C, B): examples of each class."""
        ...

    def call_sums(self, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """(C, B): examples for which each class was answered (called)."""
        ...

    def hit_sums(self, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """(C, B): examples of each class for which it was answered."""
        ...

    def loss_sums(self, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """(B,): the surprise at the truths."""
        ...

    def gap_sums(self, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """(bins, B): right answers minus the sum of confidence, by confidence bin; an example weighs 1 in all."""
        ...

    def ranking(self, c: int) -> Ranking | None:
        """How class c ranks the examples; None where no example is of it, or every one."""
        ...


P = TypeVar("P", bound=AnyPredictions)


@dataclass(frozen=True)
class Weighted(Generic[P]):
    """Predictions under B sets of weights; classes are rows, draws are columns."""

    predictions: P
    weights: NDArray[np.float64]
    """(B, N) how often each example counts."""

    @cached_property
    def columns(self) -> NDArray[np.float64]:
        """(N, B) the weights with the draws of one example side by side; no copy for those of `Resamples`."""
        return np.ascontiguousarray(self.weights.T, dtype=np.float64)

    @cached_property
    def totals(self) -> NDArray[np.float64]:
        """(B,) examples in each draw."""
        return self.columns.sum(axis=0)

    @cached_property
    def truths(self) -> NDArray[np.float64]:
        """(C, B) examples of each class."""
        return self.predictions.truth_sums(self.columns)

    @cached_property
    def called(self) -> NDArray[np.float64]:
        """(C, B) examples for which each class was answered (called)."""
        return self.predictions.call_sums(self.columns)

    @cached_property
    def hits(self) -> NDArray[np.float64]:
        """(C, B) examples of each class for which it was answered."""
        return self.predictions.hit_sums(self.columns)

    @cached_property
    def losses(self) -> NDArray[np.float64]:
        """(B,) mean over examples of the surprise at the truth."""
        return self.predictions.loss_sums(self.columns) / self.totals

    @cached_property
    def calibration_gaps(self) -> NDArray[np.float64]:
        """(bins, B) share of the answers in a confidence bin x (how often right - mean confidence) of the bin."""
        return self.predictions.gap_sums(self.columns) / self.totals

    @cached_property
    def recall(self) -> NDArray[np.float64]:
        """(C, B) share of a class that was found; NaN where a draw has none of it."""
        return _ratio(self.hits, self.truths)

    @cached_property
    def precision(self) -> NDArray[np.float64]:
        """(C, B) share of the answers of a class that are right; NaN where it is never answered."""
        return _ratio(self.hits, self.called)

    @cached_property
    def f1(self) -> NDArray[np.float64]:
        """(C, B) 2 x hits / (truths + called); NaN where a draw has none of the class."""
        f1 = _ratio(2 * self.hits, self.truths + self.called)
        f1[self.truths == 0] = np.nan
        return f1

    @cached_property
    def areas(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """AUROC (C, B) and average precision (C, B) of each class against all others; NaN if undefined."""
        auroc = np.full((self.predictions.n_classes, self.columns.shape[1]), np.nan)
        average_precision = auroc.copy()
        for c in range(self.predictions.n_classes):
            if (ranking := self.predictions.ranking(c)) is not None:
                auroc[c], average_precision[c] = ranking.areas(self.columns)
        return auroc, average_precision


def mean_over_classes(per_class: NDArray[np.float64]) -> NDArray[np.float64]:
    """(C, B) to (B,): the plain mean over the classes where the score is defined; NaN where none is."""
    is_defined = ~np.isnan(per_class)
    return _ratio(np.where(is_defined, per_class, 0.0).sum(axis=0), is_defined.sum(axis=0))


def _ratio(part: NDArray[np.float64], whole: NDArray[np.number]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(whole > 0, part / whole, np.nan)
