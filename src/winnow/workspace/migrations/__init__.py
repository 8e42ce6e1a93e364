"""Revisions of the database, oldest first; how a new database is made, and how an older one is upgraded (Alembic).

`REVISIONS` is kept by hand, so that opening an up-to-date workspace need not import Alembic to learn that
there is nothing to do; a test compares it with the files in `versions/`.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, String, Table, insert

from winnow.workspace.tables import metadata

FOLDER = Path(__file__).parent
REVISIONS = ("0001", "0002", "0003", "0004")

# Alembic's own, named as Alembic names it: with this row it goes on from here.
_REVISION = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))


def create(connection: Connection) -> None:
    """Make the tables of the newest revision in an empty database, inside its open transaction.

    A test compares them with those that all revisions, one after the other, arrive at.
    """
    metadata.create_all(connection)
    _REVISION.create(connection)
    connection.execute(insert(_REVISION).values(version_num=REVISIONS[-1]))


def upgrade(connection: Connection) -> None:
    """Bring the database behind `connection` to the newest revision, inside its open transaction."""
    # Alembic costs 0.15 s to import and is needed only on the day of an upgrade.
    from alembic import command
    from alembic.config import Config

    config = Config()
    # Alembic interpolates %; a folder may have one in its name.
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
