"""Erasing what is older than the agency may keep, each class of data after its own time, but for what is on hold."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, delete, exists, select, text, update

from store import annotations as kept
from store import changes, holds, incidents, ledger, posts, tables
from store.database import Database
from store.holds import Held
from store.index import families
from store.records import Annotation, LedgerEntry
from store.search import embedded

BATCH = 500
THREAT = kept.APART
SETTLED = ("filled", "partly", "lost")
_ABOUT_INCIDENTS = (
    tables.incident_posts,
    tables.incident_events,
    tables.alerts,
    tables.deliveries,
    tables.acknowledgements,
)

_INCIDENTS = (families.INCIDENTS, families.ALERTS, families.DELIVERIES)

Erase = Callable[[Database, datetime, Held], int]


@dataclass(frozen=True, slots=True)
class Ages:
    """How long each class is kept: posts with what was understood of them, since they were received, and what their
    source took back; closed incidents with their alerts, since their last change; what was tagged as a threat to public
    order, since the post came; counts by the hour and settled holes; the change log."""

    posts: timedelta
    incidents: timedelta
    threats: timedelta
    counts: timedelta
    changes: timedelta

    def of_families(self) -> dict[str, timedelta]:
        """Family of the search index → how long its documents are kept."""
        return {
            families.POSTS.name: self.posts,
            families.PUBLIC_ORDER.name: self.threats,
            families.HOURS.name: self.counts,
            **dict.fromkeys((one.name for one in _INCIDENTS), self.incidents),
        }


def erase(db: Database, now: datetime, ages: Ages, readers: Mapping[str, Collection[str]] | None = None) -> int:
    """Delete what is older than ``ages`` allow at ``now`` and is not on hold; returns how many posts went.

    Works in short transactions; the ledger gets the counts, never a text. Answers of the geocoder go with the posts.
    ``readers``: stage → the tables whose changes it reads, for the change log (see :func:`store.changes.shorten`).
    """
    with db.read() as conn:
        held = holds.held(conn, now)
    classes: dict[str, tuple[Erase, timedelta]] = {
        "posts": (_erase_posts, ages.posts),
        "threats": (_erase_threats, ages.threats),
        "incidents": (_erase_incidents, ages.incidents),
        "withdrawals": (_erase_withdrawals, ages.posts),
        "counts": (_erase_counts, ages.counts),
    }
    detail = {name: _all(one, db, now - age, held) for name, (one, age) in classes.items()}
    detail["threats"] += _erase_tags(db, now - ages.threats, held)
    detail["changes"] = changes.shorten(db, now, ages.changes, readers or {})
    if detail["posts"]:
        embedded.settle(db)
    with db.write(durable=True) as conn:
        conn.execute(delete(tables.cache).where(tables.cache.c.at < now - ages.posts))
        if any(detail.values()):
            ledger.append(conn, [LedgerEntry(at=now, kind="retention", subject="store", detail=detail)])
    return detail["posts"]


def _all(one: Erase, db: Database, before: datetime, held: Held) -> int:
    done = 0
    while not held.everything and (gone := one(db, before, held)):
        done += gone
    return done


def _erase_posts(db: Database, before: datetime, held: Held) -> int:
    """Posts go, and out of closed incidents their ids and words; what the incident counted stays."""
    column = tables.posts.c
    old = select(column.id).where(column.received_at < before, ~held.post(column.id))
    with db.write() as conn:
        ids = list(conn.execute(old.limit(BATCH)).scalars())
        for name in sorted(set(incidents.incident_of(conn, ids).values())):
            told = incidents.get(conn, name)
            if told and told.state == "closed":
                shown = tuple(id for id in told.evidence if id not in set(ids))
                incidents.put(conn, [replace(told, evidence=shown, why=())])
        conn.execute(delete(tables.set_aside).where(tables.set_aside.c.at < before))
        return posts.delete(conn, ids)


def _erase_threats(db: Database, before: datetime, held: Held) -> int:
    """Annotations stay, without their public-order score and label, and without the words that may have told of it."""
    apart = tables.public_order.c
    old = select(apart.post_id).where(apart.at < before, ~held.post(apart.post_id))
    with db.write() as conn:
        ids = list(conn.execute(old.limit(BATCH)).scalars())
        found = kept.get(conn, ids)
        kept.put(conn, [_without_threat(one) for one in found.values()])
        conn.execute(delete(tables.public_order).where(apart.post_id.in_(ids)))
        changes.note(conn, "annotations", list(found))
        return len(ids)


def _without_threat(one: Annotation) -> Annotation:
    return replace(kept.without_apart(one), why=() if THREAT in one.labels else one.why)


def _erase_tags(db: Database, before: datetime, held: Held) -> int:
    """The tag goes out of closed incidents, and out of what was told and decided of any; gives how many incidents."""
    closed, told = tables.incidents.c, (tables.incident_events, tables.alerts)
    old = (closed.state == "closed") & (closed.updated_at < before) & ~held.incident(closed.id)
    named = text(f"payload LIKE '%{THREAT}%'")
    done = 0
    with db.read() as conn:
        wanted = {tables.incidents: list(conn.execute(select(closed.id).where(old, named)).scalars())}
        for table in told:
            old = (table.c.at < before) & ~held.incident(table.c.incident_id)
            wanted[table] = list(conn.execute(select(table.c.id).where(old, named)).scalars())
    for table, ids in wanted.items():
        done += len(ids) if table is tables.incidents else 0
        for start in range(0, len(ids), BATCH):
            with db.write() as conn:
                _untag(conn, table, ids[start : start + BATCH])
    return done


def _untag(conn: Connection, table: Table, ids: Collection[str]) -> None:
    for row in list(conn.execute(select(table.c.id, table.c.payload).where(table.c.id.in_(ids)))):
        payload: dict[str, Any] = dict(row.payload)
        incident = payload.get("incident", payload)
        incident["tags"] = [tag for tag in incident["tags"] if tag != THREAT]
        if "reason" in payload:
            payload["reason"] = [reason for reason in payload["reason"] if THREAT not in reason]
        conn.execute(update(table).where(table.c.id == row.id).values(payload=payload))


def _erase_incidents(db: Database, before: datetime, held: Held) -> int:
    old = tables.incidents.c
    with db.write(durable=True) as conn:
        wanted = select(old.id).where(old.state == "closed", old.updated_at < before, ~held.incident(old.id))
        ids = list(conn.execute(wanted.limit(BATCH)).scalars())
        for table in _ABOUT_INCIDENTS:
            conn.execute(delete(table).where(table.c.incident_id.in_(ids)))
        conn.execute(delete(tables.incidents).where(old.id.in_(ids)))
        return len(ids)


def _erase_withdrawals(db: Database, before: datetime, held: Held) -> int:
    """Tombstones go with the posts of their time, and the ids of versions with the post that they lead to."""
    old, other = tables.withdrawals.c, tables.aliases.c
    mine = (old.incident_id.is_(None)) | ~held.incident(old.incident_id)
    with db.write() as conn:
        ids = list(conn.execute(select(old.id).where(old.at < before, mine).limit(BATCH)).scalars())
        conn.execute(delete(tables.withdrawals).where(old.id.in_(ids)))
        kept_on = exists().where(tables.posts.c.id == other.post_id) | exists().where(old.post_id == other.post_id)
        conn.execute(delete(tables.aliases).where(~kept_on))
        return len(ids)


def _erase_counts(db: Database, before: datetime, _: Held) -> int:
    hours, holes = tables.hourly, tables.gaps
    with db.write() as conn:
        gone = conn.execute(delete(hours).where(hours.c.hour < before)).rowcount
        settled = (holes.c.ended_at < before) & holes.c.state.in_(SETTLED)
        return gone + conn.execute(delete(holes).where(settled)).rowcount
