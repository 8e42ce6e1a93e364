"""An SQLite file that many threads and programs write to: small transactions, and a sentence where one fails."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Any

from winnow.data.whole_files import disk_errors
from winnow.errors import WorkspaceError

_PATIENCE_S = 60.0
_PAGE_BYTES = 16 * 1024
"""Of new files: small pictures are written in two thirds of the time that SQLite's usual 4 KB take."""
_LOG_BYTES = 64 << 20
"""What is written goes into a log first, and is moved into the file whenever there is so much of it."""
_WRITERS_CACHE_KB = 8 << 10
"""Names are random, so a large transaction comes back to every page of their index: with SQLite's usual 2 MB, 100,000
pictures were written twice as often."""
_AT_ONCE = 500  # values in one query: SQLite takes up to 32,766
_ASKED_AT_ONCE = 4096
_ROWS_AT_ONCE = 100


class SqliteFile:
    """A connection for each thread, made when it is first needed, never shared across a fork."""

    def __init__(self, path: Path, tables: str, what: str) -> None:
        """`tables`: the SQL that makes them; `what` lies in them, for messages. The file is made by the first write."""
        self._path = path
        self._tables = tables
        self._what = what
        self._mine = threading.local()
        self._writing = threading.Lock()
        self.is_dirty = False

    def is_there(self) -> bool:
        """Has anything been written yet?"""
        return self._path.exists()

    def files(self) -> list[Path]:
        """The file and its log, as far as they are there."""
        log = self._path.with_name(self._path.name + "-wal")
        return [path for path in (self._path, log) if path.exists()]

    @contextmanager
    def write(self) -> Generator[sqlite3.Connection]:
        """One transaction, whole or not at all; others wait."""
        # Threads of ours queue here: SQLite itself would let them sleep and try again.
        with self._writing, self._troubles("written"):
            connection = self._connection()
            connection.execute(f"PRAGMA cache_size=-{_WRITERS_CACHE_KB}")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                # A full disk may have ended it already; one left open would fail all that this thread writes later.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            self.is_dirty = True

    @staticmethod
    def insert(connection: sqlite3.Connection, into: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Add rows in a transaction of `write`, many by one statement: `into` is all of it before VALUES.

        Python gives its lock away at each statement; row by row, a thread that writes would spend half of its time
        waiting to get it back from those that read.
        """
        if not rows:
            return
        marks = f"({','.join('?' * len(rows[0]))})"
        n_whole = len(rows) - len(rows) % _ROWS_AT_ONCE
        many = f"{into} VALUES {','.join([marks] * _ROWS_AT_ONCE)}"
        for start in range(0, n_whole, _ROWS_AT_ONCE):
            connection.execute(many, [*chain.from_iterable(rows[start : start + _ROWS_AT_ONCE])])
        connection.executemany(f"{into} VALUES {marks}", rows[n_whole:])

    def read(self, query: str, *values: object) -> Iterator[Any]:
        """The rows of a query."""
        with self._troubles("read"):
            yield from self._connection().execute(query, values)

    def first(self, query: str, *values: object) -> Any | None:
        """The first row of a query, or None."""
        with self._troubles("read"):
            return self._connection().execute(query, values).fetchone()

    def find(self, columns: str, table: str, contents: Sequence[bytes]) -> Iterator[Any]:
        """The rows of `table` whose `content` is one of `contents`, a few hundred at a time."""
        left = iter(contents)
        while batch := list(islice(left, _AT_ONCE)):
            marks = ",".join("?" * len(batch))
            yield from self.read(f"SELECT {columns} FROM {table} WHERE content IN ({marks})", *batch)

    def absent(self, table: str, contents: Sequence[bytes]) -> Iterator[bytes]:
        """Those of `contents` that no row of `table` has, in no order.

        Asked in their order: what lies side by side in an index is found in a third of the time. And SQLite gives the
        few that are absent, not the many that are there.
        """
        left = iter(sorted(contents))
        while batch := list(islice(left, _ASKED_AT_ONCE)):
            asked = ",".join(["(?)"] * len(batch))
            query = f"WITH asked (content) AS (VALUES {asked}) SELECT content FROM asked WHERE content NOT IN "
            for (content,) in self.read(f"{query} (SELECT content FROM {table})", *batch):
                yield content

    def _connection(self) -> sqlite3.Connection:
        if getattr(self._mine, "process", None) != os.getpid():
            if not self.is_there():
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._make()
            connection = sqlite3.connect(self._path, timeout=_PATIENCE_S, isolation_level=None)
            # Not fsynced at each commit: nothing durable names a file before `flush`.
            connection.execute("PRAGMA synchronous=NORMAL")
            # Names are random, so each touches a page of its own: moved to the file less often, they cost half.
            (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
            connection.execute(f"PRAGMA wal_autocheckpoint={_LOG_BYTES // page_bytes}")
            self._mine.connection, self._mine.process = connection, os.getpid()
        return self._mine.connection

    def _make(self) -> None:
        """Make the file elsewhere and move it in whole: two programs may do so at once, and the first stays."""
        with tempfile.TemporaryDirectory(prefix=".new-", dir=self._path.parent) as folder:
            made = Path(folder) / self._path.name
            with closing(sqlite3.connect(made, isolation_level=None)) as connection:
                connection.executescript(f"PRAGMA page_size={_PAGE_BYTES}; PRAGMA journal_mode=WAL; {self._tables}")
            _move_if_absent(made, self._path)

    @contextmanager
    def _troubles(self, done: str) -> Generator[None]:
        try:
            with disk_errors("write" if done == "written" else "read", self._path):
                yield
        except sqlite3.Error as error:
            raise WorkspaceError(
                f"{self._what[0].upper()}{self._what[1:]} in {self._path} cannot be {done} ({error}): check free space "
                "and rights, or restore the file from a backup."
            ) from error


def _move_if_absent(made: Path, path: Path) -> None:
    try:
        os.link(made, path)  # unlike a rename, never replaces what is there
    except OSError:
        if path.exists():
            return
        made.rename(path)  # a file system without links
