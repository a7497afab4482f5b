"""Alerts: the router's decisions."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection

from store import alerts
from store.index.documents.document import Document, document, of_incident
from store.records import Change


def affected(_: Connection, changes: Sequence[Change]) -> set[str]:
    """Those that changed."""
    return {change.key for change in changes}


def read(conn: Connection, ids: Collection[str]) -> dict[str, Document]:
    """The documents of the alerts that are there."""
    found: dict[str, Document] = {}
    for id, alert in alerts.get(conn, ids).items():
        fields = {
            **of_incident(alert.incident),
            "incident": alert.incident_id,
            "event": alert.event,
            "at": alert.at,
            "lead": alert.lead,
            "support": alert.support,
            "paged": alert.paged,
            "late": alert.incident.late,
            "trigger_received_at": alert.trigger_received_at,
            "config_version": alert.config_version,
        }
        found[id] = document(id, alert.at, fields)
    return found
