"""Which column says what: what the user said, else its name, else what is in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from winnow.data.sources.source import ImportOptions, RefusedSourceError, label_text, split_named
from winnow.data.sources.tables.labels import truth_of
from winnow.data.sources.tables.names import LABEL_NAME_COLUMNS, USUAL_NAMES, WEAK_PICTURE_NAMES, Role, plain
from winnow.data.sources.tables.times import iso_time
from winnow.errors import UserError, did_you_mean

# Enough to see what a column holds; looking whether a file exists costs a call to the disk each.
_LOOKED_AT = 100
# A class name that is longer is a description.
_MAX_CLASS_CHARS = 120
# With fewer rows, classes have no chance to come back.
_FEW_ROWS = 20

Holds = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Roles:
    """What the columns of a table mean, by their index; None: no column says it.

    Attributes:
        picture: paths, bytes or URLs.
        labels: one column of classes, or several of 0 and 1, each named after its class; empty: nobody says.
        is_one_hot: are they of 0 and 1?
        metadata: all the rest.
    """

    picture: int
    labels: tuple[int, ...]
    is_one_hot: bool
    split: int | None
    group: int | None
    weight: int | None
    time: int | None
    metadata: tuple[int, ...]


def choose_columns(
    columns: Sequence[str],
    sample: Sequence[Sequence[Any]],
    options: ImportOptions,
    is_picture: Holds,
    *,
    needs_labels: bool = True,
    guesses_labels: bool = True,
) -> Roles:
    """What each column means.

    Args:
        columns: all names.
        sample: some rows.
        options: what the user said of the columns.
        is_picture: is this cell a picture, or the path of one that exists?
        needs_labels: is a table without any labels a mistake?
        guesses_labels: may a column of no usual name hold them? (Not where class folders say them already.)

    Raises:
        UserError: a column that the user named is not there.
        RefusedSourceError: E_ANN_SCHEMA, no column, or several, may hold the pictures or the labels.
    """
    return _Chooser(columns, sample, options, is_picture, guesses_labels).roles(needs_labels)


class _Chooser:
    """Takes columns away from those that are left, the surest first."""

    def __init__(
        self,
        columns: Sequence[str],
        sample: Sequence[Sequence[Any]],
        options: ImportOptions,
        is_picture: Holds,
        guesses_labels: bool,
    ) -> None:
        self._columns = columns
        self._cells = [[row[i] for row in sample if _is_filled(row[i])] for i in range(len(columns))]
        self._options = options
        self._is_picture = is_picture
        self._guesses_labels = guesses_labels
        self._left = list(range(len(columns)))

    def roles(self, needs_labels: bool) -> Roles:
        asked = self._options
        picture = self._asked(asked.path_column)
        labels = tuple(self._index(name) for name in asked.label_columns)
        self._take(labels)
        split, group = self._asked(asked.split_column), self._asked(asked.group_column)
        weight, time = self._asked(asked.weight_column), self._asked(asked.time_column)
        if picture is None:
            picture = self._picture()
        split = self._named("split", _is_split, at_least=0.0) if split is None else split
        group = self._named("group") if group is None else group
        weight = self._named("weight", _is_number) if weight is None else weight
        time = self._named("time", _is_time) if time is None else time
        is_one_hot = len(labels) > 1
        if not labels:
            is_group_sure = group is None or asked.group_column is not None
            labels, is_one_hot = self._labels(needs_labels and is_group_sure)
            if not labels and group is not None and not is_group_sure:
                # "scene" or "person" alone beside the pictures is what they show.
                self._left, group = sorted([*self._left, group]), None
                labels, is_one_hot = self._labels(needs_labels)
        return Roles(picture, labels, is_one_hot, split, group, weight, time, tuple(self._left))

    def _take(self, taken: Iterable[int]) -> None:
        for i in taken:
            if i in self._left:
                self._left.remove(i)

    def _index(self, name: str) -> int:
        if name in self._columns:
            return self._columns.index(name)
        same = [i for i, column in enumerate(self._columns) if column.casefold() == name.strip().casefold()]
        if len(same) == 1:
            return same[0]
        hint = did_you_mean(name, self._columns, otherwise=f"Columns: {self._shown()}.")
        raise UserError(f"The table has no column '{name}'. {hint}")

    def _asked(self, name: str | None) -> int | None:
        if name is None:
            return None
        index = self._index(name)
        self._take([index])
        return index

    def _by_name(self, names: Iterable[str]) -> list[int]:
        """The columns of these names that are left, in the order of the names."""
        left = {plain(self._columns[i]): i for i in reversed(self._left)}
        return [left[name] for name in names if name in left]

    def _named(self, role: Role, holds: Holds | None = None, *, at_least: float = 0.5) -> int | None:
        """The first column with a usual name of whose cells a larger share than `at_least` are what they should be."""
        for i in self._by_name(USUAL_NAMES[role]):
            if holds is None or self._share(i, holds) > at_least:
                self._take([i])
                return i
        return None

    def _share(self, i: int, holds: Holds) -> float:
        cells = self._cells[i][:_LOOKED_AT]
        return sum(map(holds, cells)) / len(cells) if cells else 0.0

    def _picture(self) -> int:
        named = self._by_name(USUAL_NAMES["picture"])
        named += [i for i in self._left if plain(self._columns[i]).endswith("filename") and i not in named]
        sure = (i for i in named if self._share(i, self._is_picture) >= 0.5)
        weak = (i for i in self._by_name(WEAK_PICTURE_NAMES) if self._share(i, self._is_picture) >= 0.5)
        chosen = next(sure, None)
        if chosen is None and not named:
            chosen = next(weak, None)
        if chosen is None:
            chosen = self._picture_by_content() if not named else self._best(named)
        self._take([chosen])
        return chosen

    def _best(self, named: Sequence[int]) -> int:
        """None of the usual names holds pictures that are there: then an unusual one may, or files are missing."""
        others = {i: self._share(i, self._is_picture) for i in self._left}
        best = max(others, key=others.__getitem__)
        return best if others[best] >= 0.5 else named[0]

    def _picture_by_content(self) -> int:
        shares = {i: self._share(i, self._is_picture) for i in self._left}
        best = [i for i in self._left if shares[i] >= 0.5 and shares[i] == max(shares.values())]
        if len(best) == 1:
            return best[0]
        why = "No column of the table is called path or file, and none holds pictures that exist"
        if best:
            why = "Several columns of the table hold pictures"
        raise RefusedSourceError(
            "E_ANN_SCHEMA", f"{why} (columns: {self._shown()}): say which does, with --path-column (path_column)."
        )

    def _labels(self, is_needed: bool) -> tuple[tuple[int, ...], bool]:
        if named := self._by_name(USUAL_NAMES["label"]):
            chosen = named[0]
            if all(_is_number(cell) for cell in self._cells[chosen][:_LOOKED_AT]):
                chosen = next(iter(self._by_name(LABEL_NAME_COLUMNS)), chosen)
            self._take([chosen])
            return (chosen,), False
        candidates = [i for i in self._left if self._cells[i]] if self._guesses_labels else []
        if len(candidates) > 1 and all(self._share(i, _is_truth) == 1 for i in candidates):
            self._take(candidates)
            return tuple(candidates), True
        if len(candidates) > 1:
            candidates = [i for i in candidates if self._is_class_like(i)]
        elif candidates and not self._is_class_like(candidates[0], is_alone=True):
            candidates = []
        if len(candidates) == 1:
            self._take(candidates)
            return tuple(candidates), False
        if not is_needed and not candidates:
            return (), False
        why = (
            "Several columns of the table may hold the labels" if candidates else "No column of the table says a class"
        )
        raise RefusedSourceError(
            "E_ANN_SCHEMA",
            f"{why} (columns: {self._shown()}): say which does, with --label-column (label_column); several columns of "
            "0 and 1 are classes of their own.",
        )

    def _could_be_classes(self, i: int) -> bool:
        return all(
            isinstance(cell, str | int | float | list) and len(str(cell)) <= _MAX_CLASS_CHARS and not _is_fraction(cell)
            for cell in self._cells[i][:_LOOKED_AT]
        )

    def _is_class_like(self, i: int, *, is_alone: bool = False) -> bool:
        """Few different values, most of which come back. A column beside no other may hold one, or be short."""
        values = [label_text(cell) for cell in self._cells[i]]
        n_different = len(set(values))
        comes_back = (2 - is_alone) <= n_different <= len(values) / 2
        return self._could_be_classes(i) and (comes_back or (is_alone and len(values) < _FEW_ROWS))

    def _shown(self) -> str:
        shown = ", ".join(self._columns[:20])
        return (shown if len(self._columns) <= 20 else f"{shown}, and {len(self._columns) - 20} more")[:500]


def _is_filled(cell: Any) -> bool:
    if isinstance(cell, str | float):
        return cell != "" and cell == cell  # not a number is not equal to itself
    return cell is not None


def _is_split(cell: Any) -> bool:
    return isinstance(cell, str) and split_named(cell) is not None


def _is_truth(cell: Any) -> bool:
    return truth_of(cell) is not None


def _is_time(cell: Any) -> bool:
    return isinstance(cell, date | datetime) or iso_time(cell) is not None


def _is_fraction(cell: Any) -> bool:
    try:
        return not float(cell).is_integer()
    except (TypeError, ValueError, OverflowError):
        return False


def _is_number(cell: Any) -> bool:
    try:
        float(cell)
    except (TypeError, ValueError, OverflowError):
        return False
    return True
