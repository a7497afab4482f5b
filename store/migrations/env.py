"""Alembic's entry: runs the steps on the connection, and in the transaction, that :mod:`store.migrations` opened."""

from __future__ import annotations

from alembic import context

from store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
