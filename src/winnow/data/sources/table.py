"""Tables of paths and labels: CSV and TSV files, Parquet files, and DataFrames (pandas, polars, pyarrow)."""

from __future__ import annotations

import csv
import io
import posixpath
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from winnow.data.sources.source import (
    Found,
    ImportOptions,
    Refused,
    RefusedSourceError,
    label_text,
    one_label,
    split_named,
)
from winnow.data.sources.tree import Tree
from winnow.errors import BadDataError, UserError, did_you_mean
from winnow.events import Note

_SUFFIXES = (".csv", ".tsv", ".tab", ".parquet")
_NAMES = {
    "path": ("path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path", "img"),
    "label": ("label", "class", "target", "category", "y", "class_name"),
    "split": ("split", "subset", "partition"),
    "group": ("group", "group_id", "patient", "patient_id", "subject", "video"),
}

Columns = dict[str, list[Any]]


class TableFile:
    """One row a picture: where it lies, its class and, if there are such columns, its split and group."""

    name = "a CSV, TSV or Parquet file of paths and labels"

    def recognise(self, tree: Tree, only: str | None) -> list[str] | None:
        """A file of a known suffix."""
        return [only] if only is not None and only.casefold().endswith(_SUFFIXES) else None

    def find(self, tree: Tree, files: list[str], options: ImportOptions) -> Iterator[Found | Refused | Note]:
        """The rows in their order. Paths start at the file's folder and stay in it: it may come from a stranger.

        Raises:
            BadDataError: the table cannot be read or has no rows.
            UserError: no column holds paths or labels.
        """
        columns, note = _columns(tree, files[0])
        if note is not None:
            yield note
        yield from _rows(columns, options, tree)


class DataFrame:
    """The same as an object: pandas, polars, pyarrow. Its paths start where Winnow runs and go anywhere."""

    name = "a DataFrame of paths and labels"

    def matches(self, source: object) -> bool:
        """Anything that speaks Arrow."""
        return isinstance(source, pa.Table) or hasattr(source, "__arrow_c_stream__") or _is_pandas(source)

    def find(self, source: Any, options: ImportOptions) -> Iterator[Found | Refused | Note]:
        """The rows in their order.

        Raises:
            BadDataError: the table cannot be read or has no rows.
            UserError: no column holds paths or labels.
        """
        try:
            table = _as_arrow(source)
        except (pa.ArrowException, ValueError, TypeError) as error:
            raise BadDataError(f"The table cannot be read ({error}): check that it opens elsewhere.") from error
        return _rows(_lists(table), options, None)


def _rows(columns: Columns, options: ImportOptions, tree: Tree | None) -> Iterator[Found | Refused]:
    paths = _pick(columns, "path", options.path_column)
    labels = _pick(columns, "label", next(iter(options.label_columns), None))
    if not paths:
        raise RefusedSourceError("E_EMPTY", "The table has no rows: give one row for each picture.")
    splits = _pick(columns, "split", options.split_column, is_needed=False) or [None] * len(paths)
    groups = _pick(columns, "group", options.group_column, is_needed=False) or [None] * len(paths)
    for row, (path, label, split, group) in enumerate(zip(paths, labels, splits, groups, strict=True)):
        part = split_named(str(split)) if split is not None else None
        if isinstance(path, bytes):
            yield Found(f"row {row}", partial(bytes, path), one_label(label), split=part, group=label_text(group))
        else:
            yield _found(tree, row, path, one_label(label), part, label_text(group))


def _found(
    tree: Tree | None, row: int, path: Any, labels: tuple[str, ...] | None, split: str | None, group: str | None
) -> Found | Refused:
    text = label_text(path)
    if text is None or "\0" in text:
        return Refused(f"row {row}", "E_ANN_PATH", "The row names no file: fill in its path.")
    if text.casefold().startswith(("http:", "https:", "ftp:", "file:", "data:", "s3:", "gs:")):
        return Refused(text[:200], "E_URL_BLOCKED", "URLs are not opened: download the picture, then import it.")
    source = PurePosixPath(text.replace("\\", "/")).as_posix()
    if tree is None:
        return Found(source, Path(text).read_bytes, labels, split=split, group=group, path=Path(text))
    inside = posixpath.normpath(source)
    if inside.startswith(("../", "/")) or inside == "..":
        return Refused(
            source,
            "E_ANN_PATH",
            "The path leaves the table's folder: put the table above the pictures, or pass it as a DataFrame.",
        )
    return Found(source, tree.reader(inside), labels, split=split, group=group, path=tree.file(inside))


def _pick(columns: Columns, what: str, asked: str | None, *, is_needed: bool = True) -> list[Any]:
    """The column that was asked for, or else the first with a usual name."""
    if asked is not None:
        if asked not in columns:
            hint = did_you_mean(asked, columns, otherwise=f"Columns: {', '.join(columns)}.")
            raise UserError(f"The table has no column '{asked}'. {hint}")
        return columns[asked]
    by_name = {name.strip().casefold(): name for name in reversed(columns)}
    for usual in _NAMES[what]:
        if usual in by_name:
            return columns[by_name[usual]]
    if is_needed:
        raise UserError(
            f"No column of the table is called {' or '.join(_NAMES[what])} (columns: {', '.join(columns)}): "
            f"say which holds the {what}s, with {what}_column."
        )
    return []


def _columns(tree: Tree, path: str) -> tuple[Columns, Note | None]:
    data = tree.reader(path)()
    if not path.casefold().endswith(".parquet"):
        return _read_delimited(path, data)
    try:
        return _lists(pq.read_table(io.BytesIO(data))), None
    except (pa.ArrowException, ValueError, TypeError) as error:
        raise BadDataError(f"The table cannot be read ({error}): check that it opens elsewhere.") from error


def _lists(table: pa.Table) -> Columns:
    return {str(name): table.column(i).to_pylist() for i, name in enumerate(table.column_names)}


def _as_arrow(source: Any) -> pa.Table:
    if isinstance(source, pa.Table):
        return source
    if _is_pandas(source):  # before the capsule: its paths may be Path objects, which Arrow does not know
        return pa.table({str(name): _plain(source[name].tolist()) for name in source.columns})
    return pa.table(source)


def _plain(values: list[Any]) -> pa.Array:
    return pa.array([str(v) if isinstance(v, PurePath) else v for v in values], from_pandas=True)


def _is_pandas(source: object) -> bool:
    kind = type(source)
    return kind.__module__.split(".")[0] == "pandas" and kind.__name__ == "DataFrame"


def _read_delimited(path: str, data: bytes) -> tuple[Columns, Note | None]:
    if not data.strip():
        raise RefusedSourceError("E_EMPTY", f"{path} is empty: it needs a line of column names and one row a picture.")
    text, note = _text(data)
    first_line = text.lstrip("\r\n").splitlines()[0]
    delimiter = max("\t,;|", key=first_line.count)
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(row)]
    except csv.Error as error:
        raise RefusedSourceError(
            "E_ANN_SCHEMA", f"{path} is no table of text ({error}): save it as CSV in UTF-8."
        ) from error
    header = [name.strip() for name in rows[0]]
    return _transpose(header, rows[1:]), note


def _transpose(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Columns:
    return {name: [row[i] if i < len(row) else None for row in rows] for i, name in enumerate(header)}


def _text(data: bytes) -> tuple[str, Note | None]:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):  # Excel's "Unicode text"
        return data.decode("utf-16", errors="replace"), None
    try:
        return data.decode("utf-8-sig"), None
    except UnicodeDecodeError:
        note = Note(
            "The table is not in UTF-8: it was read as Windows-1252. Check names with accents.",
            is_warning=True,
        )
        return data.decode("cp1252", errors="replace"), note
