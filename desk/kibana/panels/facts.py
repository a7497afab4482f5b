"""What the database holds about a stretch of time, read with plain queries: nothing here asks the index."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from desk.kibana.panels.scope import Scope
from store import tables
from store.annotations import APART

Spot = tuple[float, float]


class Read(NamedTuple):
    """A post as it was read."""

    id: str
    created_at: datetime
    status: str
    filters: tuple[str, ...]
    labels: tuple[str, ...]
    relevance: float | None
    incident: str | None
    position: Spot | None


class Known(NamedTuple):
    """An incident, with who was told of it and who took it on, the first of them at ``acknowledged_at``."""

    id: str
    status: str
    state: str
    updated_at: datetime
    hazard: str | None
    tags: tuple[str, ...]
    severity: str
    verification: str
    posts: int
    voices: int
    place: str | None
    position: Spot | None
    lead: str | None
    support: frozenset[str]
    alerts: int
    acknowledged_by: frozenset[str]
    acknowledged_at: datetime | None
    filters: frozenset[str]

    @property
    def acknowledged(self) -> bool:
        """Whether anybody took it on."""
        return bool(self.acknowledged_by)


class Decided(NamedTuple):
    """An alert: a decision of the router."""

    id: str
    incident: str
    event: str
    at: datetime
    lead: str
    support: frozenset[str]
    paged: bool
    status: str
    hazard: str | None
    severity: str
    place: str | None
    voices: int


class Delivered(NamedTuple):
    """A delivery, with its two lengths of time in seconds. ``event``: what it tells of, ``new`` for a first message."""

    event: str
    agency: str
    state: str
    status: str | None
    to_alert_s: float | None
    to_acknowledge_s: float | None


class Heard(NamedTuple):
    """An hour of a filter or a source."""

    kind: str
    subject: str
    hour: datetime
    received: int
    kept: int
    listened_s: float


class Hole(NamedTuple):
    """A gap in listening; ``seconds`` is None while it lasts."""

    source: str
    state: str
    seconds: float | None
    found: int


class Told(NamedTuple):
    """What a source last said of itself."""

    source: str
    state: str
    reason: str
    since: datetime
    last_post_at: datetime | None
    received: int


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that the dashboards count, within ``scope`` by the time that each data view is looked at by."""

    scope: Scope
    posts: list[Read]
    incidents: list[Known]
    alerts: list[Decided]
    deliveries: list[Delivered]
    hours: list[Heard]
    gaps: list[Hole]
    sources: list[Told]


def facts(conn: Connection, scope: Scope) -> Facts:
    """Read the facts of ``scope``; both its ends belong to it. Its queries and filters are not looked at."""
    return Facts(
        scope, list(_posts(conn, scope)), list(_incidents(conn, scope)), list(_alerts(conn, scope)),
        list(_deliveries(conn, scope)), list(_hours(conn, scope)), list(_gaps(conn, scope)),
        list(_sources(conn)),
    )  # fmt: skip


def _posts(conn: Connection, scope: Scope) -> Iterator[Read]:
    wanted = select(tables.posts, tables.annotations.c.payload, tables.incident_posts.c.incident_id).select_from(
        tables.posts.outerjoin(tables.annotations, tables.annotations.c.post_id == tables.posts.c.id).outerjoin(
            tables.incident_posts, tables.incident_posts.c.post_id == tables.posts.c.id
        )
    )
    for row in conn.execute(wanted.where(tables.posts.c.created_at.between(scope.start, scope.end))):
        told: Mapping[str, Any] = row.payload or {}
        labels = tuple(label for label in told.get("labels", ()) if label != APART)
        spot = _event(told) or ((row.lat, row.lon) if row.lat is not None else None)
        yield Read(
            row.id, row.created_at, row.status, tuple(row.filters), labels, told.get("relevance"), row.incident_id, spot
        )


def _event(told: Mapping[str, Any]) -> Spot | None:
    """Where it happens, as read with the most confidence."""
    placed = [one for one in told.get("locations", ()) if one["role"] == "event" and one.get("lat") is not None]
    placed.sort(key=lambda one: -one["confidence"])
    return (placed[0]["lat"], placed[0]["lon"]) if placed else None


def _incidents(conn: Connection, scope: Scope) -> Iterator[Known]:
    told, heard = _alerts_of(conn), _filters_of(conn)
    taken: defaultdict[str, dict[str, datetime]] = defaultdict(dict)
    for row in conn.execute(select(tables.acknowledgements)):
        taken[row.incident_id][row.agency] = row.at
    for row in conn.execute(
        select(tables.incidents).where(tables.incidents.c.updated_at.between(scope.start, scope.end))
    ):
        of, place, last = row.payload, row.payload.get("place") or {}, told[row.id][-1] if told[row.id] else {}
        yield Known(
            row.id, row.status, row.state, row.updated_at, row.hazard,
            tuple(tag for tag in of.get("tags", ()) if tag != APART), row.severity,
            of.get("verification", "unverified"), of["posts"], of["voices"], place.get("name"),
            (place["lat"], place["lon"]) if place.get("lat") is not None else None,
            last.get("lead"), frozenset(last.get("support", ())), len(told[row.id]),
            frozenset(taken[row.id]), min(taken[row.id].values(), default=None), frozenset(heard[row.id]),
        )  # fmt: skip


def _alerts_of(conn: Connection) -> defaultdict[str, list[Mapping[str, Any]]]:
    """Incident → its alerts, oldest first."""
    found: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in conn.execute(select(tables.alerts).order_by(tables.alerts.c.at, tables.alerts.c.id)):
        found[row.incident_id].append(row.payload)
    return found


def _filters_of(conn: Connection) -> defaultdict[str, set[str]]:
    """Incident → the filters that wanted its posts."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    joined = tables.incident_posts.join(tables.posts, tables.posts.c.id == tables.incident_posts.c.post_id)
    for row in conn.execute(select(tables.incident_posts.c.incident_id, tables.posts.c.filters).select_from(joined)):
        found[row.incident_id].update(row.filters)
    return found


def _alerts(conn: Connection, scope: Scope) -> Iterator[Decided]:
    for row in conn.execute(select(tables.alerts).where(tables.alerts.c.at.between(scope.start, scope.end))):
        of, about = row.payload, row.payload["incident"]
        yield Decided(
            row.id, row.incident_id, of["event"], row.at, of["lead"], frozenset(of.get("support", ())),
            of.get("paged", False), about["status"], about.get("hazard"), about.get("severity", "Unknown"),
            (about.get("place") or {}).get("name"), about["voices"],
        )  # fmt: skip


def _deliveries(conn: Connection, scope: Scope) -> Iterator[Delivered]:
    statuses = {row.id: row.status for row in conn.execute(select(tables.incidents))}
    taken = {(row.incident_id, row.agency): row.at for row in conn.execute(select(tables.acknowledgements))}
    for row in conn.execute(
        select(tables.deliveries).where(tables.deliveries.c.created_at.between(scope.start, scope.end))
    ):
        answer = taken.get((row.incident_id, row.agency))
        answered = _between(row.sent_at, answer) if row.sent_at and answer and answer >= row.sent_at else None
        waited = _between(row.trigger_received_at, row.first_attempt_at)
        yield Delivered(row.event, row.agency, row.state, statuses.get(row.incident_id), waited, answered)


def _hours(conn: Connection, scope: Scope) -> Iterator[Heard]:
    for row in conn.execute(select(tables.hourly).where(tables.hourly.c.hour.between(scope.start, scope.end))):
        kind, _, subject = row.subject.partition(":")
        yield Heard(kind, subject, row.hour, row.received, row.kept, row.listened_s)


def _gaps(conn: Connection, scope: Scope) -> Iterator[Hole]:
    for row in conn.execute(select(tables.gaps).where(tables.gaps.c.started_at.between(scope.start, scope.end))):
        yield Hole(row.source, row.state, _between(row.started_at, row.ended_at), row.found)


def _sources(conn: Connection) -> Iterator[Told]:
    for row in conn.execute(select(tables.sources)):
        yield Told(row.source, row.state, row.reason, row.since, row.last_post_at, row.received)


def _between(start: datetime | None, end: datetime | None) -> float | None:
    return (end - start).total_seconds() if start and end else None
