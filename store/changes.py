"""The change log: what was inserted, updated and deleted, in order, and how far each stage has read it.

Triggers write it in the transaction of the change itself. ``key`` is the record's id (the incident's, for an
acknowledgement); the entry of a delete is a tombstone: the record it names is gone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from store import state
from store.records import Change
from store.tables import changes, cursors

if TYPE_CHECKING:
    from store.database import Database

MARKS = "changes"
AT_ONCE = 5000


def after(conn: Connection, seq: int, tables: Collection[str], limit: int) -> list[Change]:
    """At most ``limit`` changes of ``tables`` whose number is above ``seq``, in order."""
    newer = select(changes).where(changes.c.seq > seq, changes.c.table.in_(sorted(tables)))
    rows = conn.execute(newer.order_by(changes.c.seq).limit(limit))
    return [Change(seq=number, table=table, key=key, op=op) for number, table, key, op in rows]


def note(conn: Connection, table: str, keys: Collection[str]) -> None:
    """Log an update of records that did not change themselves, but what is kept apart from them did."""
    rows = [{"table": table, "key": key, "op": "update"} for key in keys]
    if rows:
        conn.execute(changes.insert(), rows)


def oldest(conn: Connection) -> int:
    """The number of the oldest change that is still there, 0 before the first: what came before cannot be read."""
    first: int = conn.execute(select(func.coalesce(func.min(changes.c.seq), 0))).scalar_one()
    return first


def latest(conn: Connection) -> int:
    """The number of the newest change, 0 before the first."""
    newest: int = conn.execute(select(func.coalesce(func.max(changes.c.seq), 0))).scalar_one()
    return newest


def cursor(conn: Connection, stage: str) -> int:
    """The number of the last change that ``stage`` has dealt with, 0 before its first."""
    return reached(conn, stage) or 0


def reached(conn: Connection, stage: str) -> int | None:
    """The same, None before its first."""
    return conn.execute(select(cursors.c.seq).where(cursors.c.stage == stage)).scalar_one_or_none()


def set_cursor(conn: Connection, stage: str, seq: int) -> None:
    """Say that ``stage`` has dealt with every change up to ``seq``; in the transaction of what it made of them."""
    conn.execute(insert(cursors).values(stage=stage, seq=seq).on_conflict_do_update(set_={"seq": seq}))


def forget(db: Database, stage: str) -> None:
    """Say that ``stage`` reads no more: what it has not read may go. Where it comes back, it has read nothing."""
    with db.read() as conn:
        known = reached(conn, stage) is not None
    if known:
        with db.write() as conn:
            conn.execute(delete(cursors).where(cursors.c.stage == stage))


def shorten(db: Database, now: datetime, age: timedelta, readers: Mapping[str, Collection[str]]) -> int:
    """Delete changes older than ``age`` that everybody has read; gives how many. Works in short transactions.

    Changes bear no time: each call notes the newest number of its day (UTC), and what a day old enough noted is old.
    ``readers``: stage → the tables whose changes it reads. A change of a table stays until every stage that reads it
    has passed it; one of those that has no cursor yet has read nothing, and a cursor that ``readers`` does not name
    reads every table. The newest change always stays.
    """
    with db.write() as conn:
        old = _mark(conn, now, age)
        bounds = _bounds(conn, old, readers) if old else {}
    done = 0
    for table, bound in bounds.items():
        some = select(changes.c.seq).where(changes.c.table == table, changes.c.seq <= bound).limit(AT_ONCE)
        gone = AT_ONCE
        while gone == AT_ONCE:
            with db.write() as conn:
                gone = conn.execute(delete(changes).where(changes.c.seq.in_(some.scalar_subquery()))).rowcount
            done += gone
    return done


def _mark(conn: Connection, now: datetime, age: timedelta) -> int:
    """Note where the log ends today; gives where it ended on the last day that is old enough, 0 where none is."""
    marks: dict[str, int] = state.get(conn, MARKS)
    last = f"{now - age:%Y-%m-%d}"
    past = sorted(day for day in marks if day < last)
    state.put(conn, MARKS, dict.fromkeys(past[:-1]) | {f"{now:%Y-%m-%d}": latest(conn)})
    return marks[past[-1]] if past else 0


def _bounds(conn: Connection, old: int, readers: Mapping[str, Collection[str]]) -> dict[str, int]:
    """Table → the number up to which its changes can go."""
    at = {stage: seq for stage, seq in conn.execute(select(cursors.c.stage, cursors.c.seq))}  # noqa: C416 - as in state
    unknown = [seq for stage, seq in at.items() if stage not in readers]
    found: dict[str, int] = {}
    for table in conn.execute(select(changes.c.table).distinct()).scalars():
        read = [at.get(stage, 0) for stage, its in readers.items() if table in its]
        found[table] = min([old, latest(conn) - 1, *unknown, *read])
    return found
