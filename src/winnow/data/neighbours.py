"""The nearest rows of each row, and of its mirror image, among up to a million: a search that looks only nearby.

The rows are sorted into lists around centres (an inverted file, as in Jegou et al., Product Quantization for Nearest
Neighbor Search, PAMI 2011, here without the quantisation); a row looks into the lists nearest to it. Few rows need no
lists: then all are compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]
Ids = NDArray[np.int64]
_Narrow = NDArray[np.int32]

# So many rows a list, so many lists looked into. A pair is found if either finds the other.
_LIST = 256
_PROBES = 6
_FEWEST_LISTS = 16
_TRAINED_ON = 65_536
_STEPS = 5
_BLOCK = 4096
# Hits are sorted out whenever there are so many more: memory stays flat.
_MOST_HITS = 500_000


@dataclass(frozen=True)
class Neighbours:
    """Rows and others near them, nearest first for each row.

    Attributes:
        rows: (M,) row ids, ascending.
        others: (M,) the ids of what is near them; never themselves.
        is_mirrored: (M,) is it the other's mirror image that is near?
        similarities: (M,) their inner products.
        ranks: (M,) 0 for the nearest of a row, 1 for the next ...
    """

    rows: Ids
    others: Ids
    is_mirrored: NDArray[np.bool_]
    similarities: Rows
    ranks: Ids


def nearest(rows: Rows, signs: Rows, floors: Rows, most: int) -> Neighbours:
    """For each row the `most` nearest others, mirrored or not, whose inner product is above its floor.

    From 4,096 rows on a few are missed, the more the farther they are (`bench/near_duplicates.py` counts them).

    Args:
        rows: (N, D) of length 1.
        signs: (D,) 1 or -1: a row times these is its mirror image.
        floors: (N,) what is less near does not count.
    """
    search = _Search(rows, signs, floors.astype(np.float32).copy(), most)
    n_lists = len(rows) // _LIST
    if n_lists < _FEWEST_LISTS:
        everything = np.arange(2 * len(rows))
        search.look(np.arange(len(rows)), everything)
        return search.result()
    centres = _centres(rows, n_lists)
    # Each row and each mirror image lies in one list; each row looks into several.
    homes = np.concatenate([_nearest_centres(rows, centres, 1), _nearest_centres(rows, centres * signs, 1)])[:, 0]
    probes = _nearest_centres(rows, centres, _PROBES)
    entries, first_entry = _sorted_by(homes, n_lists)
    seekers, first_seeker = _sorted_by(probes.reshape(-1), n_lists)
    seekers //= _PROBES
    for i in range(n_lists):
        search.look(
            seekers[first_seeker[i] : first_seeker[i + 1]],
            entries[first_entry[i] : first_entry[i + 1]],
        )
    return search.result()


class _Search:
    """What has been found so far. Entry e < N is row e, entry e >= N the mirror image of row e - N."""

    def __init__(self, rows: Rows, signs: Rows, floors: Rows, most: int) -> None:
        self._rows, self._signs, self._floors, self._most = rows, signs, floors, most
        # Half as wide as the ids that are given back: of a million rows, there are millions of hits.
        self._hits: list[tuple[_Narrow, _Narrow, Rows]] = []
        self._n_hits = self._n_kept = 0

    def look(self, seekers: Ids, entries: Ids) -> None:
        """Compare all seekers with all entries."""
        n = len(self._rows)
        others = self._rows[entries % n] * np.where(entries >= n, self._signs[:, None], np.float32(1)).T
        for start in range(0, len(seekers), _BLOCK):
            block = seekers[start : start + _BLOCK]
            similarities = self._rows[block] @ others.T
            places = np.flatnonzero(similarities > self._floors[block, None])
            row, column = np.divmod(places, len(entries))
            is_other = entries[column] % n != block[row]
            row, column, places = row[is_other], column[is_other], places[is_other]
            found = similarities.reshape(-1)[places]
            self._hits.append((block[row].astype(np.int32), entries[column].astype(np.int32), found))
            self._n_hits += len(row)
            if self._n_hits > self._n_kept + _MOST_HITS:
                self._sort_out()

    def result(self) -> Neighbours:
        seekers, entries, similarities, ranks = self._sort_out()
        n = len(self._rows)
        return Neighbours(
            seekers.astype(np.int64), (entries % n).astype(np.int64), entries >= n, similarities, ranks.astype(np.int64)
        )

    def _sort_out(self) -> tuple[_Narrow, _Narrow, Rows, _Narrow]:
        """Keep each row's nearest, and raise the floor of those that have enough."""
        parts: Any = zip(*self._hits, strict=True)
        seekers, entries, similarities = (np.concatenate(part) for part in parts)
        self._hits.clear()
        order = np.lexsort((entries, -similarities, seekers))
        seekers = seekers[order]
        is_first = np.diff(seekers, prepend=np.int32(-1)) != 0
        starts = np.flatnonzero(is_first).astype(np.int32)
        ranks = np.arange(len(seekers), dtype=np.int32)
        ranks -= starts[np.cumsum(is_first, dtype=np.int32) - 1]
        kept = ranks < self._most
        order = order[kept]
        seekers, ranks, entries, similarities = seekers[kept], ranks[kept], entries[order], similarities[order]
        is_last = ranks == self._most - 1
        self._floors[seekers[is_last]] = similarities[is_last]
        self._hits = [(seekers, entries, similarities)]
        self._n_hits = self._n_kept = len(seekers)
        return seekers, entries, similarities, ranks


def _centres(rows: Rows, n: int) -> Rows:
    """(n, D) spherical k-means of a sample."""
    rng = np.random.default_rng(0)
    sample = rows[rng.choice(len(rows), min(len(rows), max(_TRAINED_ON, 8 * n)), replace=False)]
    centres = sample[:n].copy()
    for _ in range(_STEPS):
        homes = _nearest_centres(sample, centres, 1)[:, 0]
        order, starts = _sorted_by(homes, n)
        is_used = np.diff(starts) > 0
        sums = np.add.reduceat(sample[order], starts[:-1][is_used])
        centres[is_used] = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)
    return centres


def _nearest_centres(rows: Rows, centres: Rows, most: int) -> Ids:
    """(N, most) ids of the centres with the largest inner products."""
    chosen = np.empty((len(rows), most), dtype=np.int64)
    for start in range(0, len(rows), _BLOCK):
        similarities = rows[start : start + _BLOCK] @ centres.T
        for place in range(most):
            best = similarities.argmax(1)
            chosen[start : start + _BLOCK, place] = best
            similarities[np.arange(len(best)), best] = -2
    return chosen


def _sorted_by(keys: Ids, n: int) -> tuple[Ids, Ids]:
    """Places in the order of their keys 0..n-1, and (n + 1,) where each key starts."""
    order = np.argsort(keys, kind="stable")
    return order, np.searchsorted(keys[order], np.arange(n + 1))
