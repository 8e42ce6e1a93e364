"""Parquet files, read a little at a time. Pictures inside stay there until each is needed."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from winnow.data.decode import UnreadablePictureError
from winnow.data.sources.source import Refused, RefusedSourceError
from winnow.data.sources.tables.arrow_cells import cells_of, unheld_among
from winnow.data.sources.tables.class_labels import class_names_of
from winnow.data.sources.tables.table import Row, Table, distinct_columns, dropped

_BATCH_ROWS = 1024
_PICTURE_ROWS = 16
# Of pictures read ahead of, or between, those that were asked for.
_KEPT_BYTES = 128 << 20
_MAX_OPEN = 4
# Rows that differ, as those of pictures do, take a byte or more each; a million equal rows fit into a few bytes.
_MAX_CHEAP_ROWS, _MAX_ROWS_A_BYTE = 100_000, 8
_BUFFER_BYTES = 1 << 20

_BROKEN = (pa.ArrowException, ValueError, TypeError, KeyError, OSError, MemoryError, OverflowError)
"""What pyarrow raises for damaged files."""


def read_parquet(name: str, source: Path | bytes) -> Table:
    """A table in a Parquet file (or its bytes).

    Raises:
        RefusedSourceError: E_ANN_SCHEMA, it cannot be read.
    """
    try:
        with _opened(source) as file:
            schema: pa.Schema = file.schema_arrow
            class_names = class_names_of(schema)
            columns, notes = distinct_columns(schema.names)
            n_rows, n_bytes = file.metadata.num_rows, _n_bytes(source)
    except _BROKEN as error:
        raise _damaged(name, error) from error
    if len(set(schema.names)) < len(schema.names):  # they are read by their names
        twice = next(column for column, n in Counter(schema.names).items() if n > 1)
        raise RefusedSourceError(
            "E_ANN_SCHEMA", f"{name} has several columns called '{twice[:100]}': rename all but one."
        )
    if n_rows > max(_MAX_CHEAP_ROWS, _MAX_ROWS_A_BYTE * n_bytes):
        raise RefusedSourceError(
            "E_ARCHIVE_BOMB",
            f"{name} would unpack to {n_rows} rows out of {n_bytes} bytes: give a row for each picture.",
        )
    names = {new: class_names[old] for new, old in zip(columns, schema.names, strict=True) if old in class_names}
    pictures = {field.name: leaf for field in schema if (leaf := _picture_leaf(field)) is not None}
    kept = {column: _Pictures(source, leaf) for column, leaf in pictures.items()}
    return Table(name, columns, partial(_rows, name, source, schema, kept), notes, names)


def _n_bytes(source: Path | bytes) -> int:
    return len(source) if isinstance(source, bytes) else source.stat().st_size


def _opened(source: Path | bytes) -> pq.ParquetFile:
    # Not mapped into memory: a file that gets shorter meanwhile would kill the process. Not read ahead: a row group
    # may hold a million pictures.
    where = pa.BufferReader(source) if isinstance(source, bytes) else str(source)
    return pq.ParquetFile(where, memory_map=False, pre_buffer=False, buffer_size=_BUFFER_BYTES)


def _picture_leaf(field: pa.Field) -> str | None:
    """The path of the bytes, if this column holds some: `image`, or `image.bytes` of Hugging Face's struct."""
    if _is_binary(field.type):
        return field.name
    if pa.types.is_struct(field.type):
        index = field.type.get_field_index("bytes")
        if index >= 0 and _is_binary(field.type.field(index).type):
            return f"{field.name}.bytes"
    return None


def _is_binary(kind: pa.DataType) -> bool:
    return any(
        is_kind(kind)
        for is_kind in (
            pa.types.is_binary,
            pa.types.is_large_binary,
            pa.types.is_fixed_size_binary,
            pa.types.is_binary_view,
        )
    )


def _rows(
    name: str, source: Path | bytes, schema: pa.Schema, pictures: dict[str, _Pictures]
) -> Iterator[Row | Refused]:
    plain = [column for column in schema.names if column not in pictures]
    paths = {column: f"{column}.path" for column in pictures if _has_path(schema.field(column))}
    n = 0
    try:
        with _opened(source) as file:
            for group in range(file.metadata.num_row_groups):
                for start, cells in _batches(file, group, [*plain, *paths.values()]):
                    n_rows = len(next(iter(cells.values()))) if cells else file.metadata.row_group(group).num_rows
                    for i in range(n_rows):
                        at = (group, start + i)
                        values = [
                            _stored(pictures[column], at, cells.get(column), i)
                            if column in pictures
                            else cells[column][i]
                            for column in schema.names
                        ]
                        why = unheld_among(values)
                        yield Row(f"{name}[{n}]", values) if why is None else dropped(f"{name}[{n}]", why)
                        n += 1
    except _BROKEN as error:
        raise _damaged(name, error) from error


def _batches(file: pq.ParquetFile, group: int, leaves: list[str]) -> Iterator[tuple[int, dict[str, list[Any]]]]:
    if not leaves:
        yield 0, {}
        return
    start = 0
    for batch in file.iter_batches(_BATCH_ROWS, row_groups=[group], columns=leaves, use_threads=False):
        names = batch.schema.names
        yield start, {column: cells_of(batch.column(i)) for i, column in enumerate(names)}
        start += batch.num_rows


def _has_path(field: pa.Field) -> bool:
    return pa.types.is_struct(field.type) and field.type.get_field_index("path") >= 0


def _stored(pictures: _Pictures, at: tuple[int, int], structs: list[Any] | None, i: int) -> StoredInParquet:
    struct = structs[i] if structs is not None else None
    path = struct.get("path") if isinstance(struct, dict) else None
    return StoredInParquet(pictures, *at, path if isinstance(path, str) else None)


@dataclass(frozen=True, slots=True)
class StoredInParquet:
    """A picture in a Parquet file.

    Attributes:
        path: what its file was called once, if that is known.
    """

    _pictures: _Pictures = field(repr=False)
    _group: int
    _row: int
    path: str | None

    def read(self) -> bytes:
        """Its bytes; raises UnreadablePictureError."""
        return self._pictures.read(self._group, self._row)


class _Pictures:
    """One column of pictures, read in batches from the start of a row group.

    Whoever asks mostly asks in order, from several threads: so the batch goes on from where it is, and what is read on
    the way is kept a while. Going back further starts the row group anew.
    """

    def __init__(self, source: Path | bytes, leaf: str) -> None:
        self._source = source
        self._leaf = leaf
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[int, int], bytes | None] = OrderedDict()
        self._n_bytes = 0
        self._cursors: OrderedDict[int, _Cursor] = OrderedDict()

    def read(self, group: int, row: int) -> bytes:
        """The picture's bytes."""
        with self._lock:
            try:
                data = self._fetch(group, row)
            except _BROKEN as error:
                self._cursors.pop(group, None)
                raise UnreadablePictureError(
                    "E_CORRUPT", f"The Parquet file is damaged here ({str(error)[:200]}): write it again."
                ) from error
        if data is None:
            raise UnreadablePictureError("E_EMPTY", "The row holds no picture: fill in its bytes.")
        return data

    def _fetch(self, group: int, row: int) -> bytes | None:
        at = (group, row)
        if at not in self._kept:
            cursor = self._cursors.get(group)
            if cursor is None or cursor.position > row:
                cursor = self._cursors[group] = _Cursor(self._source, self._leaf, group)
            self._cursors.move_to_end(group)
            while len(self._cursors) > _MAX_OPEN:
                self._cursors.popitem(last=False)
            while cursor.position <= row:
                for i, data in enumerate(cursor.next_batch()):
                    self._keep((group, cursor.position - cursor.n_read + i), data, wanted=at)
        # It was asked for: of all that are kept it is the first to go.
        self._kept.move_to_end(at, last=False)
        return self._kept[at]

    def _keep(self, at: tuple[int, int], data: bytes | None, *, wanted: tuple[int, int]) -> None:
        if at in self._kept:
            return
        self._kept[at] = data
        self._n_bytes += len(data or b"")
        while self._n_bytes > _KEPT_BYTES and (oldest := next(iter(self._kept))) != wanted and oldest != at:
            self._n_bytes -= len(self._kept.pop(oldest) or b"")


class _Cursor:
    """Where a row group is being read: `position` is the row after the last batch, `n_read` that batch's rows."""

    def __init__(self, source: Path | bytes, leaf: str, group: int) -> None:
        self.position = self.n_read = 0
        file = _opened(source)
        self._batches = file.iter_batches(_PICTURE_ROWS, row_groups=[group], columns=[leaf], use_threads=False)

    def next_batch(self) -> list[bytes | None]:
        """The next pictures; raises ValueError behind the last."""
        batch = next(self._batches, None)
        if batch is None or not batch.num_rows:
            raise ValueError("it has fewer rows than it says")
        self.n_read = batch.num_rows
        self.position += self.n_read
        column = batch.column(0)
        cells = (cell["bytes"] if isinstance(cell, dict) else cell for cell in column.to_pylist())
        return [bytes(cell) if cell is not None else None for cell in cells]


def _damaged(name: str, error: BaseException) -> RefusedSourceError:
    return RefusedSourceError(
        "E_ANN_SCHEMA", f"{name} cannot be read as Parquet ({str(error)[:200]}): check that it opens elsewhere."
    )
