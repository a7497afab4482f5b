"""A stage's own memory: JSON values under keys, changed in the transaction of what the stage makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.sqlite import insert

from store.batches import batches
from store.tables import state

_upsert = insert(state)
_UPSERT = _upsert.on_conflict_do_update(set_={"value": _upsert.excluded.value})


def get(conn: Connection, stage: str) -> dict[str, Any]:
    """Everything that ``stage`` remembers."""
    rows = conn.execute(select(state.c.key, state.c.value).where(state.c.stage == stage))
    return {key: value for key, value in rows}  # noqa: C416 - dict() of rows has no type that mypy knows


def value(conn: Connection, stage: str, key: str) -> Any:
    """What ``stage`` remembers under ``key``; None where it is nothing."""
    return conn.execute(select(state.c.value).where(state.c.stage == stage, state.c.key == key)).scalar_one_or_none()


def put(conn: Connection, stage: str, values: Mapping[str, Any]) -> None:
    """Remember the values; None forgets its key. Other keys stay."""
    for some in batches([key for key, value in values.items() if value is None]):
        conn.execute(delete(state).where(state.c.stage == stage, state.c.key.in_(some)))
    kept = [{"stage": stage, "key": key, "value": value} for key, value in values.items() if value is not None]
    if kept:
        conn.execute(_UPSERT, kept)
