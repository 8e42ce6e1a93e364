"""Sums over examples for many draws at once: by group, by bin, and along a ranking."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CALIBRATION_BINS = 15
_TINY = np.finfo(np.float64).tiny


@dataclass(frozen=True, slots=True)
class BinSums:
    """Answers counted in equal-width bins of how sure they were, over (0, 1]."""

    n: NDArray[np.float64]
    """(bins,) answers."""
    confidence: NDArray[np.float64]
    """(bins,) sum of how sure they were."""
    right: NDArray[np.float64]
    """(bins,) how many were right."""

    @classmethod
    def of(cls, confidence: NDArray[np.float64], is_right: NDArray[np.bool_], bins: int = CALIBRATION_BINS) -> BinSums:
        """Counted from (N,) confidences and whether each was right."""
        ids = confidence_bins(confidence, bins)
        weights = (np.ones(len(ids)), confidence, is_right.astype(np.float64))
        return cls(*(np.bincount(ids, weights=w, minlength=bins).astype(np.float64) for w in weights))


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
        examples: (N,) whose weight each score counts with; None: score i is of example i. Several scores may be of
            one example.
    """

    def __init__(
        self,
        scores: NDArray[np.float64],
        is_positive: NDArray[np.bool_],
        examples: NDArray[np.int64] | None = None,
    ) -> None:
        order = np.argsort(-scores, kind="stable")
        ranked, positive = scores[order], is_positive[order]
        self._counts = None if examples is None else np.bincount(examples).astype(np.float64)
        order = order if examples is None else examples[order]
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
        totals = columns.sum(axis=0) if self._counts is None else self._counts @ columns
        negatives = totals - positives
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


def confidence_bins(confidence: NDArray[np.float64], bins: int) -> NDArray[np.int64]:
    """(N,) which of `bins` equal-width bins over (0, 1] each confidence lies in, from 0."""
    return np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], confidence, side="left")
