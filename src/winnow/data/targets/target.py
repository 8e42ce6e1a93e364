"""What every format for datasets promises, and what it is given: the pictures of a version, on their way out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, BinaryIO, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from winnow.data.manifest import Example, Manifest, examples_of
from winnow.events import Note, Progress, Tell

SPLITS = ("train", "validation", "test")
# Rows become objects so many at a time, so that a million pictures take no more memory than these.
_AT_ONCE = 1024
# Its functions are made at run time, where no type checker sees them.
_compute: Any = pc


@dataclass(frozen=True)
class Outgoing:
    """A dataset version, or one split of it, that is to be written.

    Attributes:
        name: of the dataset.
        version: its number.
        whole: all its pictures: numbers of classes are the same in each split that is exported by itself.
        only: the split that was asked for; None: all.
        read: gives the bytes of a file by its content.
    """

    name: str
    version: int
    whole: Manifest
    only: str | None
    read: Callable[[str], bytes]

    @cached_property
    def table(self) -> pa.Table:
        """The rows to write (`winnow.data.manifest.SCHEMA`)."""
        return self.whole.table if self.only is None else _of_split(self.whole.table, self.only)

    @property
    def classes(self) -> tuple[str, ...]:
        """All classes of the version, sorted."""
        return self.whole.classes

    @property
    def has_several_labels(self) -> bool:
        """May a picture show several classes, or none?"""
        return self.whole.task == "multilabel"

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def n_bytes(self) -> int:
        """The size of all files."""
        return int(_compute.sum(self.table["bytes"]).as_py() or 0)

    def splits(self) -> list[str]:
        """The splits that have pictures."""
        present = set(_compute.unique(self.table["split"]).to_pylist())
        return [split for split in SPLITS if split in present]

    def sizes(self, split: str) -> Iterator[int]:
        """The sizes of the files of one split, in their order."""
        for batch in _of_split(self.table, split).select(["bytes"]).to_batches(max_chunksize=_AT_ONCE):
            yield from batch.column(0).to_pylist()

    def examples(self, split: str | None = None) -> Iterator[Example]:
        """The examples (of one split) in their order, never all in memory."""
        table = self.table if split is None else _of_split(self.table, split)
        for batch in table.to_batches(max_chunksize=_AT_ONCE):
            yield from examples_of(pa.Table.from_batches([batch]))

    def different_labels(self) -> set[tuple[str, ...] | None]:
        """All different values of `Example.labels`."""
        batches = self.table.select(["labels"]).to_batches(max_chunksize=_AT_ONCE)
        cells = (labels for batch in batches for labels in batch.column(0).to_pylist())
        return {None if labels is None else tuple(labels) for labels in cells}

    def with_boxes(self) -> Iterator[Example]:
        """The examples that have boxes."""
        has_boxes = _compute.greater(_compute.list_value_length(self.table["boxes"]), 0)
        for batch in self.table.filter(has_boxes).to_batches(max_chunksize=_AT_ONCE):
            yield from examples_of(pa.Table.from_batches([batch]))


class Out(Protocol):
    """Where files go: a folder, or an archive as if it were one. Paths are relative, with forward slashes."""

    def write(self, path: str, data: bytes) -> None:
        """A file that is written at once; raises OSError."""
        ...

    def open(self, path: str) -> AbstractContextManager[BinaryIO]:
        """A file that is written bit by bit, while others are written, too; raises OSError."""
        ...


class Target(Protocol):
    """One format in which a dataset can leave the workspace."""

    @property
    def name(self) -> str:
        """One word, as it is typed."""
        ...

    @property
    def title(self) -> str:
        """In words a user has, as in "Winnow writes *one folder for each class*, ..."."""
        ...

    @property
    def is_file(self) -> bool:
        """Is it one file (a zip), not a folder?"""
        ...

    def notes(self, going: Outgoing) -> list[Note]:
        """What a user should know beforehand: what this format cannot hold. Nothing was written yet.

        Raises:
            UserError: the dataset cannot be written so; the sentence names formats that can hold it.
        """
        ...

    def write(self, going: Outgoing, out: Out, tell: Tell) -> None:
        """Write all of it.

        Raises:
            WorkspaceError: a picture is missing or damaged.
            OSError: the disk refused.
        """
        ...


class Told:
    """Says how many pictures are written, each time that one is."""

    def __init__(self, going: Outgoing, tell: Tell) -> None:
        self._total = len(going)
        self._tell = tell
        self._done = 0
        self._say()

    def one_more(self) -> None:
        """One more picture is written."""
        self._done += 1
        if self._done % 64 == 0 or self._done == self._total:
            self._say()

    def _say(self) -> None:
        self._tell(Progress("writing pictures", self._done, self._total))


def pictures(n: int) -> str:
    """How many pictures, in words.

    >>> pictures(1), pictures(1234)
    ('1 picture', '1,234 pictures')
    """
    return f"{n:,} picture{'' if n == 1 else 's'}"


def _of_split(table: pa.Table, split: str) -> pa.Table:
    return table.filter(_compute.equal(table["split"], split))
