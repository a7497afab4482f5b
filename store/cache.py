"""Answers of outside services, kept so that they are asked once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from store.tables import cache


def get(conn: Connection, key: str) -> Any | None:
    """The JSON value kept under ``key``, or None. To keep "no answer" apart from "not asked", wrap the value."""
    return conn.execute(select(cache.c.value).where(cache.c.key == key)).scalar_one_or_none()


def put(conn: Connection, key: str, value: Any, now: datetime) -> None:
    """Keep a JSON value under ``key``, in place of what was there."""
    values = {"value": value, "at": now}
    conn.execute(insert(cache).values(key=key, **values).on_conflict_do_update(set_=values))
