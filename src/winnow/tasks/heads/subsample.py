"""Fewer examples with the same class shares, for methods whose cost grows faster than the data."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from winnow.tasks.heads.head import Labels


def stratified_subsample(labels: Labels, most: int, seed: int) -> npt.NDArray[np.int64]:
    """Sorted positions of at most `most` examples with the class shares of all; all if they are no more than that.

    Every class keeps at least one example, even where that makes more than `most`: a method that never saw a class
    could not answer for it.
    """
    if len(labels) <= most:
        return np.arange(len(labels))
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
    counts = np.bincount(labels)
    counts = counts[counts > 0]
    rank = np.concatenate([np.arange(count) for count in counts])
    # Each class is taken up evenly: its example r of n comes at (r + 1/2) / n of the way; first ones come first.
    turn = np.where(rank == 0, -1.0, (rank + 0.5) / np.repeat(counts, counts))
    order = np.argsort(turn, kind="stable")
    return np.sort(by_class[order[: max(most, len(counts))]])
