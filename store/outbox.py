"""The outbox: deliveries written before they are sent, claimed by compare-and-set, and who acknowledged.

``next_at`` is when a pending delivery is due (None: at once), and until when a claim on a sending one holds.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, or_, select, update
from sqlalchemy.dialects.sqlite import insert

from store import tables
from store.batches import batches
from store.records import Acknowledgement, Delivery
from store.tables import deliveries

_acknowledgements = tables.acknowledgements


def add(conn: Connection, new: Sequence[Delivery]) -> None:
    """Keep the deliveries; those whose id is there already are left as they were."""
    if new:
        conn.execute(insert(deliveries).on_conflict_do_nothing(), [asdict(delivery) for delivery in new])


def get(conn: Connection, id: str) -> Delivery | None:
    """The delivery with this id, or None."""
    return next(iter(_all(conn, select(deliveries).where(deliveries.c.id == id))), None)


def claim(conn: Connection, now: datetime, limit: int, hold: timedelta) -> list[Delivery]:
    """At most ``limit`` deliveries that are due, now ``sending`` for the caller alone until ``now + hold``.

    Due are the pending ones whose time has come and the sending ones whose claim ran out. Attempts rise by one.
    """
    some = select(deliveries).where(_due(now)).order_by(deliveries.c.created_at, deliveries.c.id).limit(limit)
    return [taken for row in _all(conn, some) if (taken := _take(conn, row, now, hold))]


def due(conn: Connection, now: datetime) -> bool:
    """Whether there is anything to claim."""
    return conn.execute(select(deliveries.c.id).where(_due(now)).limit(1)).first() is not None


def sent(conn: Connection, id: str, now: datetime) -> bool:
    """Say that a claimed delivery was sent; gives False where it was not waiting for that. A cancelled one can be."""
    values = {"state": "sent", "sent_at": now, "next_at": None, "error": None}
    return _settle(conn, id, ("sending", "cancelled"), values)


def retry(conn: Connection, id: str, next_at: datetime, error: str) -> bool:
    """Put a claimed delivery back until ``next_at``, with what went wrong; gives False where it was not claimed."""
    return _settle(conn, id, ("sending",), {"state": "pending", "next_at": next_at, "error": error})


def failed(conn: Connection, id: str, error: str) -> bool:
    """Give a claimed delivery up, with what went wrong; gives False where it was not claimed."""
    return _settle(conn, id, ("sending",), {"state": "failed", "next_at": None, "error": error})


def cancel(conn: Connection, incident_id: str, *, ids: Collection[str] | None = None) -> int:
    """Stop every delivery of an incident, or those of ``ids``, that is not sent or failed yet; gives how many."""
    waiting = and_(deliveries.c.incident_id == incident_id, deliveries.c.state.in_(("pending", "sending")))
    if ids is not None:
        waiting = and_(waiting, deliveries.c.id.in_(sorted(ids)))
    return conn.execute(update(deliveries).where(waiting).values(state="cancelled", next_at=None)).rowcount


def of_incident(conn: Connection, incident_id: str) -> list[Delivery]:
    """The deliveries about an incident, oldest first."""
    about = select(deliveries).where(deliveries.c.incident_id == incident_id)
    return _all(conn, about.order_by(deliveries.c.created_at, deliveries.c.id))


def acknowledge(conn: Connection, acknowledgement: Acknowledgement) -> bool:
    """Keep an acknowledgement; gives False, and keeps the first, where that agency had acknowledged the incident."""
    new = insert(_acknowledgements).values(asdict(acknowledgement)).on_conflict_do_nothing()
    return conn.execute(new).rowcount == 1


def acknowledgements(conn: Connection, incident_ids: Collection[str]) -> dict[str, list[Acknowledgement]]:
    """Incident id → its acknowledgements, oldest first; incidents without one are left out."""
    found: dict[str, list[Acknowledgement]] = {}
    for some in batches(incident_ids):
        about = select(_acknowledgements).where(_acknowledgements.c.incident_id.in_(some))
        for row in conn.execute(about.order_by(_acknowledgements.c.at, _acknowledgements.c.agency)):
            found.setdefault(row.incident_id, []).append(Acknowledgement(**row._mapping))
    return found


def _due(now: datetime) -> ColumnElement[bool]:
    column = deliveries.c
    pending = and_(column.state == "pending", or_(column.next_at.is_(None), column.next_at <= now))
    return or_(pending, and_(column.state == "sending", column.next_at <= now))


def _take(conn: Connection, seen: Delivery, now: datetime, hold: timedelta) -> Delivery | None:
    column = deliveries.c
    same = and_(column.id == seen.id, column.state == seen.state, column.attempts == seen.attempts)
    values: dict[str, Any] = {
        "state": "sending",
        "attempts": seen.attempts + 1,
        "next_at": now + hold,
        "first_attempt_at": seen.first_attempt_at or now,
    }
    if conn.execute(update(deliveries).where(same).values(values)).rowcount != 1:
        return None
    return Delivery(**{**asdict(seen), **values})


def _settle(conn: Connection, id: str, states: tuple[str, ...], values: dict[str, Any]) -> bool:
    claimed = and_(deliveries.c.id == id, deliveries.c.state.in_(states))
    return conn.execute(update(deliveries).where(claimed).values(values)).rowcount == 1


def _all(conn: Connection, query: Select[Any]) -> list[Delivery]:
    return [_of_row(row) for row in conn.execute(query)]


def _of_row(row: Row[Any]) -> Delivery:
    return Delivery(**{**row._mapping, "quoted": tuple(row.quoted)})
