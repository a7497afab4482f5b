"""Legal holds: what must not be erased by age while somebody answers for keeping it.

A hold outlives no deletion at the source: what its source takes back goes, held or not.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, false, select, true
from sqlalchemy.dialects.sqlite import insert

from store import ledger, tables, times
from store.records import Hold, LedgerEntry
from store.tables import holds, incident_posts

ALL = "all"


class NoSuchThing(ValueError):
    """The subject of a hold is not there, or is no subject; the message says which and what may stand there."""


@dataclass(frozen=True, slots=True)
class Held:
    """What the holds in force name: ``everything``, incidents (with their posts), posts."""

    everything: bool = False
    incidents: frozenset[str] = frozenset()
    posts: frozenset[str] = frozenset()

    def post(self, id: ColumnElement[str]) -> ColumnElement[bool]:
        """Whether the post with this id is held, for a query."""
        linked = select(incident_posts.c.post_id).where(incident_posts.c.incident_id.in_(self.incidents))
        return true() if self.everything else id.in_(self.posts) | id.in_(linked)

    def incident(self, id: ColumnElement[str]) -> ColumnElement[bool]:
        """Whether the incident with this id is held, for a query."""
        return true() if self.everything else id.in_(self.incidents) if self.incidents else false()


def place(
    conn: Connection,
    subject: str,
    *,
    by: str,
    reason: str,
    legal_basis: str,
    now: datetime,
    until: datetime | None = None,
) -> Hold:
    """Keep what ``subject`` names (``incident:ID``, ``post:ID``, ``all``) from ``now`` on, until released or ``until``.

    To be called in a durable transaction: the ledger says who, why and on what ground. Raises NoSuchThing.
    """
    _look_for(conn, subject)
    name = hashlib.sha256(f"{subject} {by} {times.to_iso(now)}".encode()).hexdigest()[:12]
    hold = Hold(f"hold-{name}", subject, by, reason, legal_basis, now, until)
    conn.execute(insert(holds).values(asdict(hold)).on_conflict_do_nothing())
    detail = {"subject": subject, "reason": reason, "legal_basis": legal_basis, "until": until and times.to_iso(until)}
    ledger.append(conn, [LedgerEntry(now, "hold.added", hold.id, actor=by, detail=detail)])
    return hold


def release(conn: Connection, id: str, *, by: str, now: datetime) -> Hold | None:
    """End a hold; gives it, or None where there is none of that id or it was released before. Durable, as above."""
    known = next((hold for hold in every(conn) if hold.id == id and hold.released_at is None), None)
    if known is None:
        return None
    ended = replace(known, released_at=now, released_by=by)
    conn.execute(holds.update().where(holds.c.id == id).values(released_at=now, released_by=by))
    ledger.append(conn, [LedgerEntry(now, "hold.released", id, actor=by, detail={"subject": known.subject})])
    return ended


def every(conn: Connection) -> list[Hold]:
    """All holds, ended ones too, oldest first."""
    return [Hold(**row._mapping) for row in conn.execute(select(holds).order_by(holds.c.since, holds.c.id))]


def in_force(hold: Hold, now: datetime) -> bool:
    """Whether a hold keeps anything at ``now`` (UTC)."""
    return hold.released_at is None and (hold.until is None or hold.until > now)


def held(conn: Connection, now: datetime) -> Held:
    """What may not be erased by age at ``now`` (UTC)."""
    subjects = [hold.subject for hold in every(conn) if in_force(hold, now)]
    return Held(ALL in subjects, _named(subjects, "incident:"), _named(subjects, "post:"))


def _named(subjects: list[str], prefix: str) -> frozenset[str]:
    return frozenset(one.removeprefix(prefix) for one in subjects if one.startswith(prefix))


def _look_for(conn: Connection, subject: str) -> None:
    if subject == ALL:
        return
    kind, _, id = subject.partition(":")
    if kind not in ("incident", "post") or not id:
        raise NoSuchThing(f"a hold is on incident:ID, post:ID or all, not {subject!r}")
    table = tables.incidents if kind == "incident" else tables.posts
    if conn.execute(select(table.c.id).where(table.c.id == id)).first() is None:
        raise NoSuchThing(f"there is no {kind} {id!r} here")
