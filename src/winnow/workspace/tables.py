"""The tables of the workspace's database, as the newest revision has them.

A change here needs a revision in `migrations/versions/`; a test compares the two.
Times are ISO 8601 text in UTC, because a person may open the file with any SQLite browser.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    true,
)

# Constraints have fixed names, so that a later revision can drop them on any database.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

about = Table(
    "about",
    metadata,
    Column("key", String(60), primary_key=True),
    Column("value", Text, nullable=False),
    comment="Which Winnow wrote this workspace last, so that an older one can say what it met.",
)

datasets = Table(
    "datasets",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("key", String(200), nullable=False, unique=True),
    Column("source", Text, nullable=False),
    Column("created", String(40), nullable=False),
)

versions = Table(
    "versions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("dataset_id", ForeignKey("datasets.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("parent", Integer),
    Column("digest", String(64)),
    Column("what", Text, nullable=False),
    Column("examples", Integer, nullable=False),
    Column("classes", Integer, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("created", String(40), nullable=False),
    Column("kind", String(40), nullable=False, server_default="import"),
    Column("who", String(200), nullable=False, server_default=""),
    Column("edits", Text),
    Column("has_snapshot", Boolean, nullable=False, server_default=true()),
    Column("action", String(120)),
    UniqueConstraint("dataset_id", "number"),
    Index(None, "dataset_id", "action", unique=True),
    comment="A row is an event and the version it made: read in (a snapshot), or by `edits` of the one before.",
)

climbs = Table(
    "climbs",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("dataset_id", ForeignKey("datasets.id", ondelete="CASCADE"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("spec", Text, nullable=False),
    Column("spec_digest", String(64), nullable=False),
    Column("state", String(20), nullable=False),
    Column("verdict", Text),
    Column("seconds", Float),
    Column("started", String(40), nullable=False),
    Column("finished", String(40)),
    Index(None, "dataset_id", "version", "spec_digest"),
)

models = Table(
    "models",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("key", String(200), nullable=False),
    Column("number", Integer, nullable=False),
    Column("dataset_id", ForeignKey("datasets.id", ondelete="RESTRICT"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("climb_id", ForeignKey("climbs.id", ondelete="SET NULL")),
    Column("digest", String(64), nullable=False),
    Column("created", String(40), nullable=False),
    UniqueConstraint("key", "number"),
)

openings = Table(
    "openings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("dataset_id", ForeignKey("datasets.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("model_digest", String(64), nullable=False),
    Column("model", String(220), nullable=False),
    Column("opened", String(40), nullable=False),
    UniqueConstraint("dataset_id", "number"),
    UniqueConstraint("dataset_id", "version", "model_digest"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("dataset_id", ForeignKey("datasets.id", ondelete="CASCADE"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("wish", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("created", String(40), nullable=False),
    Column("started", String(40)),
    Column("heartbeat", String(40)),
    Column("ended", String(40)),
    Column("host", String(255)),
    Column("pid", Integer),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("error", Text),
    Column("climb_id", String(40)),
    Column("model", String(220)),
    Index(None, "state"),
    sqlite_autoincrement=True,  # the number of a removed job never means another one
    comment="A climb that was asked for; `host` and `pid` hold its lease as long as `heartbeat` is young.",
)
