"""What every kind of source gives: pictures that were found, what is known of each, and a way to read it."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from winnow.errors import BadDataError
from winnow.events import Note


@dataclass(frozen=True, slots=True)
class Found:
    """A picture that was found, not yet read.

    Attributes:
        source: as the user knows it: a relative path with forward slashes, or "X[12]".
        label: its class; None if nobody said.
        split: "train", "validation" or "test" if the user said so, else None.
        group: what it belongs together with, or None.
        read: gives the file's bytes; raises UnreadablePictureError or OSError; called from any thread.
    """

    source: str
    label: str | None
    split: str | None
    group: str | None
    read: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Refused:
    """A line of the import report: what was left out and why (`code` for programs, `reason` for people)."""

    source: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """Which columns of a table hold what, where the usual names do not say it."""

    path_column: str | None = None
    label_column: str | None = None
    split_column: str | None = None
    group_column: str | None = None


class RefusedSourceError(BadDataError):
    """A whole source (an archive, a table) cannot be used; `code` says why to programs."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{reason} ({code})")
        self.code = code
        self.reason = reason


class Source(Protocol):
    """One kind of thing that can be imported."""

    @property
    def name(self) -> str:
        """In words a user has, as in "Winnow reads *a zip of class folders*, ..."."""
        ...

    def matches(self, source: object) -> bool:
        """Is this a source of our kind? Looks at names and types only; opens nothing."""
        ...

    def find(self, source: Any, options: ImportOptions, /) -> Iterator[Found | Refused | Note]:
        """All pictures, in an order that is the same every time, with what must be refused or said.

        Raises:
            BadDataError: nothing of it can be used.
        """
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
