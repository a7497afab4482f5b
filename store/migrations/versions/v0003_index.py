"""The index beside the database learns which posts belong to which incident."""

from __future__ import annotations

from alembic import op

from store.migrations.triggers import watch

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Log the changes of incident_posts."""
    watch(op.get_bind(), "incident_posts", "post_id")
