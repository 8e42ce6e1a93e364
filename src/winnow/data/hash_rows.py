"""Many perceptual hashes as rows of numbers, read where they lie: of a million, each copy would be 128 MB."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from winnow.data.phash import LENGTH
from winnow.data.threads import BATCH

Ids = NDArray[np.int64]
Hashes = NDArray[np.int8]


class HashRows:
    """The hashes of pictures that have one.

    Attributes:
        places: (N,) where each lies in what was given.
    """

    def __init__(self, phashes: Sequence[bytes] | pa.ChunkedArray) -> None:
        """`phashes`: of `winnow.data.phash.phash`; empty ones (nothing to see) are left out."""
        parts = _of_column(phashes) if isinstance(phashes, pa.ChunkedArray) else [_of_list(phashes)]
        self.places: Ids = np.concatenate([np.zeros(0, dtype=np.int64), *(places for places, _ in parts)])
        self._parts = [hashes for _, hashes in parts]
        self._starts = np.cumsum([0, *(len(hashes) for hashes in self._parts)])
        self._chosen: Ids | None = None

    def __len__(self) -> int:
        return len(self.places)

    def of(self, ids: Ids) -> Hashes:
        """(M, 128) some of them, in the order of their ids 0..N-1."""
        rows = ids if self._chosen is None else self._chosen[ids]
        found = np.empty((len(rows), LENGTH), dtype=np.int8)
        part = np.searchsorted(self._starts, rows, side="right") - 1
        for number in np.unique(part).tolist():
            is_here = part == number
            found[is_here] = self._parts[number][rows[is_here] - self._starts[number]]
        return found

    def chosen(self, ids: Ids) -> HashRows:
        """Those alone."""
        some = HashRows([])
        some.places, some._parts, some._starts = self.places[ids], self._parts, self._starts
        some._chosen = ids if self._chosen is None else self._chosen[ids]
        return some

    def equal(self) -> tuple[Ids, Ids]:
        """The id of the first of each distinct hash, and pairs of ids (first, later one equal to it)."""
        # Their product with fixed odd numbers, modulo 2**64, tells a million hashes apart (a collision: 1 in 10**7).
        factors = np.random.default_rng(0).integers(0, 2**63, LENGTH // 8, dtype=np.uint64) * np.uint64(2)
        factors += np.uint64(1)
        keys = np.empty(len(self), dtype=np.uint64)
        for start in range(0, len(self), BATCH):
            ids = np.arange(start, min(start + BATCH, len(self)))
            words = self.of(ids).view(np.uint64)
            keys[ids] = ((words ^ (words >> np.uint64(29))) * factors).sum(1, dtype=np.uint64)
        order = np.argsort(keys, kind="stable")  # equal ones in the order of their ids
        is_new = np.ones(len(keys), dtype=bool)
        is_new[1:] = np.diff(keys[order]) != 0
        first = order[is_new]
        copies = np.stack([first[np.cumsum(is_new)[~is_new] - 1], order[~is_new]], 1)
        return np.sort(first), copies


def _of_list(phashes: Sequence[bytes]) -> tuple[Ids, Hashes]:
    places = np.array([i for i, phash in enumerate(phashes) if phash], dtype=np.int64)
    return places, np.frombuffer(b"".join(phashes), np.int8).reshape(-1, LENGTH)


def _of_column(column: pa.ChunkedArray) -> list[tuple[Ids, Hashes]]:
    parts: list[tuple[Ids, Hashes]] = []
    start = 0
    chunks: list[Any] = column.chunks
    for chunk in chunks:
        _, offsets, values = chunk.buffers()
        if len(chunk) and values is not None:
            ends = np.frombuffer(offsets, np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
            hashes = np.frombuffer(values, np.int8)[ends[0] : ends[-1]].reshape(-1, LENGTH)
            parts.append((np.flatnonzero(np.diff(ends)) + start, hashes))
        start += len(chunk)
    return parts
