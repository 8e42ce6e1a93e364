"""Excel's .xlsx (ISO/IEC 29500): the first sheet that holds something. Formulas count as what they last showed."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, BinaryIO

from winnow.data.sources.source import Refused, RefusedSourceError
from winnow.data.sources.tables.table import Row, Table, distinct_columns
from winnow.errors import UserError
from winnow.events import Note

# What Excel itself allows; a file may claim more.
_MAX_ROWS = 1_048_576
_MAX_COLUMNS = 1024
_MAX_CELLS = 10_000_000
# Sheets of text shrink about tenfold; openpyxl holds all texts of a workbook in memory at once.
_BOMB_RATIO, _BOMB_BYTES = 100, 16 << 20
_MAX_PART_BYTES = 512 << 20
_MAX_TEXTS_BYTES = 128 << 20

Cells = tuple[Any, ...]


def read_excel(name: str, open_file: Callable[[], BinaryIO]) -> Table:
    """A table from a workbook.

    Raises:
        RefusedSourceError: E_EMPTY, no sheet holds rows; E_ARCHIVE_BOMB, it unpacks to far too much; E_ANN_SCHEMA, it
            is damaged, protected or no workbook.
    """
    import openpyxl  # takes 0.2 s

    with open_file() as file:
        _refuse_bomb(name, file)
        try:
            book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
            header, rows, notes = _first_sheet(name, book)
        except UserError:
            raise
        # A damaged or hostile workbook fails in many ways inside zipfile, the XML reader and openpyxl.
        except Exception as error:
            raise RefusedSourceError(
                "E_ANN_SCHEMA",
                f"{name} is no readable .xlsx workbook ({str(error)[:200]}): save it again in Excel, or as CSV.",
            ) from error
    columns, renamed = distinct_columns(["" if cell is None else str(cell) for cell in header])
    return Table(name, columns, partial(_rows, name, rows), (*notes, *renamed))


def _refuse_bomb(name: str, file: BinaryIO) -> None:
    try:
        parts = zipfile.ZipFile(file).infolist()
    # zipfile answers a damaged directory with many exceptions besides its own.
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OverflowError, OSError) as error:
        raise RefusedSourceError(
            "E_ANN_SCHEMA",
            f"{name} is no .xlsx workbook, or a protected one ({error}): save it in Excel without a password.",
        ) from error
    for part in parts:
        is_bomb = part.file_size > max(_BOMB_BYTES, _BOMB_RATIO * part.compress_size)
        limit = _MAX_TEXTS_BYTES if part.filename.endswith("sharedStrings.xml") else _MAX_PART_BYTES
        if is_bomb or part.file_size > limit:
            raise RefusedSourceError(
                "E_ARCHIVE_BOMB", f"{name} would unpack to {part.file_size >> 20} MB or more: save the table as CSV."
            )
    file.seek(0)


def _first_sheet(name: str, book: Any) -> tuple[Cells, list[tuple[int, Cells]], list[Note]]:
    """The cells of its header, its other rows with their numbers, and what to say."""
    filled = [(sheet, rows) for sheet in book.worksheets if (rows := _filled_rows(name, sheet))]
    if not filled:
        raise RefusedSourceError("E_EMPTY", f"{name} holds no rows: give one for each picture, below a row of names.")
    sheet, rows = filled[0]
    others = ", ".join(str(other.title) for other, _ in filled[1:6])
    text = f"Of {name} only the sheet '{sheet.title}' was read, not {others}: put all rows into one sheet."
    header = rows[0][1]
    return header, [(n, _fit(cells, len(header))) for n, cells in rows[1:]], [Note(text, True)] if others else []


def _filled_rows(name: str, sheet: Any) -> list[tuple[int, Cells]]:
    # A sheet may state its size wrongly, or as a million by sixteen thousand.
    sheet.reset_dimensions()
    rows: list[tuple[int, Cells]] = []
    n_cells, width = 0, _MAX_COLUMNS
    for number, cells in enumerate(sheet.iter_rows(max_row=_MAX_ROWS, max_col=_MAX_COLUMNS, values_only=True), 1):
        if not any(cell is not None for cell in cells):
            continue
        row = cells[:width]
        if not rows:
            row = _fit(row, max(i for i, cell in enumerate(row) if cell is not None) + 1)
            width = len(row)
        n_cells += len(row)
        if n_cells > _MAX_CELLS:
            raise RefusedSourceError(
                "E_ANN_SCHEMA", f"{name} has more than {_MAX_CELLS:,} cells: save the table as CSV or Parquet."
            )
        rows.append((number, row))
    return rows


def _fit(cells: Cells, width: int) -> Cells:
    return cells[:width] + (None,) * (width - len(cells))


def _rows(name: str, rows: list[tuple[int, Cells]]) -> Iterator[Row | Refused]:
    for number, cells in rows:
        yield Row(f"{name}, row {number}", cells)
