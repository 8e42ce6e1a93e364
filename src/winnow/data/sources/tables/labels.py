"""A cell, or several cells of 0 and 1, -> the labels of one picture."""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from winnow.data.sources.source import label_text
from winnow.data.sources.tables.table import Row, Table, is_plain
from winnow.events import Note

_MAX_LABEL_CHARS = 1000
_MAX_LABELS = 10_000
# Tables of more different cells than this hold no classes; looking on would cost memory.
_MAX_DISTINCT = 100_000

_TRUE = frozenset({"1", "1.0", "true", "yes", "y", "t"})
# CelebA and others write -1 for "no".
_FALSE = frozenset({"0", "0.0", "-1", "-1.0", "false", "no", "n", "f"})


# ISO/IEC 29500-1, section 18.17.3: what a cell shows whose formula has no value.
_ERRORS = frozenset({"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"})


class BadLabelError(ValueError):
    """The cell says no label; the text says why and what to do."""


def truth_of(cell: Any) -> bool | None:
    """What a cell of 0 and 1 says, or None if it says neither."""
    if isinstance(cell, bool):
        return cell
    if isinstance(cell, int | float):
        return True if cell == 1 else False if cell in (0, -1) else None
    text = str(cell).strip().casefold()
    return True if text in _TRUE else False if text in _FALSE else None


@dataclass(frozen=True, slots=True)
class LabelCells:
    """How the cells of the label columns are to be read.

    Attributes:
        indices: the columns.
        names: of columns of 0 and 1, the class of each; empty: the one column holds the classes.
        separator: what divides several labels in one cell; "[": they are written as a list; "": nothing.
        class_names: where the cell is a number of a class, the names by number.
    """

    indices: tuple[int, ...]
    names: tuple[str, ...] = ()
    separator: str = ""
    class_names: Sequence[str] = ()

    def labels(self, row: Sequence[Any]) -> tuple[str, ...] | None:
        """The labels of a row: None if nobody said, () if somebody looked and none applies.

        Raises:
            BadLabelError: the cells say no label.
        """
        if not self.indices:
            return None
        if self.names:
            return self._of_truths([row[i] for i in self.indices])
        cell = row[self.indices[0]]
        if isinstance(cell, str) and self.separator:
            cell = self._divided(cell)
        if isinstance(cell, np.ndarray) and cell.ndim == 1:  # pandas reads lists out of Parquet as arrays
            cell = cell.tolist()
        if isinstance(cell, list | tuple):
            return self._of_list(cell)
        text = self._text(cell)
        return None if text is None else (text,)

    def _of_truths(self, cells: Sequence[Any]) -> tuple[str, ...] | None:
        filled = [cell is not None and cell != "" and cell == cell for cell in cells]
        if not any(filled):
            return None
        labels: list[str] = []
        for name, cell, is_filled in zip(self.names, cells, filled, strict=True):
            truth = truth_of(cell) if is_filled else False
            if truth is None:
                raise BadLabelError(f"The column '{name[:100]}' holds {str(cell)[:50]!r} where 0 or 1 was expected.")
            if truth:
                labels.append(name)
        return tuple(labels)

    def _divided(self, cell: str) -> list[Any] | None:
        parts = divided(cell, self.separator)
        if parts is None and self.separator == "[" and cell.strip():
            raise BadLabelError(f"The label is no list as those of other rows are, but {cell[:50]!r}: mend it.")
        return parts

    def _of_list(self, cells: Sequence[Any]) -> tuple[str, ...]:
        if len(cells) > _MAX_LABELS:
            raise BadLabelError(f"The cell lists {len(cells)} labels: no picture has more than {_MAX_LABELS}.")
        texts = (self._text(cell) for cell in cells)
        return tuple(dict.fromkeys(text for text in texts if text is not None))

    def _text(self, cell: Any) -> str | None:
        if not is_plain(cell):
            raise BadLabelError(
                f"The label is of type {type(cell).__name__}, no text or number: name the right column."
            )
        if self.class_names and isinstance(cell, int | float) and cell == cell:
            return self._class_name(cell)
        text = label_text(cell)
        if text in _ERRORS:
            raise BadLabelError(f"The label is {text}, which a spreadsheet shows for a formula that failed: mend it.")
        if text is not None and len(text) > _MAX_LABEL_CHARS:
            raise BadLabelError(
                f"The label has {len(text)} characters, more than any class name: is a quote left open, "
                "or is this the right column?"
            )
        if text is not None and ("\n" in text or "\r" in text):
            raise BadLabelError("The label goes over several lines: is a quote left open here or in a row above?")
        return text

    def _class_name(self, number: float) -> str | None:
        if number == -1:  # Hugging Face's way of saying that nobody knows
            return None
        if not 0 <= number < len(self.class_names) or number != int(number):
            raise BadLabelError(
                f"The label is class {number}; the table names classes 0 to {len(self.class_names) - 1}."
            )
        name = label_text(self.class_names[int(number)])
        if name is None:
            raise BadLabelError(f"The label is class {int(number)}, to which the table gives no name: name it there.")
        return name


def label_cells(table: Table, indices: tuple[int, ...], is_one_hot: bool) -> tuple[LabelCells, list[Note]]:
    """How to read the labels of a table, and what to say about it. Walks the whole column: one cell proves nothing."""
    if is_one_hot:
        return LabelCells(indices, tuple(label_text(table.columns[i]) or f"column {i + 1}" for i in indices)), []
    if not indices:
        return LabelCells(()), []
    name = table.columns[indices[0]]
    cells = _distinct(table, indices[0])
    separator, notes = separator_of(cells, name)
    return LabelCells(indices, (), separator, table.class_names.get(name, ())), notes


def _distinct(table: Table, index: int) -> Sequence[str]:
    """All different texts of a column, or none if it holds no classes."""
    cells: dict[str, None] = {}

    for row in table.rows():
        if isinstance(row, Row) and isinstance(cell := row.values[index], str) and len(cell) <= _MAX_LABEL_CHARS:
            cells[cell.strip()] = None
            if len(cells) > _MAX_DISTINCT:
                return ()
    return [cell for cell in cells if cell]


def separator_of(cells: Sequence[str], column: str) -> tuple[str, list[Note]]:
    """What divides several labels within the cells of a column, and what to say about it.

    A name may hold a comma or a bar itself ("Smith, John"), so a sign counts as a separator only if the parts come
    back in other cells; a comma only if the parts are also fewer than the cells and stand alone or in other places.

    Args:
        cells: all different cells, trimmed, none empty.
    """
    if cells and all(cell[0] + cell[-1] in ("[]", "()") and _listed(cell) is not None for cell in cells):
        text = (
            f"The cells of '{column}' are written as lists, such as {cells[0][:80]}: they were read as several labels."
        )
        return "[", [Note(text, code="W_LABELS_SPLIT")]
    used = [sign for sign in "|;" if any(sign in cell for cell in cells)]
    if len(used) == 2:
        text = f"Some cells of '{column}' hold '|' and some ';': they were kept whole. Use one sign to divide labels."
        return "", [Note(text, is_warning=True, code="W_DELIMITER")]
    for sign in used or [","]:
        if _divides(cells, sign, is_strict=sign == ","):
            example = next(cell for cell in cells if sign in cell)
            text = f"Cells of '{column}' such as '{example[:80]}' were read as several labels, divided by '{sign}'."
            return sign, [Note(text, code="W_LABELS_SPLIT")]
    return "", []


def _divides(cells: Sequence[str], sign: str, *, is_strict: bool) -> bool:
    divided = [[part.strip() for part in cell.split(sign) if part.strip()] for cell in cells]
    if not any(len(parts) > 1 for parts in divided):
        return False
    in_cells = Counter(part for parts in divided for part in set(parts))
    if not is_strict:
        return any(count > 1 for count in in_cells.values())
    places: dict[str, set[int]] = {}
    for parts in divided:
        for place, part in enumerate(parts):
            places.setdefault(part, set()).add(place)
    come_back = sum(count for count in in_cells.values() if count > 1)
    # "Last, first" has two parts each time, and what is first never comes last.
    is_free = len({len(parts) for parts in divided}) > 1 and any(
        len(where) > 1 or [part] in divided for part, where in places.items()
    )
    return is_free and len(in_cells) < len(cells) and come_back >= 0.8 * in_cells.total()


def divided(cell: str, separator: str) -> list[Any] | None:
    """The labels in one cell, by what `separator_of` found ("[": written as a list); None if there is none."""
    if separator == "[":
        return _listed(cell.strip()) if cell.strip() else None
    return [part for part in cell.split(separator) if part.strip()] or None


def _listed(cell: str) -> list[Any] | None:
    """A list as JSON or Python writes it, such as ['cat', 'dog']."""
    try:
        items: Any = json.loads(cell)
    except (ValueError, RecursionError):
        try:
            items = ast.literal_eval(cell)
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            return None
    if not isinstance(items, list | tuple) or any(isinstance(item, list | tuple | dict | set) for item in items):
        return None
    return list(items)
