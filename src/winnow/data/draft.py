"""A manifest while it is being edited: what edits change lies beside its table, by row.

A table of a million rows is not rebuilt for one label. A draft changes single values in microseconds, takes them back
if an edit turns out to make no sense, and becomes a manifest when somebody wants to read it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from winnow.data.manifest import SCHEMA, Manifest, Task
from winnow.errors import NotFoundError, did_you_mean

_SEEN = ("labels", "group", "split")
# Comparing a mistyped name with a million others would take a minute.
_NAMES_COMPARED = 2000
_REMOVED, _TASK = "", "task"
_OUTSIDE = -1
# Its functions are made at run time, where no type checker sees them.
_compute: Any = pc


class Draft:
    """The rows of `manifest`, to be changed one value at a time; a row keeps its number for the draft's life.

    Attributes:
        task: becomes "multilabel" with the first picture that has no class or several, and then stays so: whether a
            picture may have several classes is not for the last edit to say.
        class_counts: labelled pictures by class.
    """

    def __init__(self, manifest: Manifest) -> None:
        self.task: Task = manifest.task
        self._table = manifest.table
        self._changed: dict[str, dict[int, Any]] = {}
        self._is_removed = bytearray(len(manifest))
        self._removed = 0
        self._undo: list[tuple[str, int, Any]] = []
        self._mark = _OUTSIDE
        self._bytes: int | None = None
        counts = _compute.value_counts(_compute.list_flatten(self._table["labels"])).to_pylist()
        self.class_counts = Counter({one["values"]: one["counts"] for one in counts})

    def __len__(self) -> int:
        return len(self._is_removed) - self._removed

    @property
    def classes(self) -> list[str]:
        """Classes that at least one picture has, sorted."""
        return sorted(label for label, count in self.class_counts.items() if count > 0)

    @property
    def n_classes(self) -> int:
        """How many classes at least one picture has."""
        return sum(count > 0 for count in self.class_counts.values())

    @property
    def bytes(self) -> int:
        """Of all its files together, each different one counted once."""
        if self._bytes is None:
            kept = self._table.select(["content", "bytes"])
            if self._removed:
                kept = kept.filter(self._is_kept())
            each = kept.group_by("content").aggregate([("bytes", "max")])
            self._bytes = int(_compute.sum(each["bytes_max"]).as_py() or 0)
        return self._bytes

    def rows(self, picture: str) -> list[int]:
        """The rows of a picture by its source, or by the SHA-256 of its file.

        Raises:
            NotFoundError: there is none (any more); says which names are near.
        """
        if found := self._kept(self._by_source.get(picture, ())):
            return found
        if found := self._kept(self._by_content.get(picture, ())):
            return found
        raise NotFoundError(f"No picture '{picture}' is there. {self._near(picture)}")

    def rows_ever(self, picture: str) -> Sequence[int]:
        """The rows of a picture, removed ones too; none if it never was there."""
        return self._by_source.get(picture) or self._by_content.get(picture, ())

    def rows_of(self, pictures: Iterable[str]) -> list[int]:
        """The rows of several pictures, each row once, in their order."""
        return list(dict.fromkeys(row for picture in pictures for row in self.rows(picture)))

    def copies_of(self, rows: Iterable[int]) -> list[int]:
        """The rows that show the same as these, themselves among them."""
        shown = dict.fromkeys(self.value("pixels", row) for row in rows)
        return [row for pixels in shown for row in self._kept(self._by_pixels[pixels])]

    def rows_with_boxes(self, labels: set[str]) -> list[int]:
        """The rows that have a box with one of these labels."""
        if not len(_compute.list_flatten(self._table["boxes"])):
            return []
        return [row for row, boxes in self.values("boxes") if any(box["label"] in labels for box in boxes)]

    def values(self, column: str) -> Iterator[tuple[int, Any]]:
        """Every row that was not removed, with what it holds; see `value`."""
        changed = self._changed.get(column, {})
        for row, value in enumerate(_plain(column, self._table.column(column).to_pylist())):
            if not self._is_removed[row]:
                yield row, changed.get(row, value)

    def value(self, column: str, row: int) -> Any:
        """What a row holds: labels are a tuple or None, boxes a list of dicts."""
        changed = self._changed.get(column, {})
        if row in changed:
            return changed[row]
        return next(_plain(column, [self._table.column(column)[row].as_py()]))

    def put(self, column: str, row: int, value: Any) -> None:
        """Change one value: of labels, group, split, split_by or boxes, which tell not of the file but of us."""
        if column == "labels" and self.task == "classify" and value is not None and len(value) != 1:
            self._note(_TASK, row, self.task)
            self.task = "multilabel"
        self._note(column, row, self._replace(column, row, value))

    def remove(self, row: int) -> None:
        """Take a row out."""
        self._note(_REMOVED, row, None)
        self._take_out(row, True)

    def is_removed(self, row: int) -> bool:
        """Was this row taken out?"""
        return bool(self._is_removed[row])

    @contextmanager
    def attempt(self) -> Generator[None]:
        """Whatever the block changes is taken back if it raises; attempts may lie in each other."""
        outer, self._mark = self._mark, len(self._undo)
        try:
            yield
        except BaseException:
            while len(self._undo) > self._mark:
                self._take_back(*self._undo.pop())
            raise
        finally:
            self._mark = outer
            if outer == _OUTSIDE:
                self._undo.clear()

    @property
    def touched(self) -> set[int]:
        """The rows changed or removed in the attempt that is under way."""
        return {row for column, row, _ in self._undo[self._mark :] if column != _TASK}

    def facts(self, picture: str) -> list[tuple[Any, ...]]:
        """Labels, group and split of a picture, for each of its rows; nothing if it is not there."""
        rows = self._kept(self.rows_ever(picture))
        return [tuple(self.value(column, row) for column in _SEEN) for row in rows]

    def manifest(self, provenance: dict[str, Any]) -> Manifest:
        """The rows as they are now."""
        table = self._table
        for column, changed in self._changed.items():
            place = table.column_names.index(column)
            table = table.set_column(place, SCHEMA.field(column), _replaced(table.column(column), changed))
        if self._removed:
            table = table.filter(self._is_kept())
        return Manifest(table, provenance, self.task)

    def _note(self, column: str, row: int, before: Any) -> None:
        if self._mark != _OUTSIDE:
            self._undo.append((column, row, before))

    def _take_back(self, column: str, row: int, before: Any) -> None:
        if column == _REMOVED:
            self._take_out(row, False)
        elif column == _TASK:
            self.task = before
        else:
            self._replace(column, row, before)

    def _replace(self, column: str, row: int, value: Any) -> Any:
        before = self.value(column, row)
        self._changed.setdefault(column, {})[row] = value
        if column == "labels":
            self.class_counts.subtract(before or ())
            self.class_counts.update(value or ())
        return before

    def _take_out(self, row: int, is_removed: bool) -> None:
        self._is_removed[row] = is_removed
        self._removed += 1 if is_removed else -1
        self._bytes = None
        labels = self.value("labels", row) or ()
        (self.class_counts.subtract if is_removed else self.class_counts.update)(labels)

    def _kept(self, rows: Iterable[int]) -> list[int]:
        return [row for row in rows if not self._is_removed[row]]

    def _is_kept(self) -> pa.Array:
        return pa.array(np.frombuffer(bytes(self._is_removed), np.uint8) == 0)

    @cached_property
    def _by_source(self) -> dict[str, list[int]]:
        return _index(self._table.column("source"))

    @cached_property
    def _by_content(self) -> dict[str, list[int]]:
        return _index(self._table.column("content"))

    @cached_property
    def _by_pixels(self) -> dict[str, list[int]]:
        return _index(self._table.column("pixels"))

    def _near(self, picture: str) -> str:
        file = picture.replace("\\", "/").rsplit("/", 1)[-1]
        names = [source for source in self._by_source if source.rsplit("/", 1)[-1] == file]
        near = names[:3] or list(self._by_source)[:_NAMES_COMPARED]
        if names:
            return f"Did you mean {' or '.join(near)}?"
        return did_you_mean(picture, near, otherwise="Name it as `winnow show` and reports do, or by its SHA-256.")


def _plain(column: str, values: list[Any]) -> Iterator[Any]:
    if column == "labels":
        return (None if several is None else tuple(several) for several in values)
    return iter(values)


def _replaced(column: pa.ChunkedArray, changed: dict[int, Any]) -> pa.ChunkedArray:
    """The column with some values changed: taken from the old ones and, behind them, the new ones."""
    new = pa.array(list(changed.values()), column.type)
    places = np.arange(len(column), dtype=np.int64)
    places[list(changed)] = len(column) + np.arange(len(new))
    return pa.chunked_array([*column.chunks, new]).take(pa.array(places))


def _index(column: pa.ChunkedArray) -> dict[str, list[int]]:
    index: dict[str, list[int]] = {}
    for row, value in enumerate(column.to_pylist()):
        if value in index:
            index[value].append(row)
        else:
            index[value] = [row]
    return index
