"""Predictions seen through weights: what each score needs to know, for many draws at once.

A metric is a function of a `Weighted`. With weights of 1 it gives the score itself, with the rows of a
`Resamples` its bootstrap replicates, so that both are one definition. What several metrics share (the
confusion counts, the ranking of every class) is computed once a chunk.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from winnow.errors import UserError

CALIBRATION_BINS = 15
_TINY = np.finfo(np.float64).tiny


class Predictions:
    """Probabilities and true labels of the same examples, sorted and binned once.

    Args:
        probs: (N, C) class probabilities; each row sums to 1.
        labels: (N,) true class ids in 0..C-1.

    Raises:
        UserError: the shapes do not fit, there is no example, a label is not in 0..C-1, or the probabilities
            are not finite or do not sum to 1 (were logits passed? apply softmax first).
    """

    def __init__(self, probs: NDArray[np.floating], labels: NDArray[np.integer]) -> None:
        labels = np.asarray(labels)
        probs = np.asarray(probs)
        _check(probs, labels)
        # As scikit-learn's log_loss does: what float32 cannot tell from 0 counts as float32's smallest step.
        self.smallest_prob = float(np.finfo(probs.dtype).eps) if probs.dtype.kind == "f" else 2.0**-52
        self.probs: NDArray[np.float64] = probs.astype(np.float64, copy=False)
        self.labels: NDArray[np.int64] = labels.astype(np.int64, copy=False)

    @property
    def n(self) -> int:
        """Examples."""
        return self.probs.shape[0]

    @property
    def n_classes(self) -> int:
        """Classes, those without an example included."""
        return self.probs.shape[1]

    @cached_property
    def answers(self) -> NDArray[np.int64]:
        """(N,) the most probable class; the first of equals."""
        return self.probs.argmax(axis=1)

    @cached_property
    def confidence(self) -> NDArray[np.float64]:
        """(N,) probability of the answer."""
        return self.probs.max(axis=1)

    @cached_property
    def is_right(self) -> NDArray[np.bool_]:
        """(N,) whether the answer is the label."""
        return self.answers == self.labels

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """(C,) examples of each class."""
        return np.bincount(self.labels, minlength=self.n_classes)

    @cached_property
    def losses(self) -> NDArray[np.float64]:
        """(N,) -log of the probability given to the true class, clipped as scikit-learn clips it."""
        given = self.probs[np.arange(self.n), self.labels]
        return -np.log(np.clip(given, self.smallest_prob, 1 - self.smallest_prob))

    @cached_property
    def bins(self) -> NDArray[np.int64]:
        """(N,) the confidence bin of each example."""
        return confidence_bins(self.confidence, CALIBRATION_BINS)

    @cached_property
    def by_label(self) -> Grouping:
        """Examples grouped by true class."""
        return Grouping(self.labels, self.n_classes)

    @cached_property
    def by_answer(self) -> Grouping:
        """Examples grouped by answer."""
        return Grouping(self.answers, self.n_classes)

    @cached_property
    def by_hit(self) -> Grouping:
        """Examples that are answered right, grouped by class."""
        return Grouping(np.where(self.is_right, self.labels, -1), self.n_classes)

    @cached_property
    def by_bin(self) -> Grouping:
        """Examples grouped by confidence bin."""
        return Grouping(self.bins, CALIBRATION_BINS)

    @cached_property
    def rankings(self) -> tuple[Ranking | None, ...]:
        """How each class ranks the examples; None where a class has no example, or no other class has one."""
        return tuple(
            Ranking(self.probs[:, c], self.labels == c) if 0 < self.counts[c] < self.n else None
            for c in range(self.n_classes)
        )


class Grouping:
    """Sums the weights of examples that share an id, for many draws at once.

    Args:
        ids: (N,) group ids in 0..groups-1; negative ids belong to no group.
        groups: how many there are, empty ones included.
    """

    def __init__(self, ids: NDArray[np.int64], groups: int) -> None:
        kept = np.flatnonzero(ids >= 0)
        self._order = kept[np.argsort(ids[kept], kind="stable")]
        self._present, self._starts = np.unique(ids[self._order], return_index=True)
        self._groups = groups

    def sums(self, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, B) values of examples to (groups, B) sums."""
        out = np.zeros((self._groups, columns.shape[1]))
        if len(self._order):
            out[self._present] = np.add.reduceat(columns[self._order], self._starts, axis=0)
        return out


class Ranking:
    """One class's scores sorted, ready to give AUROC and average precision under any weights.

    Only the examples of the class make a step in either score. So the others need no running sum each: they
    are summed in the runs between those steps, which is what makes thousands of draws cheap.

    Args:
        scores: (N,) the probability of the class.
        is_positive: (N,) whether the example is of the class; both kinds occur.
    """

    def __init__(self, scores: NDArray[np.float64], is_positive: NDArray[np.bool_]) -> None:
        order = np.argsort(-scores, kind="stable")
        ranked, positive = scores[order], is_positive[order]
        tie = np.cumsum(np.r_[0, ranked[1:] != ranked[:-1]])
        has_positive = np.bincount(tie, weights=positive) > 0
        step_of_tie = np.cumsum(has_positive) - 1
        # Run k: all examples after step k-1, to the last of those tied with step k. What comes after the last
        # step is below every positive and enters through the totals alone.
        last = np.flatnonzero(has_positive[tie])[-1]
        run = np.where(has_positive[tie], step_of_tie[tie], step_of_tie[tie] + 1)[: last + 1]
        self._run_order = order[: last + 1]
        self._run_starts = np.unique(run, return_index=True)[1]
        step = step_of_tie[tie]
        self._positive_order = order[positive]
        self._positive_starts = np.unique(step[positive], return_index=True)[1]
        tied = ~positive & has_positive[tie]
        self._tied_order = order[tied]
        self._tied_steps, self._tied_starts = np.unique(step[tied], return_index=True)

    def areas(self, columns: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(N, B) weights to AUROC (B,) and average precision (B,); NaN where a draw lacks either kind.

        AUROC counts a tie as half. Average precision is the sum over distinct scores of (gain of recall) x
        precision, without interpolation. Both as in scikit-learn.
        """
        runs = np.add.reduceat(columns[self._run_order], self._run_starts, axis=0)
        positive = np.add.reduceat(columns[self._positive_order], self._positive_starts, axis=0)
        called = np.cumsum(runs, axis=0)
        true = np.cumsum(positive, axis=0)
        positives = true[-1]
        negatives = columns.sum(axis=0) - positives
        with np.errstate(invalid="ignore", divide="ignore"):
            precision = true / np.maximum(called, _TINY)
            average_precision = (positive * precision).sum(axis=0) / positives
            # Negatives below a step: all but those called, and half of those tied with it.
            pairs = (positive * (true - called)).sum(axis=0) + positives * negatives
            if len(self._tied_order):
                tied = np.add.reduceat(columns[self._tied_order], self._tied_starts, axis=0)
                pairs += 0.5 * (positive[self._tied_steps] * tied).sum(axis=0)
            auroc = pairs / (positives * negatives)
        average_precision[negatives == 0] = np.nan
        return auroc, average_precision


@dataclass(frozen=True)
class Weighted:
    """Predictions under B sets of weights; classes are rows, draws are columns."""

    predictions: Predictions
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
        return self.predictions.by_label.sums(self.columns)

    @cached_property
    def called(self) -> NDArray[np.float64]:
        """(C, B) examples answered as each class."""
        return self.predictions.by_answer.sums(self.columns)

    @cached_property
    def hits(self) -> NDArray[np.float64]:
        """(C, B) examples of each class that are answered right."""
        return self.predictions.by_hit.sums(self.columns)

    @cached_property
    def losses(self) -> NDArray[np.float64]:
        """(B,) mean of -log(probability of the true class)."""
        return self.predictions.losses @ self.columns / self.totals

    @cached_property
    def calibration_gaps(self) -> NDArray[np.float64]:
        """(bins, B) share of the examples in a confidence bin x (accuracy - mean confidence) of the bin."""
        gap = self.predictions.is_right - self.predictions.confidence
        return self.predictions.by_bin.sums(self.columns * gap[:, None]) / self.totals

    @cached_property
    def recall(self) -> NDArray[np.float64]:
        """(C, B) share of a class that is answered right; NaN where a draw has none of it."""
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
        for c, ranking in enumerate(self.predictions.rankings):
            if ranking is not None:
                auroc[c], average_precision[c] = ranking.areas(self.columns)
        return auroc, average_precision


def confidence_bins(confidence: NDArray[np.float64], bins: int) -> NDArray[np.int64]:
    """(N,) which of `bins` equal-width bins over (0, 1] each confidence lies in, from 0."""
    return np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], confidence, side="left")


def mean_over_classes(per_class: NDArray[np.float64]) -> NDArray[np.float64]:
    """(C, B) to (B,): the plain mean over the classes where the score is defined; NaN where none is."""
    is_defined = ~np.isnan(per_class)
    return _ratio(np.where(is_defined, per_class, 0.0).sum(axis=0), is_defined.sum(axis=0))


def _ratio(part: NDArray[np.float64], whole: NDArray[np.number]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(whole > 0, part / whole, np.nan)


def _check(probs: NDArray[np.floating], labels: NDArray[np.integer]) -> None:
    if probs.ndim != 2 or labels.ndim != 1 or len(probs) != len(labels):
        raise UserError(
            f"Probabilities of shape {probs.shape} and labels of shape {labels.shape} do not belong "
            "together: give (N, C) probabilities and N labels."
        )
    if len(probs) == 0:
        raise UserError("There are no predictions to judge: give at least one example.")
    if probs.shape[1] < 2:
        raise UserError("There is only one class, so every answer is right: give at least two classes.")
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= probs.shape[1]:
        raise UserError(f"Labels must be whole class ids in 0..{probs.shape[1] - 1}: map the names to ids first.")
    # 1 % of slack: graphs in bfloat16 or int8 round their probabilities.
    if not np.isfinite(probs).all() or (np.abs(probs.sum(axis=1) - 1) > 1e-2).any() or (probs < 0).any():
        raise UserError("Some rows are not probabilities that sum to 1 (were logits passed? apply softmax first).")
