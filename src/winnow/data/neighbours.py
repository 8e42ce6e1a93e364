"""The nearest rows of each row, and of its mirror image, among up to a million: a search that looks only nearby.

The rows are sorted into lists around centres (an inverted file, as in Jegou et al., Product Quantization for Nearest
Neighbor Search, PAMI 2011, here without the quantisation); a row looks into the lists nearest to it. Few rows need no
lists: then all are compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from winnow.data.threads import in_parallel
from winnow.machine import cores

Rows = NDArray[np.float32]
Ids = NDArray[np.int64]
_Narrow = NDArray[np.int32]

# So many rows a list, so many lists looked into. A pair is found if either finds the other.
_LIST = 256
_PROBES = 6
_FEWEST_LISTS = 16
_TRAINED_ON = 65_536
_STEPS = 5
_SUMMED = 64  # centres at a time: a copy of all their members would be as large as the sample
# A product of so many numbers stays in the processor's cache while it is looked through.
_AT_ONCE = 1 << 18
# So many lists are looked into at a time, and the hits sorted out when there are so many more: memory stays flat.
_ROUND = 32
_MOST_HITS = 100_000


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

    def __getitem__(self, chosen: NDArray[np.bool_]) -> Neighbours:
        """Those that are chosen."""
        return Neighbours(
            self.rows[chosen],
            self.others[chosen],
            self.is_mirrored[chosen],
            self.similarities[chosen],
            self.ranks[chosen],
        )


class Neighbourhood:
    """Rows that can be asked for their nearest; entry e < N is row e, entry e >= N the mirror image of row e - N."""

    def __init__(self, rows: Rows, signs: Rows) -> None:
        """`rows`: (N, D) of length 1; `signs`: (D,) 1 or -1: a row times these is its mirror image.

        Each row and each mirror image lies in one list, and each row looks into the few nearest to it.
        """
        self._rows, self._signs = rows, signs
        n_lists = len(rows) // _LIST
        if n_lists < _FEWEST_LISTS:
            n_lists, self._looks = 1, np.zeros((1, len(rows)), dtype=np.int32)
            homes, mirrored_homes = self._looks[0], self._looks[0]
        else:
            centres = _centres(rows, n_lists)
            self._looks = _nearest_centres(rows, centres, _PROBES)
            homes, mirrored_homes = self._looks[0], _nearest_centres(rows, centres * signs, 1)[0]
        self._n_lists = n_lists
        self._entries = _Sorted(np.concatenate([homes, mirrored_homes]), n_lists)

    def nearest(self, floors: Rows, most: int, seekers: Ids | None = None) -> Neighbours:
        """For each row the `most` nearest others, mirrored or not, whose inner product is above its floor.

        From 4,096 rows on a few are missed, the more the farther they are (`bench/near_duplicates.py` counts them).

        Args:
            floors: (N,) what is less near does not count.
            seekers: the ids of the rows that look, ascending; None: all.
        """
        n = len(self._rows)
        search = _Hits(floors.astype(np.float32), most)
        ids = np.arange(n, dtype=np.int32) if seekers is None else seekers.astype(np.int32)
        looks = [_Sorted(lists[ids], self._n_lists) for lists in self._looks]

        def look(number: int) -> list[tuple[_Narrow, _Narrow, Rows]]:
            who = ids[np.concatenate([one.of(number) for one in looks])]
            return list(self._look(who, self._entries.of(number), search.floors))

        with ThreadPoolExecutor(cores()) as pool:
            for start in range(0, self._n_lists, _ROUND):
                for hits in pool.map(look, range(start, min(start + _ROUND, self._n_lists))):
                    search.take(hits)
                search.sort_out_if_many()
        rows, entries, similarities, ranks = search.sort_out()
        return Neighbours(
            rows.astype(np.int64), (entries % n).astype(np.int64), entries >= n, similarities, ranks.astype(np.int64)
        )

    def _look(self, seekers: _Narrow, entries: _Narrow, floors: Rows) -> Iterator[tuple[_Narrow, _Narrow, Rows]]:
        """Compare all seekers with all entries; gives (row, entry, similarity) of what is above the row's floor."""
        if not len(entries):
            return
        n = len(self._rows)
        others = self._rows[entries % n]
        others[entries >= n] *= self._signs
        others = np.ascontiguousarray(others.T)
        block = max(1, _AT_ONCE // len(entries))
        for start in range(0, len(seekers), block):
            rows = seekers[start : start + block]
            similarities = self._rows[rows] @ others
            places = np.flatnonzero(similarities > floors[rows, None])
            row, column = np.divmod(places, len(entries))
            row, entry = rows[row], entries[column]
            is_other = entry % n != row
            yield row[is_other], entry[is_other], similarities.reshape(-1)[places[is_other]]


class _Hits:
    """What has been found so far, and the floors: whoever has enough needs no more that is less near."""

    def __init__(self, floors: Rows, most: int) -> None:
        self.floors = floors
        self._most = most
        self._hits: list[tuple[_Narrow, _Narrow, Rows]] = []
        self._n_hits = self._n_kept = 0

    def take(self, hits: list[tuple[_Narrow, _Narrow, Rows]]) -> None:
        """Add (rows, entries, similarities)."""
        self._hits += hits
        self._n_hits += sum(len(rows) for rows, _, _ in hits)

    def sort_out_if_many(self) -> None:
        """Call it between rounds: what is looked for next does not depend on the order in which threads finish."""
        if self._n_hits > self._n_kept + _MOST_HITS:
            self.sort_out()

    def sort_out(self) -> tuple[_Narrow, _Narrow, Rows, _Narrow]:
        """Keep each row's nearest, and raise the floor of those that have enough."""
        parts: Any = zip(*self._hits, strict=True)
        rows, entries, similarities = (np.concatenate(part) for part in parts)
        self._hits.clear()
        # One number to sort by: the row, and how far from it. Falling numbers from -1 to 1, as bits, rise from 1 to 3.
        far = (np.float32(2) - similarities).view(np.uint32)
        order = np.argsort(rows.astype(np.uint64) << np.uint64(32) | far, kind="stable")
        rows = rows[order]
        is_first = np.diff(rows, prepend=np.int32(-1)) != 0
        starts = np.flatnonzero(is_first).astype(np.int32)
        ranks = np.arange(len(rows), dtype=np.int32)
        ranks -= starts[np.cumsum(is_first, dtype=np.int32) - 1]
        kept = ranks < self._most
        order = order[kept]
        rows, ranks, entries, similarities = rows[kept], ranks[kept], entries[order], similarities[order]
        is_last = ranks == self._most - 1
        self.floors[rows[is_last]] = similarities[is_last]
        self._hits = [(rows, entries, similarities)]
        self._n_hits = self._n_kept = len(rows)
        return rows, entries, similarities, ranks


class _Sorted:
    """Places in the order of their keys 0..n-1."""

    def __init__(self, keys: _Narrow, n: int) -> None:
        # Keys of 16 bits are sorted in one sweep.
        order = np.argsort(keys.astype(np.uint16) if n <= 1 << 16 else keys, kind="stable")
        self._order = order.astype(np.int32)
        self._starts = np.concatenate([[0], np.cumsum(np.bincount(keys, minlength=n))])

    def of(self, key: int) -> _Narrow:
        """The places with this key."""
        return self._order[self._starts[key] : self._starts[key + 1]]


def _centres(rows: Rows, n: int) -> Rows:
    """(n, D) spherical k-means of a sample."""
    rng = np.random.default_rng(0)
    sample = rows[rng.choice(len(rows), min(len(rows), max(_TRAINED_ON, 8 * n)), replace=False)]
    centres = sample[:n].copy()
    for _ in range(_STEPS):
        (homes,) = _nearest_centres(sample, centres, 1)
        order = np.argsort(homes, kind="stable")
        used, starts = np.unique(homes[order], return_index=True)
        ends = np.append(starts[1:], len(order))
        for some in range(0, len(used), _SUMMED):
            here = slice(some, some + _SUMMED)
            members = sample[order[starts[here][0] : ends[here][-1]]]
            sums = np.add.reduceat(members, starts[here] - starts[here][0])
            centres[used[here]] = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)
    return centres


def _nearest_centres(rows: Rows, centres: Rows, most: int) -> _Narrow:
    """(most, N) ids of the centres with the largest inner products."""
    chosen = np.empty((most, len(rows)), dtype=np.int32)
    block = max(1, _AT_ONCE // len(centres))
    turned = np.ascontiguousarray(centres.T)

    def choose(start: int) -> None:
        similarities = rows[start : start + block] @ turned
        for place in range(most):
            best = similarities.argmax(1)
            chosen[place, start : start + block] = best
            similarities[np.arange(len(best)), best] = -2

    in_parallel(choose, len(rows), block)
    return chosen
