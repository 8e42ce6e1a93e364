"""Text with one row a line: commas, tabs, semicolons or bars between the cells (RFC 4180, read leniently)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import BinaryIO, TextIO

from winnow.data.sources.source import Refused, RefusedSourceError
from winnow.data.sources.tables.formulas import from_text
from winnow.data.sources.tables.names import USUAL_NAMES, is_header, looks_like_picture, plain
from winnow.data.sources.tables.table import Row, Table, distinct_columns, dropped
from winnow.data.sources.tables.text import encoding_of
from winnow.events import Note

_DELIMITERS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}
_SAMPLE_ROWS = 50
# A cell may hold a picture as text (base64); beyond this a quote was opened and never closed.
_MAX_CELL_CHARS = 16 << 20
_MAX_COLUMNS = 10_000
# A line of this many cells is no row of any table; to take it apart would cost a hundred times its size.
_MAX_CELLS, _LONG_LINE_CHARS = 100_000, 1 << 20
# What divides the cells is read off so much of the file's beginning.
_LOOKED_AT_CHARS = 256 << 10
# Each time the lines behind an open quote are read again.
_MAX_OPEN_QUOTES = 20

Open = Callable[[], BinaryIO]


def read_delimited(name: str, open_file: Open) -> Table:
    """A table of text. Its first row names the columns, unless it looks like data: then they are numbered.

    Rows of another length, with NUL bytes or with an endless cell are dropped, each with its line.

    Raises:
        RefusedSourceError: E_EMPTY, it holds no row; E_ANN_SCHEMA, it is no text.
    """
    with open_file() as file:
        encoding, notes = encoding_of(name, file)
    text = partial(_text, open_file, encoding)
    delimiter, skip = _delimiter(text)
    sample = _sample(text, delimiter, skip)
    if not sample:
        raise RefusedSourceError("E_ANN_SCHEMA", f"{name} has no line that can be read: save it as CSV in UTF-8.")
    header, has_header = _header(sample)
    if len(header) > _MAX_COLUMNS:
        raise RefusedSourceError(
            "E_ANN_SCHEMA", f"{name} has {len(header)} columns: give one row for each picture, not one column."
        )
    columns, renamed = distinct_columns([from_text(name) for name in header])
    walk = partial(_rows, name, text, delimiter, skip, len(columns), has_header)
    said = (*notes, *_about_delimiter(name, delimiter, encoding), *_about_header(name, has_header), *renamed)
    return Table(name, columns, walk, said)


def _text(open_file: Open, encoding: str) -> TextIO:
    return io.TextIOWrapper(open_file(), encoding, errors="replace", newline="")


class _Lines:
    """The lines of a text, and those of the row that is being read, which can be given back."""

    def __init__(self, file: TextIO, delimiter: str, skip: int) -> None:
        self._file = file
        self._delimiter = delimiter
        self._given_back: list[str] = []
        self._n_given_back = 0
        self._of_row: list[str] = []
        self.number = 0
        self.has_ended = False
        for _ in range(skip):
            next(self, None)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        # A file of one endless line comes in pieces, or it would fill the memory.
        line = self._given_back.pop() if self._given_back else self._file.readline(_MAX_CELL_CHARS)
        if not line:
            self.has_ended = True
            raise StopIteration
        self.number += 1
        self._of_row.append(line)
        if len(line) > _LONG_LINE_CHARS and (n := line.count(self._delimiter)) > _MAX_CELLS:
            raise csv.Error(f"it has {n + 1} cells")
        return line

    def begin_row(self) -> None:
        """The next line begins a row."""
        self._of_row = []
        self.has_ended = False

    def are_badly_quoted(self) -> bool:
        """Is the row one of several lines in which something stands behind a closing quote?"""
        if len(self._of_row) == 1:
            return False
        try:
            list(csv.reader(self._of_row, delimiter=self._delimiter, strict=True))
        except csv.Error:
            return True
        return False

    def give_back(self) -> int:
        """Give back all lines of the row but its first, of which this is the number."""
        rest = self._of_row[1:]
        if rest and self._n_given_back < _MAX_OPEN_QUOTES:
            self._given_back += reversed(rest)
            self._n_given_back += 1
            self.number -= len(rest)
        return self.number


def rows_of_text(
    text: Callable[[], TextIO], delimiter: str = ",", skip: int = 0
) -> Iterator[tuple[int, list[str] | str]]:
    """Rows that are not blank with the number of their (last) line; what is wrong with one that cannot be read.

    A quote that is not closed would make one cell of all that follows, to the next quote: it costs its own line only.
    """
    # The limit is one for the whole process; its default (131,072) would refuse small pictures in base64.
    csv.field_size_limit(_MAX_CELL_CHARS)
    with text() as file:
        lines = _Lines(file, delimiter, skip)
        reader = csv.reader(lines, delimiter=delimiter)
        while True:
            lines.begin_row()
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield lines.give_back(), str(error)
                continue
            if lines.has_ended or lines.are_badly_quoted():
                yield lines.give_back(), "a quote is opened and not closed"
            elif any(row):
                yield lines.number, row


def _sample(text: Callable[[], TextIO], delimiter: str, skip: int = 0) -> list[list[str]]:
    return [row for _, row in islice(rows_of_text(text, delimiter, skip), _SAMPLE_ROWS) if isinstance(row, list)]


def _delimiter(text: Callable[[], TextIO]) -> tuple[str, int]:
    """What divides the cells, and how many lines to skip: Excel may write "sep=;" above the header."""
    with text() as file:
        head = file.read(_LOOKED_AT_CHARS)
    first = re.match(r"[^\r\n]*", head)
    if first and (match := re.fullmatch(r"\s*sep=(.)\s*", first[0], re.IGNORECASE)):
        return match[1], 1
    if len(head) == _LOOKED_AT_CHARS:  # its last line may be cut off
        head = head[: head.rfind("\n") + 1] or head
    return max(_DELIMITERS, key=partial(_fit, partial(io.StringIO, head, newline=""))), 0


def _fit(text: Callable[[], TextIO], delimiter: str) -> tuple[float, int]:
    """How well a delimiter explains the first rows: the share that is as long as the header, then the length."""
    rows = _sample(text, delimiter)
    if not rows or len(rows[0]) < 2:
        return 0.0, 0
    return sum(len(row) == len(rows[0]) for row in rows) / len(rows), len(rows[0])


def _header(sample: Sequence[Sequence[str]]) -> tuple[list[str], bool]:
    first, rest = sample[0], sample[1:]
    if not is_header(first):
        return [f"column {i + 1}" for i in range(len(first))], False
    if rest and all(len(row) == len(first) + 1 and row[-1] for row in rest) and not _is_in_place(first, rest[0]):
        return ["row name", *first], True  # R names its rows, but not their column
    header = list(first)
    while header and not header[-1].strip() and all(len(row) < len(header) or not row[len(header) - 1] for row in rest):
        header.pop()  # spreadsheets write empty columns
    return header, True


def _is_in_place(header: Sequence[str], row: Sequence[str]) -> bool:
    """Does a row hold its picture below the name for it?"""
    named = (cell for name, cell in zip(header, row, strict=False) if plain(name) in USUAL_NAMES["picture"])
    return any(map(looks_like_picture, named))


def _rows(
    name: str, text: Callable[[], TextIO], delimiter: str, skip: int, width: int, has_header: bool
) -> Iterator[Row | Refused]:
    rows = rows_of_text(text, delimiter, skip)
    is_next_header = has_header
    for line, cells in rows:
        place = f"{name}, line {line}"
        if isinstance(cells, str):
            yield dropped(place, f"The row cannot be read ({cells}): mend its cells.")
        elif is_next_header:
            is_next_header = False
        else:
            yield _row(place, cells, width)


def _row(place: str, cells: list[str], width: int) -> Row | Refused:
    if len(cells) != width:
        if len(cells) < width or any(cells[width:]):
            return dropped(place, f"The row has {len(cells)} cells where the table has {width} columns: mend the row.")
        del cells[width:]
    if any("\0" in cell for cell in cells):
        return dropped(place, "The row holds NUL bytes, which no text has: save the table again.")
    return Row(place, [from_text(cell) if cell[:1] == "'" else cell for cell in cells])


def _about_delimiter(name: str, delimiter: str, encoding: str) -> Iterator[Note]:
    # Tabs are what the suffix promises, and what Excel's "Unicode text" (UTF-16) always has.
    has_tabs = name.casefold().endswith((".tsv", ".tab", ".txt"))
    if delimiter != ("\t" if has_tabs else ",") and (delimiter, encoding) != ("\t", "utf-16"):
        shown = _DELIMITERS.get(delimiter, f"'{delimiter}'")
        yield Note(f"The cells of {name} are divided by {shown}: it was read so.", code="W_DELIMITER")


def _about_header(name: str, has_header: bool) -> Iterator[Note]:
    if not has_header:
        text = f"The first line of {name} names no columns: it was read as a picture, and the columns were numbered."
        yield Note(text, is_warning=True, code="W_NO_HEADER")
