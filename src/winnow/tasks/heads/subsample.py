"""Fewer examples with the same class shares, for methods whose cost grows faster than the data."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from winnow.tasks.heads.head import Labels, Marks


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


def subsample_each(labels: Marks, most: int, seed: int) -> npt.NDArray[np.int64]:
    """Sorted positions of about `most` examples that may show several classes; all if they are no more than that.

    The subsample is stratified by the rarest class that a picture shows. Every class keeps at least one example that
    shows it and one that does not.

    Args:
        labels: (N, C) 0 and 1.
        most: how many to keep.
        seed: draws them.
    """
    if len(labels) <= most:
        return np.arange(len(labels))
    kept = set(stratified_subsample(rarest_class(labels), most, seed).tolist())
    for shown in labels.T:
        for value in (0, 1):
            places = np.flatnonzero(shown == value)
            if len(places) and not kept.intersection(places.tolist()):
                kept.add(int(places[0]))
    return np.array(sorted(kept), dtype=np.int64)


def rarest_class(labels: Marks) -> Labels:
    """(N,) the id of the rarest class that each picture shows; C where it shows none."""
    counts = labels.sum(axis=0, dtype=np.int64)
    by_rarity = np.argsort(counts, kind="stable")
    first = labels[:, by_rarity].argmax(axis=1)
    return np.where(labels.any(axis=1), by_rarity[first], labels.shape[1]).astype(np.int64)
