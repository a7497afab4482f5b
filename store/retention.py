"""Erasing what is older than the agency may keep."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from store import ledger, posts, tables
from store.database import Database
from store.records import LedgerEntry

BATCH = 500


def erase(db: Database, now: datetime, posts_age: timedelta, incidents_age: timedelta) -> int:
    """Delete posts received, and closed incidents updated, longer ago than that; returns how many posts went.

    Works in short transactions; the ledger gets the count, never a text.
    """
    gone = 0
    while erased := _erase_batch(db, now - posts_age):
        gone += erased
    with db.write(durable=True) as conn:
        incidents = _erase_incidents(conn, now - incidents_age)
        if gone or incidents:
            detail = {"posts": gone, "incidents": incidents}
            ledger.append(conn, [LedgerEntry(at=now, kind="retention", subject="store", detail=detail)])
    return gone


def _erase_batch(db: Database, before: datetime) -> int:
    with db.write() as conn:
        rows = conn.execute(select(tables.posts.c.id).where(tables.posts.c.received_at < before).limit(BATCH))
        return posts.delete(conn, [row.id for row in rows])


def _erase_incidents(conn: Connection, before: datetime) -> int:
    old = tables.incidents
    return conn.execute(old.delete().where(old.c.state == "closed", old.c.updated_at < before)).rowcount
