"""Rows of numbers by key, kept on disk so that nothing is computed twice.

One folder holds rows of one shape and type (the folder's name, chosen by the caller, says what they are).
Rows lie in shards: `<uuid>.npy`, made visible by `<uuid>.keys`, which is written last, whole or not at all.
So a kill at any moment loses the shard being written and nothing else, and writers need no lock: each writes
shards of its own, and a key that two of them wrote is read from either. Small shards are joined when many.
Rows that are read again and again in any order, as a network's training does, are put in one shard and mapped.
"""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from winnow.data.whole_files import disk_errors, write_whole, write_with
from winnow.errors import WorkspaceError
from winnow.events import Note, Progress, Tell, tell_nobody

# Joined once this many shards are small; a shard of this many bytes is left alone (rewriting it costs more
# than opening it saves).
_MANY_SHARDS = 16
_BIG_BYTES = 64 * 1024 * 1024
_LITTER_AFTER_S = 24 * 3600.0
_BLOCK_BYTES = 4 * 1024 * 1024

Rows = NDArray[Any]
Compute = Callable[[list[int]], Iterable[Any]]


@dataclass(frozen=True, slots=True)
class _Shard:
    name: str
    keys: tuple[str, ...]
    row_bytes: int


@dataclass(frozen=True, slots=True)
class MappedRows:
    """Rows by key in one memory-mapped file.

    Attributes:
        rows: (M, ...) memory-mapped, read-only; M may be more than was asked for.
        places: (N,) int64, where in `rows` the row of each key lies.
        path: the `.npy` file, for another process to map.
    """

    rows: Rows
    places: NDArray[np.int64]
    path: Path


class ArrayCache:
    """Rows of equal shape and dtype by key, shared by processes and safe to kill."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self._shards: dict[str, _Shard] = {}
        self._where: dict[str, tuple[str, int]] = {}
        self._bad: set[str] = set()

    def get(self, keys: Sequence[str]) -> tuple[Rows, NDArray[np.bool_]]:
        """The rows that are there.

        Returns:
            rows: (N, ...) in the order of `keys`; zeros where nothing was found; (N, 0) if none was.
            found: (N,) which are there.
        """
        self._look()
        found = np.zeros(len(keys), dtype=np.bool_)
        rows: Rows | None = None
        has_lost = True
        # A shard may vanish between looking and opening (another process joined it) or be damaged: then look again,
        # its keys may lie elsewhere. A lost shard is never looked at twice, so this ends.
        while has_lost:
            has_lost = False
            missing = [i for i in np.flatnonzero(~found).tolist() if keys[i] in self._where]
            for name, places in self._by_shard(keys, missing).items():
                shard = self._open(name)
                if shard is None:
                    has_lost = True
                    continue
                if rows is None:
                    rows = np.zeros((len(keys), *shard.shape[1:]), dtype=shard.dtype)
                if shard.dtype == rows.dtype and shard.shape[1:] == rows.shape[1:]:
                    at = [place for place, _ in places]
                    rows[at] = shard[[row for _, row in places]]
                    found[at] = True
            if has_lost:
                self._look()
        return (np.zeros((len(keys), 0)) if rows is None else rows), found

    def missing(self, keys: Sequence[str]) -> int:
        """How many different keys have no row."""
        self._look()
        return sum(key not in self._where for key in set(keys))

    def put(self, keys: Sequence[str], rows: Rows) -> None:
        """Keep (N, ...) `rows` under `keys`, whole or not at all.

        Raises:
            WorkspaceError: no space, no permission.
            ValueError: as many keys as rows are needed, and no line breaks in keys.
        """
        if len(keys) != len(rows) or any("\n" in key for key in keys):
            raise ValueError(f"{len(keys)} keys for {len(rows)} rows, or a key with a line break")
        if not len(keys):
            return
        with disk_errors("write", self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._write(tuple(keys), rows.shape, rows.dtype, [rows])
            self._join_small_shards()

    def fetch(
        self,
        keys: Sequence[str],
        compute: Compute,
        *,
        chunk: int = 1024,
        tell: Tell = tell_nobody,
        what: str = "computing",
    ) -> Rows:
        """The rows of all `keys`; what is missing is computed and kept, chunk by chunk.

        Args:
            keys: (N,) may repeat.
            compute: given positions in `keys`, gives their rows: an array (n, ...) or row by row.
            chunk: how many rows are computed before they are kept: what a kill may cost.

        Returns:
            (N, ...) rows in the order of `keys`.
        """
        rows, found = self.get(keys)
        first: dict[str, int] = {}
        for i in np.flatnonzero(~found).tolist():
            first.setdefault(keys[i], i)
        todo = list(first.values())
        fresh: list[Rows] = []
        can_write = True
        for start in range(0, len(todo), chunk):
            tell(Progress(what, start, len(todo)))
            places = todo[start : start + chunk]
            part = _as_rows(compute(places), len(places))
            can_write = can_write and self._keep([keys[i] for i in places], part, tell)
            fresh.append(part)
        if not todo:
            return rows
        tell(Progress(what, len(todo), len(todo)))
        new = np.concatenate(fresh)
        if not found.any():
            rows = np.empty((len(keys), *new.shape[1:]), dtype=new.dtype)
        row_of = {keys[place]: n for n, place in enumerate(todo)}
        gaps = np.flatnonzero(~found)
        rows[gaps] = new[[row_of[keys[i]] for i in gaps.tolist()]]
        return rows

    def mapped(
        self,
        keys: Sequence[str],
        compute: Compute,
        *,
        chunk: int = 1024,
        tell: Tell = tell_nobody,
        what: str = "computing",
    ) -> MappedRows:
        """The rows of all `keys` in one memory-mapped file, in memory for one chunk only.

        What is missing is computed and kept chunk by chunk, so a kill costs a chunk. Then the rows are copied into
        one file, which replaces the smaller ones that it repeats; meanwhile the disk holds them twice.

        Args:
            keys: (N,) at least one; may repeat.
            compute: given positions in `keys`, gives their rows: an array (n, ...) or row by row.

        Raises:
            WorkspaceError: no space, no permission, or the rows were deleted meanwhile.
        """
        if not len(keys):
            raise ValueError("no keys")
        first: dict[str, int] = {}
        for place, key in enumerate(keys):
            first.setdefault(key, place)
        self._look()
        held = self._open_shard_with(first)
        if held is None:
            self._compute_missing(first, compute, chunk, tell, what)
            with disk_errors("write", self.folder):
                self._put_together(list(first))
            held = self._open_shard_with(first)
        if held is None:
            raise WorkspaceError(f"Rows in {self.folder} were deleted while they were put together: try again.")
        shard, rows = held
        where = {key: row for row, key in enumerate(shard.keys)}
        return MappedRows(rows, np.array([where[key] for key in keys]), self.folder / f"{shard.name}.npy")

    def _open_shard_with(self, keys: Iterable[str]) -> tuple[_Shard, Rows] | None:
        """The smallest shard that holds all `keys` and can be opened."""
        wanted = set(keys)
        for shard in sorted(self._shards.values(), key=lambda shard: len(shard.keys)):
            if len(shard.keys) >= len(wanted) and wanted.issubset(shard.keys):
                rows = self._open(shard.name)
                if rows is not None:
                    return shard, rows
        return None

    def _compute_missing(self, first: dict[str, int], compute: Compute, chunk: int, tell: Tell, what: str) -> None:
        todo = [key for key in first if key not in self._where]
        for start in range(0, len(todo), chunk):
            tell(Progress(what, start, len(todo)))
            part = todo[start : start + chunk]
            self.put(part, _as_rows(compute([first[key] for key in part]), len(part)))
        if todo:
            tell(Progress(what, len(todo), len(todo)))

    def _put_together(self, keys: list[str]) -> None:
        """One shard of all `keys`, block by block; shards that hold nothing else are removed."""
        one, _ = self.get(keys[:1])
        per_block = max(1, _BLOCK_BYTES // max(one.nbytes, 1))

        def blocks() -> Iterator[Rows]:
            for start in range(0, len(keys), per_block):
                rows, found = self.get(keys[start : start + per_block])
                if not found.all():
                    raise WorkspaceError(f"Rows in {self.folder} vanished while they were copied: try again.")
                yield rows

        name = self._write(tuple(keys), (len(keys), *one.shape[1:]), one.dtype, blocks())
        held = set(keys)
        for shard in list(self._shards.values()):
            if shard.name != name and held.issuperset(shard.keys):
                self._remove(shard.name)
        self._look()

    def _keep(self, keys: list[str], rows: Rows, tell: Tell) -> bool:
        try:
            self.put(keys, rows)
        except WorkspaceError as error:
            # A full disk makes the next run slower, not this one wrong.
            tell(Note(f"{error} The work goes on, but will be done again next time.", is_warning=True))
            return False
        return True

    def _look(self) -> None:
        """Learn of shards that were added, by us or by others, and forget those that are gone."""
        try:
            names = {path.stem for path in self.folder.iterdir() if path.suffix == ".keys"}
        except OSError:
            names = set[str]()
        gone = self._shards.keys() - names
        for name in gone:
            del self._shards[name]
        new = [self._read_keys(name) for name in sorted(names - self._shards.keys() - self._bad)]
        self._shards.update({shard.name: shard for shard in new if shard is not None})
        if gone or new:
            self._index()

    def _index(self) -> None:
        self._where = {key: (shard.name, row) for shard in self._shards.values() for row, key in enumerate(shard.keys)}

    def _read_keys(self, name: str) -> _Shard | None:
        try:
            head, *keys = (self.folder / f"{name}.keys").read_text("utf-8").split("\n")
            told = json.loads(head)
            # Its size is looked at too: after a power cut the names may have survived the numbers.
            size = (self.folder / f"{name}.npy").stat().st_size
            is_whole = told["rows"] == len(keys) and told["npy_bytes"] == size
        except (OSError, ValueError, TypeError, KeyError):
            is_whole, keys, size = False, list[str](), 0
        if not is_whole:
            self._bad.add(name)
            return None
        return _Shard(name, tuple(keys), size // max(len(keys), 1))

    def _by_shard(self, keys: Sequence[str], places: list[int]) -> dict[str, list[tuple[int, int]]]:
        by_shard: dict[str, list[tuple[int, int]]] = {}
        for place in places:
            name, row = self._where[keys[place]]
            by_shard.setdefault(name, []).append((place, row))
        return by_shard

    def _open(self, name: str) -> Rows | None:
        try:
            rows = np.load(self.folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError):
            rows = None
        if rows is None or len(rows) != len(self._shards[name].keys):
            self._bad.add(name)
            self._shards.pop(name)
            self._index()  # its keys may lie in another shard as well
            return None
        return rows

    def _write(
        self, keys: tuple[str, ...], shape: tuple[int, ...], dtype: np.dtype[Any], blocks: Iterable[Rows]
    ) -> str:
        name = uuid.uuid4().hex
        path = self.folder / f"{name}.npy"
        write_with(path, lambda file: _save(file, shape, dtype, blocks), is_durable=True)
        head = json.dumps({"rows": len(keys), "npy_bytes": path.stat().st_size})
        text = "\n".join((head, *keys))
        write_whole(self.folder / f"{name}.keys", text.encode("utf-8"), is_durable=True)
        return name

    def _join_small_shards(self) -> None:
        self._look()
        small = [s for s in self._shards.values() if s.row_bytes * len(s.keys) < _BIG_BYTES]
        if len(small) < _MANY_SHARDS:
            return
        for batch in _batches(small):
            opened = [(shard, self._open(shard.name)) for shard in batch]
            kept = [(shard, rows) for shard, rows in opened if rows is not None]
            same = [(s, r) for s, r in kept if (r.dtype, r.shape[1:]) == (kept[0][1].dtype, kept[0][1].shape[1:])]
            if len(same) > 1:
                keys = tuple(key for shard, _ in same for key in shard.keys)
                shape = (len(keys), *same[0][1].shape[1:])
                self._write(keys, shape, same[0][1].dtype, (rows for _, rows in same))
                for shard, _ in same:
                    self._remove(shard.name)
        self._look()
        self._sweep()

    def _remove(self, name: str) -> None:
        # The keys first: a reader then sees the joined shard only. Windows may refuse while another process
        # reads; the shard then stays, twice there and right both times.
        with contextlib.suppress(OSError):
            (self.folder / f"{name}.keys").unlink(missing_ok=True)
            (self.folder / f"{name}.npy").unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Delete what killed writers left: numbers without keys and temporary files, a day old."""
        long_ago = time.time() - _LITTER_AFTER_S
        with contextlib.suppress(OSError):
            for path in self.folder.iterdir():
                is_litter = path.suffix == ".tmp" or (path.suffix == ".npy" and not path.with_suffix(".keys").exists())
                if is_litter and path.stat().st_mtime < long_ago:
                    path.unlink(missing_ok=True)


def _batches(shards: list[_Shard]) -> Iterator[list[_Shard]]:
    """Small shards, smallest first, in batches that together make at most one big one."""
    batch: list[_Shard] = []
    size = 0
    for shard in sorted(shards, key=lambda s: s.row_bytes * len(s.keys)):
        if batch and size + shard.row_bytes * len(shard.keys) > _BIG_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(shard)
        size += shard.row_bytes * len(shard.keys)
    if batch:
        yield batch


def _save(file: BinaryIO, shape: tuple[int, ...], dtype: np.dtype[Any], blocks: Iterable[Rows]) -> None:
    """What `numpy.save` writes for the blocks in one piece."""
    head = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, head)
    for block in blocks:
        file.write(np.ascontiguousarray(block).data)


def _as_rows(computed: Iterable[Any], n: int) -> Rows:
    rows = computed if isinstance(computed, np.ndarray) else np.stack(list(computed))
    if len(rows) != n:
        raise ValueError(f"compute gave {len(rows)} rows for {n} keys")
    return rows
