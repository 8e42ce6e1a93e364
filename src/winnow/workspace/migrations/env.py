"""Alembic runs this file; it works on the connection, and in the transaction, that `upgrade` hands over."""

from __future__ import annotations

from alembic import context

from winnow.workspace.tables import metadata

# SQLite cannot alter most of a table: batch mode copies it instead.
context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
