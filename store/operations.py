"""Operations: what the services are engaged in already, as JSON that the rooms above give a meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.sqlite import insert

from store.tables import operations


def put(conn: Connection, id: str, operation: Mapping[str, Any] | None) -> None:
    """Keep an operation in place of what was known under its id; None removes it."""
    if operation is None:
        conn.execute(delete(operations).where(operations.c.id == id))
        return
    values = {"payload": dict(operation)}
    conn.execute(insert(operations).values(id=id, **values).on_conflict_do_update(set_=values))


def all(conn: Connection) -> dict[str, dict[str, Any]]:
    """Every operation, by id."""
    rows = conn.execute(select(operations).order_by(operations.c.id))
    return {id: payload for id, payload in rows}  # noqa: C416 - dict() of rows has no type that mypy knows
