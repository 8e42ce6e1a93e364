"""An edit may say which action of a page it is, so that one that is sent twice is stored once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Versions made so far belong to no such action."""
    op.add_column("versions", sa.Column("action", sa.String(120)))
    op.create_index("ix_versions_dataset_id_action", "versions", ["dataset_id", "action"], unique=True)
