"""The change log: what was inserted, updated and deleted, in order, and how far each stage has read it.

Triggers write it in the transaction of the change itself. ``key`` is the record's id (the incident's, for an
acknowledgement); the entry of a delete is a tombstone: the record it names is gone.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.sqlite import insert

from store.records import Change
from store.tables import changes, cursors


def after(conn: Connection, seq: int, tables: Collection[str], limit: int) -> list[Change]:
    """At most ``limit`` changes of ``tables`` whose number is above ``seq``, in order."""
    newer = select(changes).where(changes.c.seq > seq, changes.c.table.in_(sorted(tables)))
    rows = conn.execute(newer.order_by(changes.c.seq).limit(limit))
    return [Change(seq=number, table=table, key=key, op=op) for number, table, key, op in rows]


def latest(conn: Connection) -> int:
    """The number of the newest change, 0 before the first."""
    newest: int = conn.execute(select(func.coalesce(func.max(changes.c.seq), 0))).scalar_one()
    return newest


def cursor(conn: Connection, stage: str) -> int:
    """The number of the last change that ``stage`` has dealt with, 0 before its first."""
    return conn.execute(select(cursors.c.seq).where(cursors.c.stage == stage)).scalar_one_or_none() or 0


def set_cursor(conn: Connection, stage: str, seq: int) -> None:
    """Say that ``stage`` has dealt with every change up to ``seq``; in the transaction of what it made of them."""
    conn.execute(insert(cursors).values(stage=stage, seq=seq).on_conflict_do_update(set_={"seq": seq}))
