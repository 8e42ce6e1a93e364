"""What every kind of source gives: pictures that were found, what is known of each, and a way to read it."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from winnow.data.manifest import Box
from winnow.data.sources.refused import Refused as Refused
from winnow.data.sources.refused import RefusedSourceError as RefusedSourceError
from winnow.data.sources.tree import Tree
from winnow.events import Note

# One for all pictures: a dictionary for each takes as long to make as the rest of a `Found`.
_NOTHING: Mapping[str, str] = MappingProxyType({})


class Found(NamedTuple):
    """A picture that was found, not yet read; there may be millions, and a dataclass takes four times as long to make.

    Attributes:
        source: as the user knows it: a relative path with forward slashes, or "X[12]".
        read: gives the file's bytes; raises UnreadablePictureError or OSError; called from any thread.
        labels: its classes: one, several, none that applies (), or None if nobody said.
        split: "train", "validation" or "test" if the user said so, else None.
        group: what it belongs together with, or None.
        weight: how much it counts in learning, above 0.
        taken: when it was taken, ISO 8601, or None.
        boxes: where things are in it.
        metadata: what else is said of it, by name.
        warnings: codes of what was mended in its annotation.
        path: the file itself (absolute; text or a Path) where it lies on this machine by itself, so that it can be kept
            in place, and another process may read it.
    """

    source: str
    read: Callable[[], bytes]
    labels: tuple[str, ...] | None = None
    split: str | None = None
    group: str | None = None
    weight: float = 1.0
    taken: str | None = None
    boxes: tuple[Box, ...] = ()
    metadata: Mapping[str, str] = _NOTHING
    warnings: tuple[str, ...] = ()
    path: str | Path | None = None

    @property
    def label(self) -> str | None:
        """Its class where it has exactly one, else None."""
        return self.labels[0] if self.labels is not None and len(self.labels) == 1 else None


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What a user says of a source where the usual names do not say it.

    Attributes:
        path_column: of a table: which column names or holds the pictures.
        label_columns: of a table: one column of classes, or several: of 0 and 1, named after the class.
        split_column: of a table.
        group_column: of a table.
        weight_column: of a table.
        time_column: of a table: when the picture was taken.
        allows_urls: may pictures and tables be fetched from the network?
    """

    path_column: str | None = None
    label_columns: tuple[str, ...] = ()
    split_column: str | None = None
    group_column: str | None = None
    weight_column: str | None = None
    time_column: str | None = None
    allows_urls: bool = False


class Layout(Protocol):
    """One way in which people lay out pictures and what is known of them in a folder (or an archive of it)."""

    @property
    def name(self) -> str:
        """In words a user has, as in "Winnow reads *a folder with one folder for each class*, ..."."""
        ...

    def recognise(self, tree: Tree, only: str | None) -> list[str] | None:
        """The files of `tree` that say what is in the pictures ([] where the folders say it), or None: not this layout.

        Cheap: looks at names, and into a file's beginning only where names do not tell.

        Args:
            only: the one file that the user named; its folder is `tree`. None: the user named the tree.
        """
        ...

    def find(self, tree: Tree, files: list[str], options: ImportOptions, /) -> Iterator[Found | Refused | Note]:
        """All pictures, in an order that is the same every time, with what must be refused or said.

        Args:
            files: what `recognise` gave.

        Raises:
            BadDataError: nothing of it can be used.
        """
        ...


class InMemory(Protocol):
    """One kind of Python object that can be imported."""

    @property
    def name(self) -> str:
        """In words a user has."""
        ...

    def matches(self, source: object) -> bool:
        """Is this a source of our kind? Looks at types only."""
        ...

    def find(self, source: Any, options: ImportOptions, /) -> Iterator[Found | Refused | Note]:
        """All pictures in their order; raises as `Layout.find`."""
        ...


SPLITS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}


def split_named(text: str) -> str | None:
    """ "train", "validation" or "test" for the names people use for them, else None."""
    return SPLITS.get(text.strip().casefold())


def label_text(value: Any) -> str | None:
    """A label as text, trimmed and in Unicode's composed form (Macs store names decomposed); None if none.

    Whole floats lose their ".0": pandas turns a column of integers with gaps into floats.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return unicodedata.normalize("NFC", str(value)).strip() or None


def one_label(value: Any) -> tuple[str, ...] | None:
    """The label of a picture that has one class, as `Found.labels` wants it."""
    text = label_text(value)
    return None if text is None else (text,)
