"""What every reader of tables gives: named columns, and rows that can be walked more than once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from enum import Enum
from numbers import Number
from pathlib import PurePath
from typing import Any
from uuid import UUID

import numpy as np

from winnow.data.sources.source import Refused
from winnow.events import Note


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        place: where it stands, as a user would look it up: "labels.csv, line 7".
        values: one for each column of its table: None, text, numbers, dates, bytes, lists, dicts,
            or what reads a picture that lies in the table (`read() -> bytes`).
    """

    place: str
    values: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Table:
    """A table that is read row by row, from its start as often as somebody asks.

    Attributes:
        name: as the user knows it: a file's path in its tree, or "the table".
        columns: all different, none empty.
        rows: walks the table; rows that cannot be used come as lines of the import report.
        notes: what was done to read it.
        class_names: of columns that hold numbers of classes: their names by number.
    """

    name: str
    columns: tuple[str, ...]
    rows: Callable[[], Iterator[Row | Refused]]
    notes: tuple[Note, ...] = ()
    class_names: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])


def is_plain(cell: Any) -> bool:
    """Is this nothing, text, a number or the like: what means the same in every run once it is written as text?"""
    kinds = str | Number | date | time | timedelta | PurePath | UUID | Enum | np.generic
    return cell is None or (isinstance(cell, kinds) and not isinstance(cell, bytes))


def dropped(place: str, why: str) -> Refused:
    """The line for a row that cannot be used."""
    return Refused(place, "W_ROW_DROPPED", why)


def distinct_columns(names: Sequence[str]) -> tuple[tuple[str, ...], tuple[Note, ...]]:
    """Trimmed, filled and distinct names of columns, and what to say where two were the same.

    >>> distinct_columns(["path", "", "path"])[0]
    ('path', 'column 2', 'path (2)')
    """
    taken: dict[str, None] = {}
    repeated: list[str] = []
    for i, name in enumerate(names):
        name = name.strip() or f"column {i + 1}"
        if name in taken:
            repeated.append(name)
            name = next(f"{name} ({n})" for n in range(2, len(names) + 2) if f"{name} ({n})" not in taken)
        taken[name] = None
    if not repeated:
        return tuple(taken), ()
    shown = ", ".join(sorted(set(repeated))[:5])
    text = f"Several columns are called {shown[:200]}: the first keeps its name, the others are numbered."
    return tuple(taken), (Note(text, is_warning=True, code="W_COLUMN_RENAMED"),)
