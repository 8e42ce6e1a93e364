"""Pictures that are copies of each other though their pixels differ: re-encoded, resized, cropped, tinted, mirrored.

Found by perceptual hash (`winnow.data.phash`) in three steps: near neighbours by the lowest frequencies; each pair laid
upon each other (`winnow.data.alignment`); and a decision that asks for more where more is alike by chance. How much is
alike by chance is seen in the data themselves: handwritten ones agree as well as a photograph and its crop do. Hence
how far a picture's copies may stray is a share of how far the 1 % of random others most like it do (as the cohorts
that speaker verification normalises scores with: Auckenthaler et al., 2000), and less if there is little in it.

What it does not see: colour (a red and a blue ball are one shape), quarter turns, crops of more than about 8 % a side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from winnow.data.alignment import aligned_similarity
from winnow.data.neighbours import Neighbours, Rows, nearest
from winnow.data.phash import LENGTH, PLACES, SIDE
from winnow.machine import cores

Ids = NDArray[np.int64]
Hashes = NDArray[np.int8]

# The search compares the lowest frequencies only: those survive a crop.
_LOW = 36
# A horizontal mirror image has the waves across that are odd turned around.
_MIRROR = np.where(PLACES % SIDE % 2, -1, 1).astype(np.int8)

# So many random others, of which so many may be copies; more, if they agree as only copies do.
_COHORT = 2000
_COPIES = 5
_MORE_COPIES = 40
_AS_COPIES_DO = 0.99

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
_BATCH = 4096
_COHORT_BATCH = 512  # times the cohort: what lies in the processor's cache


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
    places, hashes = _as_rows(phashes)
    first, copies = _equal(hashes)
    # Our own threads share the work: BLAS with threads of its own would wait for them, busily (2.5 x the seconds).
    with threadpool_limits(1):
        if len(copies):
            hashes = hashes[first]
        found = _among_distinct(hashes)
    pairs = np.concatenate([places[first[found.pairs]], places[copies]])
    pairs = np.sort(pairs, axis=1)
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    similarities = np.concatenate([found.similarities, np.ones(len(copies))])
    is_mirrored = np.concatenate([found.is_mirrored, np.zeros(len(copies), dtype=bool)])
    return NearDuplicates(pairs[order], similarities[order], is_mirrored[order])


def _as_rows(phashes: Sequence[bytes] | pa.ChunkedArray) -> tuple[Ids, Hashes]:
    """The places of those that are not empty, and these as (M, 128); of a column, where they lie in memory."""
    if not isinstance(phashes, pa.ChunkedArray):
        places = np.array([i for i, phash in enumerate(phashes) if phash], dtype=np.int64)
        return places, np.frombuffer(b"".join(phashes), np.int8).reshape(-1, LENGTH)
    chunked: Any = phashes
    column = chunked.combine_chunks()
    _, offsets, values = column.buffers()
    ends = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1]
    places = np.flatnonzero(np.diff(ends)).astype(np.int64)
    bytes_of_all = np.frombuffer(values, np.int8)[ends[0] : ends[-1]] if len(places) else np.empty(0, np.int8)
    return places, bytes_of_all.reshape(-1, LENGTH)


def _equal(hashes: Hashes) -> tuple[Ids, Ids]:
    """The place of the first of each distinct hash, and pairs (first, later one equal to it)."""
    # Their product with fixed odd numbers, modulo 2**64, tells a million hashes apart (a collision: 1 in 10**7).
    factors = np.random.default_rng(0).integers(0, 2**63, LENGTH // 8, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    keys = np.empty(len(hashes), dtype=np.uint64)
    for start in range(0, len(hashes), _BATCH):
        words = np.array(hashes[start : start + _BATCH]).view(np.uint64)  # a copy starts where numbers may start
        keys[start : start + _BATCH] = ((words ^ (words >> np.uint64(29))) * factors).sum(1, dtype=np.uint64)
    _, first, which = np.unique(keys, return_index=True, return_inverse=True)
    later = np.setdiff1d(np.arange(len(hashes)), first)
    return np.sort(first), np.stack([first[which[later]], later], 1)


def _among_distinct(hashes: Hashes) -> NearDuplicates:
    if len(hashes) < 2:
        return NearDuplicates(np.zeros((0, 2), dtype=np.int64), np.zeros(0), np.zeros(0, dtype=bool))
    low, signs = _low(hashes), _MIRROR[:_LOW].astype(np.float32)
    strangeness = 1 - _cohort_similarity(low, signs)
    near = nearest(low, signs, (1 - _WIDTH * strangeness).astype(np.float32), _MOST)
    tolerance = _tolerance(strangeness, _detail(hashes))
    is_first = near.ranks < _FIRST
    found = _judged(hashes, tolerance, near, is_first)
    # Whoever has only copies among the nearest may have more of them.
    copies = np.bincount(found.pairs.reshape(-1), minlength=len(hashes))
    is_more = ~is_first & (copies[near.rows] >= _FIRST)
    more = _judged(hashes, tolerance, near, is_more)
    return _united(found, more)


def _tolerance(strangeness: NDArray[np.float64], detail: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) how far from 1 the similarity of a copy may be."""
    caution = np.minimum(1, strangeness / _STRANGE) * np.minimum(1, detail / _ENOUGH_DETAIL)
    return np.maximum(_LEAST_TOLERANCE, _TOLERANCE * strangeness * caution)


def _low(hashes: Hashes) -> Rows:
    low = hashes[:, :_LOW].astype(np.float32)
    low /= np.maximum(np.linalg.norm(low, axis=1, keepdims=True), np.float32(1e-9))
    return low


def _detail(hashes: Hashes) -> NDArray[np.float64]:
    """(N,) how many frequencies a picture effectively has (participation ratio of their energy)."""

    def detail(start: int) -> NDArray[np.float64]:
        energy = hashes[start : start + _BATCH].astype(np.float32) ** 2
        return energy.sum(1).astype(np.float64) ** 2 / np.maximum((energy**2).sum(1), 1)

    return np.concatenate(_in_parallel(detail, len(hashes)))


def _cohort_similarity(low: Rows, signs: Rows) -> NDArray[np.float64]:
    """(N,) how like each picture the random others are that are most like it, its copies aside."""
    cohort = low[np.random.default_rng(0).permutation(len(low))[:_COHORT]]
    # Each is also compared with itself if it is in the cohort: hence one more.
    most = min(_COPIES + 1 + _MORE_COPIES, len(cohort))

    def similarity(start: int) -> Rows:
        block = low[start : start + _COHORT_BATCH]
        likeness = np.maximum(block @ cohort.T, (block * signs) @ cohort.T)
        nearest_first = -np.sort(-np.partition(likeness, -most, axis=1)[:, -most:], axis=1)
        copies = (nearest_first > _AS_COPIES_DO).sum(1)
        rank = np.minimum(np.maximum(_COPIES + 1, np.where(copies < most, copies + 1, 0)), most) - 1
        return nearest_first[np.arange(len(block)), rank]

    return np.concatenate(_in_parallel(similarity, len(low), _COHORT_BATCH)).astype(np.float64)


def _judged(
    hashes: Hashes, tolerance: NDArray[np.float64], near: Neighbours, chosen: NDArray[np.bool_]
) -> NearDuplicates:
    """Those of the chosen neighbours that are copies."""
    pairs = np.stack([near.rows[chosen], near.others[chosen]], 1)
    pairs.sort(axis=1)
    _, once = np.unique((pairs[:, 0] * len(hashes) + pairs[:, 1]) * 2 + near.is_mirrored[chosen], return_index=True)
    pairs, is_mirrored = pairs[once], near.is_mirrored[chosen][once]

    def similarity(start: int) -> NDArray[np.float64]:
        one, other = pairs[start : start + _BATCH].T
        turned = np.where(is_mirrored[start : start + _BATCH, None], _MIRROR, np.int8(1))
        return aligned_similarity(hashes[one], hashes[other] * turned, np.minimum(tolerance[one], tolerance[other]))

    similarities = np.concatenate([np.zeros(0), *_in_parallel(similarity, len(pairs))])
    is_copy = 1 - similarities <= tolerance[pairs].min(1)
    return NearDuplicates(pairs[is_copy], similarities[is_copy], is_mirrored[is_copy])


def _in_parallel(work: Callable[[int], NDArray[Any]], n: int, batch: int = _BATCH) -> list[NDArray[Any]]:
    """What `work` gives for each start of a batch, in order. Threads suffice: numpy lets go of Python's lock."""
    with ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(work, range(0, n, batch)))


def _united(first: NearDuplicates, second: NearDuplicates) -> NearDuplicates:
    """Both, each pair once: the better of mirrored and not mirrored."""
    pairs = np.concatenate([first.pairs, second.pairs])
    similarities = np.concatenate([first.similarities, second.similarities])
    is_mirrored = np.concatenate([first.is_mirrored, second.is_mirrored])
    order = np.lexsort((-similarities, pairs[:, 1], pairs[:, 0]))
    pairs, similarities, is_mirrored = pairs[order], similarities[order], is_mirrored[order]
    is_new = np.any(np.diff(pairs, axis=0, prepend=-1) != 0, axis=1)
    return NearDuplicates(pairs[is_new], similarities[is_new], is_mirrored[is_new])
