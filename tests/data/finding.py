"""What sources give, sorted by kind: for tests that drive them through the front door, `open_source`."""

from __future__ import annotations

from typing import Any

from winnow.data.sources import open_source
from winnow.data.sources.source import Found, ImportOptions, Refused
from winnow.events import Note


def items_in(source: object, **options: Any) -> list[Found | Refused | Note]:
    """All that a source gives; `options` as of `ImportOptions`."""
    return list(open_source(source).find(ImportOptions(**options)))


def found_in(source: object, **options: Any) -> list[Found]:
    """What is found, less what is refused or said."""
    return [item for item in items_in(source, **options) if isinstance(item, Found)]


def refused_in(source: object, **options: Any) -> list[Refused]:
    """What is refused line by line."""
    return [item for item in items_in(source, **options) if isinstance(item, Refused)]


def notes_in(source: object, **options: Any) -> list[Note]:
    """What is said."""
    return [item for item in items_in(source, **options) if isinstance(item, Note)]


def codes_in(source: object, **options: Any) -> list[str]:
    """The codes of all that is said and refused."""
    return [item.code for item in items_in(source, **options) if isinstance(item, Refused | Note) and item.code]
