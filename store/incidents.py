"""Incidents, the posts that tell of them, and the events of their lives."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from sqlalchemy import Connection, Select, delete, literal, select
from sqlalchemy.dialects.sqlite import insert

from store.batches import batches
from store.codec import from_json
from store.records import Alert, Incident, IncidentEvent
from store.tables import incident_events, incident_posts, incidents, posts

Told = TypeVar("Told", Alert, IncidentEvent)

_upsert = insert(incidents)
_UPSERT = _upsert.on_conflict_do_update(
    set_={column.name: _upsert.excluded[column.name] for column in incidents.c if not column.primary_key}
)


def put(conn: Connection, new: Sequence[Incident]) -> None:
    """Keep the incidents, in place of what was known under the same ids."""
    if new:
        conn.execute(_UPSERT, [_row(incident) for incident in new])


def get(conn: Connection, id: str) -> Incident | None:
    """The incident with this id, or None."""
    return next(iter(_all(conn, select(incidents.c.payload).where(incidents.c.id == id))), None)


def active(conn: Connection) -> list[Incident]:
    """The incidents that are open or watched, oldest first."""
    living = incidents.c.state.in_(("open", "watching"))
    return _all(conn, select(incidents.c.payload).where(living).order_by(incidents.c.opened_at, incidents.c.id))


def recent(conn: Connection, limit: int) -> list[Incident]:
    """At most ``limit`` incidents, closed ones too, the last updated first."""
    newest = select(incidents.c.payload).order_by(incidents.c.updated_at.desc(), incidents.c.id).limit(limit)
    return _all(conn, newest)


def link(conn: Connection, incident_id: str, post_ids: Collection[str]) -> None:
    """Say that these posts tell of the incident; a post tells of one, the last said. Absent posts are left out."""
    for some in batches(post_ids):
        rows = select(posts.c.id, literal(incident_id), posts.c.created_at).where(posts.c.id.in_(some))
        new = insert(incident_posts).from_select(["post_id", "incident_id", "created_at"], rows)
        conn.execute(new.on_conflict_do_update(set_={"incident_id": incident_id}))


def posts_of(conn: Connection, incident_id: str, limit: int = 100, newest_first: bool = True) -> list[str]:
    """The ids of at most ``limit`` posts that tell of the incident, by the time they were written."""
    time, id = incident_posts.c.created_at, incident_posts.c.post_id
    order = (time.desc(), id.desc()) if newest_first else (time, id)
    linked = select(id).where(incident_posts.c.incident_id == incident_id)
    return list(conn.execute(linked.order_by(*order).limit(limit)).scalars())


def incident_of(conn: Connection, post_ids: Collection[str]) -> dict[str, str]:
    """Post id → incident id, for those of the posts that tell of one."""
    found: dict[str, str] = {}
    for some in batches(post_ids):
        linked = select(incident_posts.c.post_id, incident_posts.c.incident_id)
        found |= {row[0]: row[1] for row in conn.execute(linked.where(incident_posts.c.post_id.in_(some)))}
    return found


def add_events(conn: Connection, events: Sequence[IncidentEvent]) -> None:
    """Keep the events; those whose id is there already are left as they were.

    Without the words of posts that the incident stands on: they are the incident's own, and go when a post goes.
    """
    rows = [
        {"id": each.id, "incident_id": each.incident.id, "event": each.event, "at": each.at, "payload": wordless(each)}
        for each in events
    ]
    if rows:
        conn.execute(insert(incident_events).on_conflict_do_nothing(), rows)


def wordless(told: Told) -> Told:
    """An event or an alert whose incident holds no words of posts."""
    return replace(told, incident=replace(told.incident, why=()))


def unlink(conn: Connection, post_ids: Collection[str]) -> None:
    """Say that these posts tell of no incident."""
    for some in batches(post_ids):
        conn.execute(delete(incident_posts).where(incident_posts.c.post_id.in_(some)))


def events(conn: Connection, ids: Collection[str]) -> dict[str, IncidentEvent]:
    """The events with these ids; ids that are not there are left out."""
    found: dict[str, IncidentEvent] = {}
    wanted = select(incident_events.c.id, incident_events.c.payload)
    for some in batches(ids):
        rows = conn.execute(wanted.where(incident_events.c.id.in_(some)))
        found |= {id: from_json(IncidentEvent, payload) for id, payload in rows}
    return {id: found[id] for id in ids if id in found}


def _all(conn: Connection, query: Select[Any]) -> list[Incident]:
    return [from_json(Incident, payload) for payload in conn.execute(query).scalars()]


def _row(incident: Incident) -> dict[str, Any]:
    return {
        "id": incident.id,
        "status": incident.status,
        "state": incident.state,
        "opened_at": incident.opened_at,
        "updated_at": incident.updated_at,
        "hazard": incident.hazard,
        "severity": incident.severity,
        "revision": incident.revision,
        "payload": incident,
    }
