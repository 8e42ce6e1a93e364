"""The SQLite file of a workspace: opened the safe way, read and written in short transactions.

Write-ahead log, so that readers never wait for a writer; `synchronous=FULL`, so that what was committed is
there after a power cut (https://sqlite.org/wal.html, https://sqlite.org/pragma.html#pragma_synchronous).
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, create_engine, event, inspect, text
from sqlalchemy.pool import NullPool

from winnow.workspace.troubles import plainly


class Database:
    """The database file `path`; waits at most `patience_s` seconds for another program's transaction.

    Every transaction has a connection of its own (no pool): it costs 0.2 ms, and a process that forks
    workers shares no SQLite handle with them, which would corrupt the file (https://sqlite.org/howtocorrupt.html).
    """

    def __init__(self, path: Path, *, patience_s: float = 30.0) -> None:
        self.path = path
        self.folder = path.parent
        self._engine = create_engine(
            URL.create("sqlite", database=str(path)), poolclass=NullPool, connect_args={"timeout": patience_s}
        )
        event.listen(self._engine, "connect", _make_safe)
        event.listen(self._engine, "begin", _begin)
        self._writer = self._engine.execution_options(winnow_writes=True)

    @contextmanager
    def read(self) -> Generator[Connection]:
        """A transaction that sees one moment of the database and takes no lock.

        Raises:
            WorkspaceError: the file cannot be read.
        """
        with plainly(self.folder), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Generator[Connection]:
        """The only writer for its length: what is read inside cannot change before it is written.

        Committed at the end of the block, rolled back if it raises.

        Raises:
            WorkspaceError: the file is locked for too long, read-only, damaged, or the disk is full.
        """
        with plainly(self.folder), self._writer.begin() as connection:
            yield connection

    def use_write_ahead_log(self, *, patience_s: float = 5.0) -> None:
        """Switch the file to WAL; it stays so. Filesystems without shared memory keep the older journal."""
        deadline = time.monotonic() + patience_s
        with plainly(self.folder), closing(sqlite3.connect(self.path)) as connection:
            while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                try:
                    connection.execute("PRAGMA journal_mode=WAL")
                    return
                except sqlite3.OperationalError:
                    # Two programs creating one workspace: SQLite does not wait here by itself.
                    if time.monotonic() > deadline:
                        return
                    time.sleep(0.01)

    def copy_to(self, path: Path) -> None:
        """A consistent copy of the database, also while others write to it."""
        with (
            plainly(self.folder),
            closing(sqlite3.connect(self.path)) as here,
            closing(sqlite3.connect(path)) as there,
        ):
            here.backup(there)

    def stored_revision(self, connection: Connection) -> str | None:
        """The revision its tables are at; None for an empty database.

        Raises:
            LookupError: there are tables, but not Winnow's.
        """
        tables = inspect(connection).get_table_names()
        if not tables:
            return None
        if "alembic_version" not in tables:
            raise LookupError(f"{self.path} holds the tables {', '.join(tables[:3])}")
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _make_safe(connection: Any, _record: object) -> None:
    # Python's sqlite3 would begin transactions by itself, too late for DDL and for BEGIN IMMEDIATE
    # (SQLAlchemy: "SQLite dialect, serializable isolation / savepoints / transactional DDL").
    connection.isolation_level = None
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin(connection: Connection) -> None:
    # A writer takes the write lock at once: upgrading a read lock later can fail without any waiting.
    writes = connection.get_execution_options().get("winnow_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
