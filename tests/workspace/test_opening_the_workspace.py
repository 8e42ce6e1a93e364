"""Opening: made if absent, migrated if older, and one clear sentence for everything that can be wrong."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from winnow.errors import WorkspaceError
from winnow.workspace import migrations
from winnow.workspace.database import Database
from winnow.workspace.tables import metadata
from winnow.workspace.troubles import plainly
from winnow.workspace.workspace import Workspace, default_folder


def test_a_folder_that_is_not_there_is_made(tmp_path: Path):
    with Workspace.open(tmp_path / "a" / "b") as workspace:
        assert workspace.folder == tmp_path / "a" / "b"
        assert workspace.datasets() == []
        assert workspace.models() == []


def test_opening_twice_finds_what_was_left(tmp_path: Path):
    Workspace.open(tmp_path).add_dataset("clouds", "/photos")
    assert Workspace.open(tmp_path).find_dataset("clouds").source == "/photos"


def test_the_environment_variable_names_the_default_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WINNOW_WORKSPACE", str(tmp_path / "here"))
    assert Workspace.open().folder == tmp_path / "here"
    monkeypatch.setenv("WINNOW_WORKSPACE", "")
    assert default_folder() == Path("~/.winnow")


def test_nobody_else_on_the_machine_can_look_into_a_new_workspace(tmp_path: Path):
    folder = Workspace.open(tmp_path / "private").folder
    if os.name == "posix":
        assert folder.stat().st_mode & 0o077 == 0


def test_a_folder_with_odd_characters_is_a_folder(tmp_path: Path):
    folder = tmp_path / "50% off? #1 Köln"
    Workspace.open(folder).add_dataset("clouds", "")
    assert (folder / "winnow.db").is_file()


def test_commits_survive_a_power_cut_and_readers_do_not_wait(workspace: Workspace):
    database = Database(workspace.folder / "winnow.db")
    with database.read() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(text("PRAGMA synchronous")) == 2  # FULL
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1
        assert connection.scalar(text("PRAGMA busy_timeout")) == 30_000


def test_two_programs_may_create_one_workspace_at_once(tmp_path: Path):
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda _: Workspace.open(tmp_path / "new"), range(4)))
    assert [workspace.datasets() for workspace in opened] == [[], [], [], []]


@pytest.mark.parametrize("is_new", [True, False])
def test_opening_a_new_or_an_up_to_date_workspace_imports_no_alembic_and_no_pyarrow(tmp_path: Path, is_new: bool):
    folder = tmp_path / "workspace"
    if not is_new:
        Workspace.open(folder)
    code = (
        "import sys; from pathlib import Path; from winnow.workspace.workspace import Workspace;"
        f"Workspace.open(Path({str(folder)!r})).datasets();"
        "print(sorted({'alembic', 'pyarrow', 'sklearn', 'openvino', 'torch'} & sys.modules.keys()))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


# Migrations


def test_the_migrations_arrive_at_the_tables_the_code_uses(migrated: Database):
    with migrated.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_a_new_workspace_has_the_tables_that_all_migrations_arrive_at(workspace: Workspace, migrated: Database):
    assert _tables_of(workspace.folder / "winnow.db") == _tables_of(migrated.path)


@pytest.fixture
def migrated(tmp_path: Path) -> Database:
    """An empty database that went through every revision there ever was."""
    database = Database(tmp_path / "migrated.db")
    with database.write() as connection:
        migrations.upgrade(connection)
    return database


def _tables_of(path: Path) -> dict[str, object]:
    """What SQLite itself knows of each table: columns, keys and indices with what they cover, in no order."""
    with closing(sqlite3.connect(path)) as database:

        def rows(pragma: str, name: str) -> list[tuple[object, ...]]:
            return sorted((row[1:] for row in database.execute(f"PRAGMA {pragma}('{name}')")), key=repr)

        def covered(row: tuple[object, ...]) -> tuple[object, ...]:
            return (*row[1:], *(name for _, _, name in database.execute(f"PRAGMA index_info('{row[0]}')")))

        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        assert {"versions", "alembic_version"} < {*names}
        return {
            name: (
                rows("table_info", name),
                rows("foreign_key_list", name),
                sorted((covered(row) for row in rows("index_list", name)), key=repr),
            )
            for name in names
        }


def test_the_list_of_revisions_is_the_list_of_files():
    script = ScriptDirectory(str(migrations.FOLDER))
    in_files = tuple(revision.revision for revision in script.walk_revisions())[::-1]
    assert in_files == migrations.REVISIONS


NEWEST = migrations.REVISIONS[-1]
ONE_MORE = """
import sqlalchemy as sa
from alembic import op
revision = "next"
down_revision = "NEWEST"
def upgrade():
    op.add_column("datasets", sa.Column("colour", sa.Text))
""".replace("NEWEST", NEWEST)


@pytest.fixture
def next_winnow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A Winnow that knows one revision more than ours."""
    folder = tmp_path / "migrations"
    shutil.copytree(migrations.FOLDER, folder)
    (folder / "versions" / "next_colour.py").write_text(ONE_MORE)
    monkeypatch.setattr(migrations, "FOLDER", folder)
    monkeypatch.setattr(migrations, "REVISIONS", (*migrations.REVISIONS, "next"))
    yield
    monkeypatch.undo()


def test_an_older_workspace_is_copied_then_migrated_and_nothing_is_lost(clouds: Workspace, next_winnow: None):
    with Workspace.open(clouds.folder) as migrated:
        assert migrated.find_dataset("clouds").newest is not None
    with closing(sqlite3.connect(clouds.folder / "winnow.db")) as database:
        assert database.execute("SELECT name, colour FROM datasets").fetchall() == [("clouds", None)]
    (backup,) = (clouds.folder / "backups").iterdir()
    with closing(sqlite3.connect(backup)) as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [(NEWEST,)]
        assert database.execute("SELECT name FROM datasets").fetchall() == [("clouds",)]


def test_a_migration_that_fails_leaves_the_workspace_as_it_was(
    clouds: Workspace, next_winnow: None, monkeypatch: pytest.MonkeyPatch
):
    broken = ONE_MORE + '    op.execute("UPDATE nowhere SET x = 1")\n'
    (migrations.FOLDER / "versions" / "next_colour.py").write_text(broken)
    with pytest.raises(Exception, match="nowhere"):
        Workspace.open(clouds.folder)
    with closing(sqlite3.connect(clouds.folder / "winnow.db")) as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [(NEWEST,)]
        assert "colour" not in str(database.execute("SELECT sql FROM sqlite_master").fetchall())


def test_the_tables_of_the_first_release_still_open(tmp_path: Path):
    dump = (Path(__file__).parent / "files" / "winnow-0001.sql").read_text()
    with closing(sqlite3.connect(tmp_path / "winnow.db")) as database:
        database.executescript(dump)
    with Workspace.open(tmp_path) as workspace:
        assert [dataset.name for dataset in workspace.datasets()] == ["clouds"]
        (version,) = workspace.versions("clouds")
        assert (version.examples, version.kind, version.who, version.has_snapshot) == (2, "import", "", True)
        assert workspace.find_model("clouds").full_name == "clouds@1"
        assert workspace.find_dataset("clouds").openings == 1


# One clear sentence


def test_a_workspace_of_a_newer_winnow_is_refused_and_left_alone(workspace: Workspace):
    with closing(sqlite3.connect(workspace.folder / "winnow.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.execute("UPDATE about SET value = '7.1'")
    with pytest.raises(WorkspaceError, match=r"newer Winnow \(7\.1; this is .*pip install --upgrade winnow"):
        Workspace.open(workspace.folder)
    with closing(sqlite3.connect(workspace.folder / "winnow.db")) as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path):
    (tmp_path / "mine").write_text("hello")
    for folder in (tmp_path / "mine", tmp_path / "mine" / "deeper"):
        with pytest.raises(WorkspaceError, match=r"mine is a file.*WINNOW_WORKSPACE"):
            Workspace.open(folder)


def test_a_database_that_is_none_is_named(tmp_path: Path):
    (tmp_path / "winnow.db").write_bytes(b"this is no database at all" * 100)
    with pytest.raises(WorkspaceError, match=r"winnow\.db cannot be read.*backups"):
        Workspace.open(tmp_path)


def test_somebody_elses_database_is_left_alone(tmp_path: Path):
    with closing(sqlite3.connect(tmp_path / "winnow.db")) as database:
        database.execute("CREATE TABLE recipes (name)")
    with pytest.raises(WorkspaceError, match=r"not a Winnow database.*recipes"):
        Workspace.open(tmp_path)


def test_a_locked_database_is_called_busy(workspace: Workspace):
    with closing(sqlite3.connect(workspace.folder / "winnow.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        hasty = Workspace.open(workspace.folder, patience_s=0.05)
        with pytest.raises(WorkspaceError, match="busy: another program"):
            hasty.add_dataset("clouds", "")


def _fill_the_disk(database: Database) -> None:
    with database.write() as connection:
        pages = connection.scalar(text("PRAGMA page_count"))
        connection.execute(text(f"PRAGMA max_page_count = {pages}"))
        connection.execute(text("INSERT INTO about VALUES ('filler', :much)"), {"much": "x" * 100_000})


def test_a_full_disk_says_so_and_loses_nothing(clouds: Workspace):
    with pytest.raises(WorkspaceError, match=r"is full \(.* MB free\).*Free some space"):
        _fill_the_disk(Database(clouds.folder / "winnow.db"))
    assert clouds.find_dataset("clouds").newest is not None


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.ENOSPC, "is full"),
        (errno.EDQUOT, "is full"),
        (errno.EROFS, "may not write"),
        (errno.EACCES, "may not write"),
        (errno.EIO, "disk is there and healthy"),
    ],
)
def test_what_the_system_refuses_becomes_one_sentence(tmp_path: Path, number: int, says: str):
    with pytest.raises(WorkspaceError, match=says), plainly(tmp_path):
        raise OSError(number, os.strerror(number))


@pytest.fixture
def without_root() -> Iterator[Path]:
    """An open folder, while the process has no more rights than anybody (root may write everywhere)."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    yield folder
    if is_root:
        os.seteuid(0)
    (folder / "read-only").chmod(0o700)
    shutil.rmtree(folder)


@pytest.mark.skipif(os.name != "posix", reason="Windows has no read-only folders")
def test_a_read_only_folder_is_refused_before_any_work(without_root: Path):
    folder = without_root / "read-only"
    Workspace.open(folder)
    folder.chmod(0o500)
    with pytest.raises(WorkspaceError, match=r"You may not write to the workspace .*WINNOW_WORKSPACE"):
        Workspace.open(folder)
