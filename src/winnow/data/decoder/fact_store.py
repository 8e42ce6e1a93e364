"""What decoding told of a file, kept by its content: a picture that was imported once is never decoded again for it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from winnow.data.decode import UnreadablePictureError
from winnow.data.decoder.facts import VERSION, PictureFacts, from_lines, to_text
from winnow.data.sqlite_file import SqliteFile
from winnow.errors import WorkspaceError

# The rows in the order they came and an index beside them: names are random, and rows sorted by them would each be
# written into a page of its own.
_TABLES = "CREATE TABLE IF NOT EXISTS facts (content BLOB NOT NULL UNIQUE, text TEXT NOT NULL);"


class FactStore:
    """A file in the workspace's cache: what cannot be read or written there is decoded again, and nobody is told.

    Refusals are not kept. They are few, and may end otherwise next time: on a machine with more memory or time, or with
    an extra installed.
    """

    def __init__(self, folder: Path) -> None:
        self._file = SqliteFile(folder / f"facts-{VERSION}.db", _TABLES, "facts of pictures")

    def get(self, contents: Sequence[str]) -> dict[str, PictureFacts]:
        """What is known, by content."""
        if not self._file.is_there():
            return {}
        with contextlib.suppress(WorkspaceError, ValueError):
            rows = list(self._file.find("content, text", "facts", [bytes.fromhex(content) for content in contents]))
            known = zip(rows, from_lines("\n".join(text for _, text in rows)), strict=True)
            return {content.hex(): one for (content, _), one in known if isinstance(one, PictureFacts)}
        return {}

    def put(self, facts: Mapping[str, PictureFacts | UnreadablePictureError]) -> None:
        """Keep what was found out, by content."""
        rows = [
            (bytes.fromhex(content), to_text(one)) for content, one in facts.items() if isinstance(one, PictureFacts)
        ]
        with contextlib.suppress(WorkspaceError), self._file.write() as connection:
            # What is there stays: to replace rows, SQLite would first copy each page that a statement touches.
            self._file.insert(connection, "INSERT OR IGNORE INTO facts", rows)
