"""How well Vigie hears: its sources, the holes in them, and what came by the hour."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, tuple_

from store.batches import batches
from store.index.documents.document import Document, document
from store.records import Change
from store.tables import gaps, hourly, sources
from store.times import from_iso, to_iso


def affected(_: Connection, changes: Sequence[Change]) -> set[str]:
    """Those that changed. Hours are not in the change log: see :func:`hours_since`."""
    return {change.key for change in changes}


def read_sources(conn: Connection, ids: Collection[str]) -> dict[str, Document]:
    """The last report of each source, under its name."""
    found: dict[str, Document] = {}
    for some in batches(ids):
        for row in conn.execute(select(sources).where(sources.c.source.in_(some))):
            at = max(row.since, row.last_post_at or row.since)
            found[row.source] = document(row.source, row.since, {**row._mapping, "at": at})
    return found


def read_gaps(conn: Connection, ids: Collection[str]) -> dict[str, Document]:
    """The holes, with their length in seconds where they have ended."""
    found: dict[str, Document] = {}
    for some in batches(ids):
        for row in conn.execute(select(gaps).where(gaps.c.id.in_(some))):
            seconds = (row.ended_at - row.started_at).total_seconds() if row.ended_at else None
            fields = {name: value for name, value in row._mapping.items() if name != "note"}
            found[row.id] = document(row.id, row.started_at, {**fields, "seconds": seconds})
    return found


def read_hours(conn: Connection, ids: Collection[str]) -> dict[str, Document]:
    """Counts of hours, by the ids that :func:`hours_since` gives."""
    found: dict[str, Document] = {}
    for some in batches(ids):
        keys = [_key(id) for id in some]
        for row in conn.execute(select(hourly).where(tuple_(hourly.c.subject, hourly.c.hour).in_(keys))):
            id = _id(row)
            found[id] = document(id, row.hour, _of_hour(row))
    return found


def hours_since(conn: Connection, since: datetime) -> set[str]:
    """The ids of the documents of hours that begin at ``since`` (UTC) or later."""
    rows = conn.execute(select(hourly.c.subject, hourly.c.hour).where(hourly.c.hour >= since))
    return {_id(row) for row in rows}


def _of_hour(row: Any) -> dict[str, Any]:
    """A filter or a source also has a field of its own, so that a chart of filters need not leave out the rest."""
    kind, _, subject = row.subject.partition(":")
    own = {kind: subject} if kind in ("filter", "source") else {}
    counts = {name: row._mapping[name] for name in ("hour", "received", "kept", "listened_s", "silent_s")}
    return {"kind": kind, "subject": subject or kind, **own, **counts}


def _id(row: Any) -> str:
    return f"{row.subject}@{to_iso(row.hour)}"


def _key(id: str) -> tuple[str, datetime]:
    subject, _, hour = id.rpartition("@")
    return subject, from_iso(hour)
