"""Excel's .xlsx (ISO/IEC 29500): the first sheet that holds something. Formulas count as what they last showed."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, BinaryIO

from winnow.data.sources.source import Refused, RefusedSourceError
from winnow.data.sources.tables.names import is_header
from winnow.data.sources.tables.table import Row, Table, distinct_columns
from winnow.errors import UserError
from winnow.events import Note

# What Excel itself allows; a file may claim more.
_MAX_ROWS = 1_048_576
_MAX_COLUMNS = 1024
_MAX_CELLS = 10_000_000
# A file may claim a cell in the last row and leave all above it blank: behind so many, the table has ended.
_MAX_BLANK_ROWS = 10_000
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

    # It warns of everything it does not keep of a workbook (charts, checks of input): nothing a table needs.
    warnings.filterwarnings("ignore", category=UserWarning, module=r"openpyxl\.")
    with open_file() as file:
        _refuse_bomb(name, file)
        try:
            book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
            (first, header), rows, notes = _first_sheet(name, book)
        except UserError:
            raise
        # A damaged or hostile workbook fails in many ways inside zipfile, the XML reader and openpyxl.
        except Exception as error:
            raise RefusedSourceError(
                "E_ANN_SCHEMA",
                f"{name} is no readable .xlsx workbook ({str(error)[:200]}): save it again in Excel, or as CSV.",
            ) from error
    names = ["" if cell is None else str(cell) for cell in header]
    if not is_header(names):
        text = f"The first row of {name} names no columns: it was read as a picture, and the columns were numbered."
        notes.append(Note(text, is_warning=True, code="W_NO_HEADER"))
        names, rows = [""] * len(names), [(first, header), *rows]
    columns, renamed = distinct_columns(names)
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


def _first_sheet(name: str, book: Any) -> tuple[tuple[int, Cells], list[tuple[int, Cells]], list[Note]]:
    """Its first row, which may be a header, its other rows, all with their numbers, and what to say."""
    filled = [(sheet, rows) for sheet in book.worksheets if (rows := _filled_rows(name, sheet))]
    if not filled:
        raise RefusedSourceError("E_EMPTY", f"{name} holds no rows: give one for each picture, below a row of names.")
    sheet, rows = filled[0]
    others = ", ".join(str(other.title) for other, _ in filled[1:6])
    text = f"Of {name} only the sheet '{sheet.title}' was read, not {others}: put all rows into one sheet."
    return rows[0], rows[1:], [Note(text, is_warning=True, code="W_ROW_DROPPED")] if others else []


def _filled_rows(name: str, sheet: Any) -> list[tuple[int, Cells]]:
    # A sheet may state its size wrongly, or as a million by sixteen thousand.
    sheet.reset_dimensions()
    header = next((cells for _, cells in _walk(sheet, _MAX_COLUMNS)), ())
    width = max((i + 1 for i, cell in enumerate(header) if cell is not None), default=0)
    rows: list[tuple[int, Cells]] = []
    for number, cells in _walk(sheet, width):
        if len(rows) * width > _MAX_CELLS:
            raise RefusedSourceError(
                "E_ANN_SCHEMA", f"{name} has more than {_MAX_CELLS:,} cells: save the table as CSV or Parquet."
            )
        rows.append((number, cells))
    return rows


def _walk(sheet: Any, width: int) -> Iterator[tuple[int, Cells]]:
    """Rows that are not blank, with their numbers from 1."""
    n_blank = 0
    if not width:
        return
    for number, cells in enumerate(sheet.iter_rows(max_row=_MAX_ROWS, max_col=width, values_only=True), 1):
        n_blank = n_blank + 1 if cells.count(None) == len(cells) else 0
        if n_blank > _MAX_BLANK_ROWS:
            return
        if not n_blank:
            yield number, cells


def _rows(name: str, rows: list[tuple[int, Cells]]) -> Iterator[Row | Refused]:
    for number, cells in rows:
        yield Row(f"{name}, row {number}", cells)
