"""A file of a tree -> a table, by what is in it rather than by its name: people rename."""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path
from typing import BinaryIO

from winnow.data.sources.source import RefusedSourceError
from winnow.data.sources.tables.delimited import read_delimited
from winnow.data.sources.tables.excel import read_excel
from winnow.data.sources.tables.parquet import read_parquet
from winnow.data.sources.tables.records import read_records
from winnow.data.sources.tables.table import Table
from winnow.data.sources.tree import Tree

TEXT_SUFFIXES = (".csv", ".tsv", ".tab", ".psv")
RECORD_SUFFIXES = (".jsonl", ".ndjson", ".json")
PARQUET_SUFFIXES = (".parquet", ".pq")
EXCEL_SUFFIXES = (".xlsx", ".xlsm")
_UNREAD_SUFFIXES = (".xls", ".xlsb", ".ods", ".numbers")
SUFFIXES = (*TEXT_SUFFIXES, *RECORD_SUFFIXES, *PARQUET_SUFFIXES, *EXCEL_SUFFIXES, *_UNREAD_SUFFIXES)

_OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def read_table(tree: Tree, path: str) -> Table:
    """The table in a file.

    Raises:
        RefusedSourceError: E_EMPTY, there is nothing in it; E_ANN_SCHEMA or E_ANN_JSON, it cannot be read;
            E_ARCHIVE_BOMB, it is a workbook that unpacks to far too much; E_UNREADABLE, the disk refused.
    """
    try:
        return _read(tree, path)
    except OSError as error:
        raise RefusedSourceError(
            "E_UNREADABLE",
            f"{path} cannot be read ({error.strerror or error}): check that it is there, and its rights.",
        ) from error


def _read(tree: Tree, path: str) -> Table:
    source = _source(tree, path)
    open_file = partial(_open, source)
    with open_file() as file:
        head = file.read(64)
    name = path.casefold()
    if head.startswith(b"PAR1") or name.endswith(PARQUET_SUFFIXES):
        _refuse_empty(path, head)
        return read_parquet(path, source)
    if head.startswith(_OLD_EXCEL) or name.endswith(_UNREAD_SUFFIXES):
        raise RefusedSourceError(
            "E_ANN_SCHEMA", f"{path} is a kind of spreadsheet that is not read: save it as .xlsx or CSV."
        )
    if head.startswith(b"PK\3\4") or name.endswith(EXCEL_SUFFIXES):
        _refuse_empty(path, head)
        return read_excel(path, open_file)
    return read_records(path, open_file) if name.endswith(RECORD_SUFFIXES) else read_delimited(path, open_file)


def _source(tree: Tree, path: str) -> Path | bytes:
    """The file itself where it lies on this machine, so that it can be read piece by piece; else its bytes."""
    file = tree.file(path)
    # A pipe would wait for ever; the tree's own reader says so.
    return file if file is not None and file.is_file() else tree.reader(path)()


def _open(source: Path | bytes) -> BinaryIO:
    return io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")


def _refuse_empty(path: str, head: bytes) -> None:
    if not head:
        raise RefusedSourceError("E_EMPTY", f"{path} is empty (0 bytes): copy or export it again.")
