"""How far the index is behind the database, and why: read from the database, by whoever shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Connection, func, select

from store import changes, state, tables, times
from store.index import generations, poison
from store.index.families import STAGE, TABLES

MOST = 100_000
LOOKED_AT = 20
_TIMES: Mapping[str, Column[datetime]] = {
    "posts": tables.posts.c.received_at,
    "annotations": tables.posts.c.received_at,
    "incident_posts": tables.posts.c.received_at,
    "alerts": tables.alerts.c.at,
    "deliveries": tables.deliveries.c.created_at,
}
"""When a new record of a table came (UTC)."""


@dataclass(frozen=True, slots=True)
class Away:
    """Why the cluster takes nothing, and since when (UTC)."""

    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Building:
    """A new generation of a family: why, and how many documents of how many are in it."""

    family: str
    why: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Lag:
    """``changes`` that the index does not know (at most :data:`MOST` are counted), ``since`` when (UTC) the oldest new
    record among them is there; ``aside`` counts the documents that it did not take."""

    changes: int
    since: datetime | None = None
    away: Away | None = None
    building: tuple[Building, ...] = ()
    aside: int = 0

    def seconds(self, now: datetime) -> float:
        """How far behind it is at ``now``, 0 where it is not, or where only edits and deletions wait."""
        return max(0.0, (now - self.since).total_seconds()) if self.since else 0.0


def lag(conn: Connection) -> Lag:
    """How the index stands."""
    at, log = changes.cursor(conn, STAGE), tables.changes.c
    unread = select(log.seq).where(log.table.in_(TABLES), log.seq > at).limit(MOST).subquery()
    many = conn.execute(select(func.count()).select_from(unread)).scalar_one()
    away = state.value(conn, STAGE, "away")
    return Lag(
        changes=many,
        since=_oldest(conn, at) if many else None,
        away=Away(away["reason"], times.from_iso(away["since"])) if away else None,
        building=tuple(_building(conn)),
        aside=len(poison.known(conn)),
    )


def _building(conn: Connection) -> list[Building]:
    return [
        Building(family.name, found.wanted or found.why or "", found.done, found.total)
        for family, found in generations.unsettled(conn)
    ]


def _oldest(conn: Connection, at: int) -> datetime | None:
    log, found = tables.changes.c, []
    for table, came in _TIMES.items():
        new = select(log.key).where(log.table == table, log.seq > at, log.op == "insert").order_by(log.seq)
        keys = list(conn.execute(new.limit(LOOKED_AT)).scalars())
        first = select(func.min(came)).where(came.table.c.id.in_(keys))
        found.append(conn.execute(first).scalar_one() if keys else None)
    return min((one for one in found if one), default=None)
