"""Deliveries: what was sent to an agency, how fast, and how fast it answered. Never to whose address."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, select

from store.batches import batches
from store.index.documents.document import Document, document
from store.records import Change
from store.tables import acknowledgements, deliveries, incidents

_COLUMNS = [deliveries.c[name] for name in ("id", "agency", "role", "channel", "state", "attempts", "fault", "event")]
_TIMES = [deliveries.c[name] for name in ("created_at", "first_attempt_at", "sent_at", "trigger_received_at")]
_SAME = and_(
    acknowledgements.c.incident_id == deliveries.c.incident_id, acknowledgements.c.agency == deliveries.c.agency
)
_WANTED = select(
    *_COLUMNS,
    *_TIMES,
    deliveries.c.alert_id,
    deliveries.c.incident_id,
    incidents.c.status,
    acknowledgements.c.at.label("answered_at"),
).select_from(
    deliveries.outerjoin(incidents, incidents.c.id == deliveries.c.incident_id).outerjoin(acknowledgements, _SAME)
)


def affected(conn: Connection, changes: Sequence[Change]) -> set[str]:
    """Those that changed, and those about an incident that somebody took on."""
    told = {change.key for change in changes if change.table == "deliveries"}
    for some in batches({change.key for change in changes if change.table == "acknowledgements"}):
        told.update(conn.execute(select(deliveries.c.id).where(deliveries.c.incident_id.in_(some))).scalars())
    return told


def read(conn: Connection, ids: Collection[str]) -> dict[str, Document]:
    """The documents of the deliveries that are there."""
    found: dict[str, Document] = {}
    for some in batches(ids):
        for row in conn.execute(_WANTED.where(deliveries.c.id.in_(some))):
            found[row.id] = document(row.id, row.created_at, _fields(row))
    return found


def _fields(row: Any) -> dict[str, Any]:
    answered = row.answered_at if row.sent_at and row.answered_at and row.answered_at >= row.sent_at else None
    return {
        **{column.name: row._mapping[column.name] for column in (*_COLUMNS, *_TIMES)},
        "alert": row.alert_id,
        "incident": row.incident_id,
        "status": row.status,
        "fault": row.fault or None,
        "to_first_attempt_s": _seconds(row.trigger_received_at, row.first_attempt_at),
        "acknowledged_at": answered,
        "to_acknowledge_s": _seconds(row.sent_at, answered),
    }


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return (end - start).total_seconds() if start and end else None
