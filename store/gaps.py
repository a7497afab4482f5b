"""The gap ledger: every hole in every source, from when to when, why, for which filters, and what became of it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select
from sqlalchemy.dialects.sqlite import insert

from store import times
from store.records import Gap, GapState
from store.tables import gaps


def begin(conn: Connection, source: str, at: datetime, reason: str, filters: Collection[str] = ()) -> Gap:
    """The hole of ``source`` that lasts, begun at ``at`` (UTC) where none did; the first reason stays."""
    known = lasting(conn, source)
    if known:
        return known
    name = hashlib.sha256(f"{source} {times.to_iso(at)}".encode()).hexdigest()[:12]
    gap = Gap(f"gap-{name}", source, at, None, reason, tuple(sorted(filters)))
    put(conn, gap)
    return gap


def end(conn: Connection, source: str, at: datetime, state: GapState = "waiting") -> Gap | None:
    """End the hole of ``source`` that lasts, at ``at`` (UTC), to be filled or what ``state`` says; None without one."""
    known = lasting(conn, source)
    if known is None:
        return None
    ended = replace(known, ended_at=max(at, known.started_at), state=state)
    put(conn, ended)
    return ended


def put(conn: Connection, gap: Gap) -> None:
    """Keep the hole as it is now."""
    values = asdict(gap)
    conn.execute(insert(gaps).values(values).on_conflict_do_update(set_=values))


def lasting(conn: Connection, source: str) -> Gap | None:
    """The hole of ``source`` that has not ended."""
    return next(iter(_all(conn.execute(select(gaps).where(gaps.c.source == source, gaps.c.ended_at.is_(None))))), None)


def in_state(conn: Connection, *states: GapState) -> list[Gap]:
    """The holes in these states, oldest first."""
    return _all(conn.execute(select(gaps).where(gaps.c.state.in_(states)).order_by(gaps.c.started_at)))


def since(conn: Connection, at: datetime) -> list[Gap]:
    """The holes that lasted at ``at`` (UTC) or later, newest first."""
    ended = gaps.c.ended_at.is_(None) | (gaps.c.ended_at >= at)
    return _all(conn.execute(select(gaps).where(ended).order_by(gaps.c.started_at.desc())))


def _all(rows: Any) -> list[Gap]:
    return [_of_row(row) for row in rows]


def _of_row(row: Row[Any]) -> Gap:
    return Gap(**{**row._mapping, "filters": tuple(row.filters)})
