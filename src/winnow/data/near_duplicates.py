"""Pictures that are copies of each other though their pixels differ: re-encoded, resized, cropped, tinted, mirrored.

Found by perceptual hash (`winnow.data.phash`) in three steps: near neighbours by the lowest frequencies; each pair laid
upon each other (`winnow.data.alignment`); and a decision that asks for more where more is alike by chance. How much
that is, is seen in the data themselves (`winnow.data.strangeness`).

What it does not see: colour (a red and a blue ball are one shape), quarter turns, crops of more than about 8 % a side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from winnow.data.alignment import aligned_similarity
from winnow.data.hash_rows import HashRows, Ids
from winnow.data.neighbours import Neighbourhood, Neighbours, Rows
from winnow.data.phash import PLACES, SIDE
from winnow.data.strangeness import strangeness
from winnow.data.threads import BATCH, in_parallel

# The search compares the lowest frequencies only: those survive a crop.
_LOW = 36
# A horizontal mirror image has the waves across that are odd turned around.
_MIRROR = np.where(PLACES % SIDE % 2, -1, 1).astype(np.int8)

# Chosen on the even pictures of the sets that bench/near_duplicates.py judges on the odd ones.
_TOLERANCE = 0.1
# Others than photographs are less strange to each other than this; then copies of one must be so much more alike.
_STRANGE = 0.2
# A picture of fewer effective frequencies than this says less; photographs have 37 in the median, a gradient has 6.
_ENOUGH_DETAIL = 25.0
# Nobody asks for more agreement than this: a strong JPEG would miss it.
_LEAST_TOLERANCE = 0.002
# The search is wide enough that a crop of 5 % a side stays within it.
_WIDTH = 0.55
# First the nearest three are looked at; those whose nearest are all copies have more of them looked at.
_FIRST, _MOST = 3, 16
_JUDGED_AT_ONCE = 2048


@dataclass(frozen=True)
class NearDuplicates:
    """Pairs of near-duplicates.

    Attributes:
        pairs: (M, 2) places in what was asked about, the smaller first, sorted. Of many copies of one picture, not
            all pairs are listed, but enough to connect them.
        similarities: (M,) how alike the two are, laid upon each other; 1: their hashes are equal.
        is_mirrored: (M,) is the one the other's mirror image?
    """

    pairs: Ids
    similarities: NDArray[np.float64]
    is_mirrored: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.pairs)


def near_duplicate_pairs(phashes: Sequence[bytes] | pa.ChunkedArray) -> NearDuplicates:
    """Which pictures are copies of each other, mirrored or not, as far as their hashes tell.

    Args:
        phashes: (N,) of `winnow.data.phash.phash`; an empty one (nothing to see) is like no other.
    """
    hashes = HashRows(phashes)
    # Our own threads share the work: BLAS with threads of its own would wait for them, busily (2.5 x the seconds).
    with threadpool_limits(1):
        first, copies = hashes.equal()
        found = _among_distinct(hashes.chosen(first) if len(copies) else hashes)
    pairs = hashes.places[np.concatenate([first[found.pairs], copies])]
    pairs.sort(axis=1)
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    similarities = np.concatenate([found.similarities, np.ones(len(copies))])
    is_mirrored = np.concatenate([found.is_mirrored, np.zeros(len(copies), dtype=bool)])
    return NearDuplicates(pairs[order], similarities[order], is_mirrored[order])


def _among_distinct(hashes: HashRows) -> NearDuplicates:
    if len(hashes) < 2:
        return NearDuplicates(np.zeros((0, 2), dtype=np.int64), np.zeros(0), np.zeros(0, dtype=bool))
    low, signs = _low(hashes), _MIRROR[:_LOW].astype(np.float32)
    neighbourhood = Neighbourhood(low, signs)
    strange = strangeness(low, signs)
    floors = (1 - _WIDTH * strange).astype(np.float32)
    tolerance = _tolerance(strange, _detail(hashes))
    # The neighbours themselves are let go of before the pairs are judged: each step needs room of its own.
    found = _judged(hashes, tolerance, *_once(neighbourhood.nearest(floors, _FIRST), len(hashes)))
    # Whoever has only copies among the nearest may have more of them.
    seekers = np.flatnonzero(np.bincount(found.pairs.reshape(-1), minlength=len(hashes)) >= _FIRST)
    if len(seekers):
        near = neighbourhood.nearest(floors, _MOST, seekers)
        found = _united(found, _judged(hashes, tolerance, *_once(near[near.ranks >= _FIRST], len(hashes))))
    return found


def _low(hashes: HashRows) -> Rows:
    low = np.empty((len(hashes), _LOW), dtype=np.float32)
    for start in range(0, len(hashes), BATCH):
        low[start : start + BATCH] = hashes.of(np.arange(start, min(start + BATCH, len(hashes))))[:, :_LOW]
        part = low[start : start + BATCH]
        part /= np.maximum(np.linalg.norm(part, axis=1, keepdims=True), np.float32(1e-9))
    return low


def _tolerance(strange: NDArray[np.float64], detail: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) how far from 1 the similarity of a copy may be."""
    caution = np.minimum(1, strange / _STRANGE) * np.minimum(1, detail / _ENOUGH_DETAIL)
    return np.maximum(_LEAST_TOLERANCE, _TOLERANCE * strange * caution)


def _detail(hashes: HashRows) -> NDArray[np.float64]:
    """(N,) how many frequencies a picture effectively has (participation ratio of their energy)."""

    def detail(start: int) -> NDArray[np.float64]:
        energy = hashes.of(np.arange(start, min(start + BATCH, len(hashes)))).astype(np.float32) ** 2
        return energy.sum(1).astype(np.float64) ** 2 / np.maximum((energy**2).sum(1), 1)

    return np.concatenate(in_parallel(detail, len(hashes)))


def _once(near: Neighbours, n: int) -> tuple[Ids, NDArray[np.bool_]]:
    """Each pair of neighbours once, sorted, and whether the one is near the other's mirror image."""
    pairs = np.stack([near.rows, near.others], 1)
    pairs.sort(axis=1)
    _, once = np.unique((pairs[:, 0] * n + pairs[:, 1]) * 2 + near.is_mirrored, return_index=True)
    return pairs[once], near.is_mirrored[once]


def _judged(
    hashes: HashRows, tolerance: NDArray[np.float64], pairs: Ids, is_mirrored: NDArray[np.bool_]
) -> NearDuplicates:
    """Those of the pairs that are copies."""
    of_pairs = tolerance[pairs].min(1)

    def similarity(start: int) -> NDArray[np.float64]:
        batch = slice(start, start + _JUDGED_AT_ONCE)
        one, other = pairs[batch].T
        turned = np.where(is_mirrored[batch, None], _MIRROR, np.int8(1))
        return aligned_similarity(hashes.of(one), hashes.of(other) * turned, of_pairs[batch])

    similarities = np.concatenate([np.zeros(0), *in_parallel(similarity, len(pairs), _JUDGED_AT_ONCE)])
    is_copy = 1 - similarities <= of_pairs
    return NearDuplicates(pairs[is_copy], similarities[is_copy], is_mirrored[is_copy])


def _united(first: NearDuplicates, second: NearDuplicates) -> NearDuplicates:
    """Both, each pair once: the better of mirrored and not mirrored."""
    pairs = np.concatenate([first.pairs, second.pairs])
    similarities = np.concatenate([first.similarities, second.similarities])
    is_mirrored = np.concatenate([first.is_mirrored, second.is_mirrored])
    order = np.lexsort((-similarities, pairs[:, 1], pairs[:, 0]))
    pairs, similarities, is_mirrored = pairs[order], similarities[order], is_mirrored[order]
    is_new = np.any(np.diff(pairs, axis=0, prepend=-1) != 0, axis=1)
    return NearDuplicates(pairs[is_new], similarities[is_new], is_mirrored[is_new])
