"""A workspace's folder and database are made, checked and brought up to date before anything is done in them."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from sqlalchemy import Connection, delete, insert, select

from winnow.errors import WorkspaceError
from winnow.workspace import migrations
from winnow.workspace.database import Database
from winnow.workspace.tables import about
from winnow.workspace.troubles import ELSEWHERE, plainly

_PARTS = ("blobs", "datasets", "climbs", "jobs", "models", "cache", "backbones")


def make_folders(folder: Path) -> None:
    """Make the workspace's folders, and find out now whether we may write there."""
    try:
        with plainly(folder):
            # Pictures may be private: nobody else on this machine needs to read them.
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for part in _PARTS:
                (folder / part).mkdir(exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
    except WorkspaceError as error:
        if isinstance(error.__cause__, FileExistsError | NotADirectoryError):
            at = next(place for place in (folder, *folder.parents) if place.exists() and not place.is_dir())
            raise WorkspaceError(
                f"The workspace should be the folder {folder}, but {at} is a file. Move that file away, or {ELSEWHERE}."
            ) from error
        raise


def bring_up_to_date(database: Database) -> None:
    """Create or migrate the tables; an up-to-date database costs one short read."""
    with database.read() as connection:
        if _is_up_to_date(database, connection):
            return
    database.use_write_ahead_log()
    # Two programs may get here at once; the write lock lets one do it and shows the other it is done.
    with database.write() as connection:
        if _is_up_to_date(database, connection):
            return
        stored = database.stored_revision(connection)
        if stored is None:
            migrations.create(connection)
        else:
            _back_up(database, stored)
            migrations.upgrade(connection)
        connection.execute(delete(about))
        connection.execute(insert(about).values(key="winnow_version", value=_own_version()))


def _is_up_to_date(database: Database, connection: Connection) -> bool:
    try:
        stored = database.stored_revision(connection)
    except LookupError as error:
        raise WorkspaceError(
            f"{database.path} is not a Winnow database ({error}). Move it away, or {ELSEWHERE}."
        ) from error
    if stored is not None and stored not in migrations.REVISIONS:
        writer = connection.scalar(select(about.c.value).where(about.c.key == "winnow_version"))
        raise WorkspaceError(
            f"The workspace {database.folder} was made by a newer Winnow ({writer}; this is "
            f"{_own_version()}). Upgrade with: pip install --upgrade winnow, or {ELSEWHERE}."
        )
    return stored == migrations.REVISIONS[-1]


def _back_up(database: Database, revision: str) -> None:
    folder = database.folder / "backups"
    folder.mkdir(exist_ok=True)
    database.copy_to(folder / f"winnow-{revision}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.db")


def _own_version() -> str:
    try:
        return version("winnow")
    except PackageNotFoundError:
        return "not installed"
