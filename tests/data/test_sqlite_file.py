"""A transaction that fails says why, and does not stand in the way of the next one."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from winnow.data.sqlite_file import SqliteFile
from winnow.errors import WorkspaceError

TABLES = "CREATE TABLE IF NOT EXISTS things (data BLOB NOT NULL);"


def _insert(n_bytes: int) -> Callable[[sqlite3.Connection], object]:
    return lambda connection: connection.execute("INSERT INTO things VALUES (zeroblob(?))", (n_bytes,))


def _end_as_a_full_disk_does(connection: sqlite3.Connection) -> None:
    connection.execute("ROLLBACK")
    raise sqlite3.OperationalError("database or disk is full")


def test_a_full_disk_is_named_and_less_can_be_written_afterwards(tmp_path: Path):
    file = SqliteFile(tmp_path / "things.db", TABLES, "the things")
    with file.write() as connection:
        connection.execute("PRAGMA max_page_count = 20")
        _insert(10)(connection)
    with pytest.raises(WorkspaceError, match=r"full.*check free space"), file.write() as connection:
        _insert(1 << 20)(connection)
    with file.write() as connection:
        _insert(10)(connection)
    assert file.first("SELECT count(*) FROM things") == (2,)


def test_what_sqlite_has_rolled_back_itself_is_told_by_its_own_reason(tmp_path: Path):
    file = SqliteFile(tmp_path / "things.db", TABLES, "the things")
    with pytest.raises(WorkspaceError, match="disk is full"), file.write() as connection:
        _end_as_a_full_disk_does(connection)
    with file.write() as connection:
        _insert(10)(connection)
    assert file.first("SELECT count(*) FROM things") == (1,)


def test_of_many_contents_those_that_are_not_there_are_found(tmp_path: Path):
    file = SqliteFile(tmp_path / "kept.db", "CREATE TABLE kept (content BLOB NOT NULL UNIQUE);", "the contents")
    there = [number.to_bytes(32, "big") for number in range(0, 20_000, 2)]
    with file.write() as connection:
        connection.executemany("INSERT INTO kept VALUES (?)", [(content,) for content in there])
    asked = [number.to_bytes(32, "big") for number in range(10_000)]
    random.Random(0).shuffle(asked)
    assert sorted(file.absent("kept", asked)) == sorted(set(asked) - set(there))
    assert list(file.absent("kept", [])) == []


@pytest.mark.parametrize("n_rows", [0, 1, 99, 100, 101, 200, 257])
def test_rows_that_are_inserted_together_are_all_there_once(tmp_path: Path, n_rows: int):
    file = SqliteFile(tmp_path / "a.db", "CREATE TABLE IF NOT EXISTS kept (content BLOB NOT NULL UNIQUE, n INT);", "it")
    rows = [(number.to_bytes(2, "big"), number) for number in range(n_rows)]
    with file.write() as connection:
        file.insert(connection, "INSERT OR IGNORE INTO kept", rows)
        file.insert(connection, "INSERT OR IGNORE INTO kept", [(content, -1) for content, _ in rows[::3]])
    assert list(file.read("SELECT content, n FROM kept ORDER BY n")) == rows
