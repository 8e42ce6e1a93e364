"""The text of a table of paths and labels, as pasted from a spreadsheet or an editor; its pictures lie in a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from winnow.data.sources.folder import FolderTree
from winnow.data.sources.source import Found, ImportOptions, Refused
from winnow.data.sources.table import TableFile
from winnow.events import Note

_CALLED = "the pasted table.csv"


@dataclass(frozen=True, slots=True)
class TableText:
    """A table that is no file.

    Attributes:
        text: its lines, separated by commas, tabs or semicolons; the first names the columns.
        folder: where its paths start, which they do not leave.
    """

    text: str
    folder: Path


class PastedTable:
    """The same rows as a table file of that text in that folder would give."""

    name = "the text of a table (TableText)"

    def matches(self, source: object) -> bool:
        """Nothing but our own type: any other text is a path or a name."""
        return isinstance(source, TableText)

    def find(self, source: Any, options: ImportOptions) -> Iterator[Found | Refused | Note]:
        """The rows in their order.

        Raises:
            BadDataError: the text is no table, or has no rows.
            UserError: no column holds paths or labels.
        """
        yield from TableFile().find(_WithTable(source), [_CALLED], options)


class _WithTable:
    """The folder, with the table as if it lay in it."""

    def __init__(self, source: TableText) -> None:
        self._folder = FolderTree(source.folder)
        # Spreadsheets copy with tabs; the reader finds the separator itself.
        self._data = source.text.encode("utf-8", "replace")

    @property
    def name(self) -> str:
        return self._folder.name

    @property
    def paths(self) -> Sequence[str]:
        return self._folder.paths

    @property
    def remarks(self) -> Sequence[Refused | Note]:
        return self._folder.remarks

    def reader(self, path: str) -> Callable[[], bytes]:
        return (lambda: self._data) if path == _CALLED else self._folder.reader(path)

    def picture(self, path: str) -> Callable[[], bytes]:
        return self._folder.picture(path)

    def file(self, path: str) -> Path | None:
        return None if path == _CALLED else self._folder.file(path)
