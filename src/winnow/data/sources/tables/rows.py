"""The rows of a table -> pictures with all that is said of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time
from decimal import Decimal
from typing import Any

from winnow.data.sources.source import Found, ImportOptions, Refused, RefusedSourceError, label_text, split_named
from winnow.data.sources.tables.columns import Roles, choose_columns
from winnow.data.sources.tables.labels import BadLabelError, label_cells
from winnow.data.sources.tables.pictures import Cell, PictureCells
from winnow.data.sources.tables.repeated import joined_labels, key_of
from winnow.data.sources.tables.table import Row, Table, dropped, is_plain
from winnow.data.sources.tables.times import iso_time
from winnow.events import Note

_SAMPLE_ROWS, _SAMPLE_CELLS = 2000, 1_000_000
# Of longer cells the sample keeps the beginning, which tells pictures written as text from other texts.
_SAMPLE_CHARS = 4096
_MAX_TEXT_CHARS = 1000
# A table of features beside the labels is nothing to carry along with each picture.
_MAX_METADATA = 100


class TableRows:
    """What a table says of its pictures.

    Args:
        needs_labels: is a table without any labels a mistake?
        guesses_labels: may a column of no usual name hold them?
        split: of all rows, where no column says it.

    Raises:
        RefusedSourceError: E_EMPTY, the table has no rows.
        UserError: a column that the user named is not there, or none (or several) may hold pictures or labels.
    """

    def __init__(
        self,
        table: Table,
        pictures: PictureCells,
        options: ImportOptions,
        *,
        needs_labels: bool = True,
        guesses_labels: bool = True,
        split: str | None = None,
    ) -> None:
        self._table = table
        self._pictures = pictures
        self._split = split
        self._is_split_asked = options.split_column is not None
        self._is_weight_asked = options.weight_column is not None
        self.sample = sample_of(table)
        self.roles = choose_columns(
            table.columns,
            self.sample,
            options,
            pictures.holds,
            needs_labels=needs_labels,
            guesses_labels=guesses_labels,
        )

    def share_found(self) -> float:
        """Which share of the first rows names pictures that are there."""
        cells = [row[self.roles.picture] for row in self.sample[:200]]
        return sum(map(self._pictures.holds, cells)) / len(cells)

    def count(self) -> int:
        """How many rows can be used; walks the table."""
        return sum(isinstance(row, Row) for row in self._table.rows())

    def found(self) -> Iterator[Found | Refused | Note]:
        """The rows in their order; what was done to read them comes first, what could not be used last."""
        yield from self._table.notes
        cells, notes = label_cells(self._table, self.roles.labels, self.roles.is_one_hot)
        yield from notes
        joined, notes = joined_labels(self._table, self.roles.picture, cells)
        yield from notes
        seen: set[str] = set()
        unknown = _Unknown()
        for row in self._table.rows():
            if isinstance(row, Refused):
                yield row
                continue
            try:
                labels = cells.labels(row.values)
            except BadLabelError as error:
                yield dropped(row.place, str(error))
                continue
            if (key := key_of(row.values[self.roles.picture])) in joined:
                if key in seen:
                    continue
                seen.add(key)
                labels = joined[key]
            yield self._picture(row, labels, unknown)
        yield from unknown.notes(self._table, self.roles, is_split_asked=self._is_split_asked)
        yield from self._about_weights()
        yield from self._about_metadata()

    def _picture(self, row: Row, labels: tuple[str, ...] | None, unknown: _Unknown) -> Found | Refused:
        roles, values = self.roles, row.values
        weight = _weight(_at(values, roles.weight))
        if weight is None:
            return dropped(row.place, f"Its weight is {str(values[roles.weight or 0])[:50]}, not a number above 0.")
        if not is_plain(group := _at(values, roles.group)):
            return dropped(row.place, f"Its group is of type {type(group).__name__}, no text or number: mend it.")
        cell = self._pictures.find(row.place, values[roles.picture])
        if isinstance(cell, Refused):
            return cell
        return Found(
            cell.source,
            cell.read,
            labels,
            split=unknown.split(_at(values, roles.split)) or self._split,
            group=_group(group),
            weight=weight,
            taken=unknown.time(_at(values, roles.time)),
            metadata=self._metadata(values, cell),
            path=cell.path,
        )

    def _metadata(self, values: Sequence[Any], cell: Cell) -> Mapping[str, str]:
        columns = self._table.columns
        said = {} if cell.name is None else {"file_name": cell.name[:_MAX_TEXT_CHARS]}
        for i in self.roles.metadata[:_MAX_METADATA]:
            if (text := plain_text(values[i])) is not None:
                said[columns[i][:_MAX_TEXT_CHARS]] = text
        return said

    def _about_weights(self) -> Iterator[Note]:
        if self.roles.weight is not None and not self._is_weight_asked:
            name = self._table.columns[self.roles.weight]
            yield Note(f"The column '{name}' says how much each picture counts. If it says something else, rename it.")

    def _about_metadata(self) -> Iterator[Note]:
        if (n := len(self.roles.metadata)) > _MAX_METADATA:
            yield Note(
                f"Of {n} further columns of {self._table.name}, the first {_MAX_METADATA} were kept with the pictures."
            )


class _Unknown:
    """Counts what columns of splits and times say and nobody understands."""

    def __init__(self) -> None:
        self._splits: Counter[str] = Counter()
        self._times: Counter[str] = Counter()

    def split(self, cell: Any) -> str | None:
        text = label_text(cell)
        split = None if text is None else split_named(text)
        if split is None and text is not None:
            self._count(self._splits, text)
        return split

    def time(self, cell: Any) -> str | None:
        taken = iso_time(cell)
        if taken is None and (text := label_text(cell)) is not None:
            self._count(self._times, text)
        return taken

    def notes(self, table: Table, roles: Roles, *, is_split_asked: bool) -> Iterator[Note]:
        if self._splits and roles.split is not None:
            text = _shown(
                self._splits, f"The column '{table.columns[roles.split]}' of {table.name} names no known split"
            )
            yield Note(f"{text}: write train, validation or test.", is_warning=is_split_asked, code="W_SPLIT_UNKNOWN")
        if self._times and roles.time is not None:
            text = _shown(self._times, f"The column '{table.columns[roles.time]}' of {table.name} tells no clear date")
            yield Note(f"{text}: write 2024-05-31 or 2024-05-31T13:00:00.", code="W_TIME_UNKNOWN")

    def _count(self, counter: Counter[str], text: str) -> None:
        counter[text[:50] if len(counter) < 100 else "others"] += 1


def _shown(counter: Counter[str], text: str) -> str:
    examples = ", ".join(f"'{value}'" for value, _ in counter.most_common(3))
    return f"{text} in {counter.total()} rows ({examples})"


def sample_of(table: Table) -> list[Sequence[Any]]:
    """The values of the first rows.

    Raises:
        RefusedSourceError: E_EMPTY, there is none.
    """
    refused: Refused | None = None
    sample: list[Sequence[Any]] = []
    for row in table.rows():
        if isinstance(row, Refused):
            refused = refused or row
            continue
        sample.append([_beginning(cell) for cell in row.values])
        if len(sample) >= min(_SAMPLE_ROWS, _SAMPLE_CELLS // len(row.values)):
            break
    if not sample and refused is not None:
        raise RefusedSourceError(
            "E_ANN_SCHEMA", f"No row of {table.name} can be used. {refused.source}: {refused.reason}"
        )
    if not sample:
        raise RefusedSourceError("E_EMPTY", f"{table.name} has no rows: give one row for each picture.")
    return sample


def _beginning(cell: Any) -> Any:
    return cell[:_SAMPLE_CHARS] if isinstance(cell, str) and len(cell) > _SAMPLE_CHARS else cell


def _at(values: Sequence[Any], index: int | None) -> Any:
    return None if index is None else values[index]


def _weight(cell: Any) -> float | None:
    """1 where the cell is empty, None where it holds no weight."""
    if cell is None or cell == "" or cell != cell:
        return 1.0
    try:
        weight = float(cell)
    except (TypeError, ValueError, OverflowError):
        return None
    return weight if weight > 0 and math.isfinite(weight) else None


def _group(cell: Any) -> str | None:
    text = label_text(cell)
    return None if text is None else text[:_MAX_TEXT_CHARS]


def plain_text(cell: Any) -> str | None:
    """A number, date or text as it is kept beside a picture, cut after 1,000 characters; None for anything else."""
    if not isinstance(cell, str | int | float | Decimal | date | time):  # a bool is an int, a datetime a date
        return None
    text = label_text(cell)
    return None if text is None else text[:_MAX_TEXT_CHARS]
