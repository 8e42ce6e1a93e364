"""The first tables: datasets and their versions, climbs, models, openings of the test split."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create everything."""
    op.create_table(
        "about",
        sa.Column("key", sa.String(60), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_about"),
    )
    op.create_table(
        "datasets",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("created", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_datasets"),
        sa.UniqueConstraint("key", name="uq_datasets_key"),
    )
    op.create_table(
        "versions",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("dataset_id", sa.Integer, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("parent", sa.Integer),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("examples", sa.Integer, nullable=False),
        sa.Column("classes", sa.Integer, nullable=False),
        sa.Column("bytes", sa.Integer, nullable=False),
        sa.Column("created", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_versions"),
        sa.UniqueConstraint("dataset_id", "number", name="uq_versions_dataset_id_number"),
        _dataset_key("versions", "CASCADE"),
    )
    op.create_table(
        "climbs",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("dataset_id", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("spec", sa.Text, nullable=False),
        sa.Column("spec_digest", sa.String(64), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("verdict", sa.Text),
        sa.Column("seconds", sa.Float),
        sa.Column("started", sa.String(40), nullable=False),
        sa.Column("finished", sa.String(40)),
        sa.PrimaryKeyConstraint("id", name="pk_climbs"),
        _dataset_key("climbs", "CASCADE"),
    )
    op.create_index("ix_climbs_dataset_id_version_spec_digest", "climbs", ["dataset_id", "version", "spec_digest"])
    op.create_table(
        "models",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("dataset_id", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("climb_id", sa.String(40)),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("created", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_models"),
        sa.UniqueConstraint("key", "number", name="uq_models_key_number"),
        _dataset_key("models", "RESTRICT"),
        sa.ForeignKeyConstraint(["climb_id"], ["climbs.id"], name="fk_models_climb_id", ondelete="SET NULL"),
    )
    op.create_table(
        "openings",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("dataset_id", sa.Integer, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("model_digest", sa.String(64), nullable=False),
        sa.Column("model", sa.String(220), nullable=False),
        sa.Column("opened", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_openings"),
        sa.UniqueConstraint("dataset_id", "number", name="uq_openings_dataset_id_number"),
        sa.UniqueConstraint(
            "dataset_id", "version", "model_digest", name="uq_openings_dataset_id_version_model_digest"
        ),
        _dataset_key("openings", "CASCADE"),
    )


def _dataset_key(table: str, ondelete: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name=f"fk_{table}_dataset_id", ondelete=ondelete)
