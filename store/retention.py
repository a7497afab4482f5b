"""Erasing what is older than the agency may keep, each class of data after its own time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select

from store import annotations as kept
from store import ledger, posts, tables
from store.database import Database
from store.records import Annotation, LedgerEntry

BATCH = 500
THREAT = "public_order_threat"
_ABOUT_INCIDENTS = (
    tables.incident_posts,
    tables.incident_events,
    tables.alerts,
    tables.deliveries,
    tables.acknowledgements,
)


@dataclass(frozen=True, slots=True)
class Ages:
    """How long each class is kept: posts with what was understood of them, since they were received; closed incidents
    with their alerts, since their last change; what was tagged as a threat to public order, since the post came."""

    posts: timedelta
    incidents: timedelta
    threats: timedelta


def erase(db: Database, now: datetime, ages: Ages) -> int:
    """Delete what is older than ``ages`` allow at ``now``; returns how many posts went.

    Works in short transactions; the ledger gets the counts, never a text. Answers of the geocoder go with the posts.
    """
    detail = {"posts": 0, "incidents": 0, "threats": 0}
    while gone := _erase_posts(db, now - ages.posts):
        detail["posts"] += gone
    while gone := _erase_threats(db, now - ages.threats):
        detail["threats"] += gone
    while gone := _erase_incidents(db, now - ages.incidents):
        detail["incidents"] += gone
    with db.write(durable=True) as conn:
        conn.execute(delete(tables.cache).where(tables.cache.c.at < now - ages.posts))
        if any(detail.values()):
            ledger.append(conn, [LedgerEntry(at=now, kind="retention", subject="store", detail=detail)])
    return detail["posts"]


def _erase_posts(db: Database, before: datetime) -> int:
    with db.write() as conn:
        rows = conn.execute(select(tables.posts.c.id).where(tables.posts.c.received_at < before).limit(BATCH))
        return posts.delete(conn, [row.id for row in rows])


def _erase_threats(db: Database, before: datetime) -> int:
    """Annotations stay, without their public-order score and label, and without the words that may have told of it."""
    old, of = tables.annotations.c, tables.posts.c
    wanted = select(old.post_id).join(tables.posts, of.id == old.post_id)
    with db.write() as conn:
        tagged = conn.execute(wanted.where(of.received_at < before, old.public_order_threat.is_not(None)).limit(BATCH))
        found = kept.get(conn, list(tagged.scalars()))
        return kept.put(conn, [_without_threat(one) for one in found.values()])


def _without_threat(one: Annotation) -> Annotation:
    labels = tuple(label for label in one.labels if label != THREAT)
    why = () if THREAT in one.labels else one.why
    return replace(one, tags={**one.tags, THREAT: None}, labels=labels, why=why)


def _erase_incidents(db: Database, before: datetime) -> int:
    old = tables.incidents
    with db.write(durable=True) as conn:
        wanted = select(old.c.id).where(old.c.state == "closed", old.c.updated_at < before).limit(BATCH)
        ids = list(conn.execute(wanted).scalars())
        _erase_about(conn, ids)
        return len(ids)


def _erase_about(conn: Connection, ids: list[str]) -> None:
    for table in _ABOUT_INCIDENTS:
        conn.execute(delete(table).where(table.c.incident_id.in_(ids)))
    conn.execute(delete(tables.incidents).where(tables.incidents.c.id.in_(ids)))
