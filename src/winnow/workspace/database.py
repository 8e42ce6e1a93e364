"""The SQLite file of a workspace: opened the safe way, read and written in short transactions.

Write-ahead log, so that readers never wait for a writer; `synchronous=FULL`, so that what was committed is
there after a power cut (https://sqlite.org/wal.html, https://sqlite.org/pragma.html#pragma_synchronous).
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.pool import NullPool, Pool, QueuePool

from winnow.workspace.troubles import plainly

# As SQLite does: the time of the last change need not be on the disk.
_wait_for_data = getattr(os, "fdatasync", os.fsync)


class Database:
    """The database file `path`; waits at most `patience_s` seconds for another program's transaction.

    Every transaction has a connection of its own: it costs 0.2 ms, and a process that forks workers shares no SQLite
    handle with them, which would corrupt the file (https://sqlite.org/howtocorrupt.html). Only who makes thousands of
    small edits keeps one: closing the last connection empties the log, which costs more than the edit.
    """

    def __init__(self, path: Path, *, patience_s: float = 30.0) -> None:
        self.path = path
        self.folder = path.parent
        self._patience_s = patience_s
        self._engine = self._make_engine(NullPool)
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

    @contextmanager
    def write_often(self) -> Generator[Connection]:
        """`write` for many small transactions: its connection stays open until `close`.

        Just as durable, but the wait for the disk comes after the commit, when the next writer is at work already: so
        many writers share one wait. The log only grows at its end, so what is on the disk is always a prefix of it.
        """
        with plainly(self.folder):
            with self._kept.begin() as connection:
                yield connection
            self._wait_for_log()

    def close(self) -> None:
        """Close the connection that `write_often` keeps."""
        self._kept.dispose()

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

    @cached_property
    def _kept(self) -> Engine:
        # SQLAlchemy's pool notices a fork and opens a new connection in the child.
        engine = self._make_engine(QueuePool)
        event.listen(engine, "connect", _leave_waiting_to_us)
        return engine.execution_options(winnow_writes=True)

    def _wait_for_log(self) -> None:
        try:
            log = os.open(f"{self.path}-wal", os.O_RDWR)
        except FileNotFoundError:  # without a log, SQLite itself has waited
            return
        try:
            _wait_for_data(log)
        finally:
            os.close(log)

    def _make_engine(self, pool: type[Pool]) -> Engine:
        engine = create_engine(
            URL.create("sqlite", database=str(self.path)),
            poolclass=pool,
            connect_args={"timeout": self._patience_s},
        )
        event.listen(engine, "connect", _make_safe)
        event.listen(engine, "begin", _begin)
        return engine


def _make_safe(connection: Any, _record: object) -> None:
    # Python's sqlite3 would begin transactions by itself, too late for DDL and for BEGIN IMMEDIATE
    # (SQLAlchemy: "SQLite dialect, serializable isolation / savepoints / transactional DDL").
    connection.isolation_level = None
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _leave_waiting_to_us(connection: Any, _record: object) -> None:
    # NORMAL syncs the log before and the database after each checkpoint, so nothing can be torn; only the wait at
    # each commit is ours. Without a write-ahead log, it would not be safe.
    if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
        connection.execute("PRAGMA synchronous=NORMAL")


def _begin(connection: Connection) -> None:
    # A writer takes the write lock at once: upgrading a read lock later can fail without any waiting.
    writes = connection.get_execution_options().get("winnow_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
