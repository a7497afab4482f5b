"""Alerts: the router's decisions, written once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Select, select
from sqlalchemy.dialects.sqlite import insert

from store.batches import batches
from store.codec import from_json
from store.incidents import wordless
from store.records import Alert
from store.tables import alerts


def add(conn: Connection, new: Sequence[Alert]) -> None:
    """Keep the alerts; those whose id is there already are left as they were. No words of posts, as in events."""
    rows = [
        {"id": one.id, "incident_id": one.incident_id, "event_id": one.event_id, "at": one.at, "payload": wordless(one)}
        for one in new
    ]
    if rows:
        conn.execute(insert(alerts).on_conflict_do_nothing(), rows)


def get(conn: Connection, ids: Collection[str]) -> dict[str, Alert]:
    """The alerts with these ids; ids that are not there are left out."""
    found: dict[str, Alert] = {}
    for some in batches(ids):
        found |= {alert.id: alert for alert in _all(conn, select(alerts.c.payload).where(alerts.c.id.in_(some)))}
    return {id: found[id] for id in ids if id in found}


def of_incident(conn: Connection, incident_id: str) -> list[Alert]:
    """The alerts about an incident, oldest first."""
    about = select(alerts.c.payload).where(alerts.c.incident_id == incident_id)
    return _all(conn, about.order_by(alerts.c.at, alerts.c.id))


def _all(conn: Connection, query: Select[Any]) -> list[Alert]:
    return [from_json(Alert, payload) for payload in conn.execute(query).scalars()]
