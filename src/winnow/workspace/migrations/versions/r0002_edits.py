"""A version is an event: who made it, of what kind, and by which edits where no snapshot says so."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Versions made so far are snapshots; what they were made from says whether they were imported."""
    with op.batch_alter_table("versions") as versions:
        versions.alter_column("digest", existing_type=sa.String(64), nullable=True)
        versions.add_column(sa.Column("kind", sa.String(40), nullable=False, server_default="import"))
        versions.add_column(sa.Column("who", sa.String(200), nullable=False, server_default=""))
        versions.add_column(sa.Column("edits", sa.Text))
        versions.add_column(sa.Column("has_snapshot", sa.Boolean, nullable=False, server_default=sa.true()))
    op.execute("UPDATE versions SET kind = 'change' WHERE parent IS NOT NULL")
