"""Revisions of the database, oldest first, and the one function that applies them (Alembic).

`REVISIONS` is kept by hand, so that opening an up-to-date workspace need not import Alembic to learn that
there is nothing to do; a test compares it with the files in `versions/`.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

FOLDER = Path(__file__).parent
REVISIONS = ("0001", "0002", "0003", "0004")


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
