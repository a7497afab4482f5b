"""Counts by the hour: what is expected at such an hour, and what a source that is paid by the post has cost.

The subjects ``status:Exercise`` and ``status:Test`` say for how long Vigie did not listen to real life.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import Connection, case, func, select
from sqlalchemy.dialects.sqlite import insert

from store.records import Hour
from store.tables import hourly

_new = insert(hourly)
_ADD = _new.on_conflict_do_update(
    set_={name: hourly.c[name] + _new.excluded[name] for name in ("received", "kept", "listened_s")}
    | {
        "last_at": func.coalesce(_new.excluded.last_at, hourly.c.last_at),
        "silent_s": case((_new.excluded.received > 0, 0.0), else_=hourly.c.silent_s + _new.excluded.silent_s),
    }
)


def add(conn: Connection, at: datetime, counts: Mapping[str, tuple[int, int, float]]) -> None:
    """Add (received, kept, seconds listened) of each subject to the hour of ``at`` (UTC).

    Where something was received, ``at`` is also when something came last.
    """
    hour = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    rows = [
        {
            "subject": subject,
            "hour": hour,
            "received": received,
            "kept": kept,
            "listened_s": listened,
            "last_at": at if received else None,
            "silent_s": 0.0 if received else listened,
        }
        for subject, (received, kept, listened) in counts.items()
    ]
    if rows:
        conn.execute(_ADD, rows)


def between(conn: Connection, subject: str, since: datetime, until: datetime) -> list[Hour]:
    """The hours of a subject that begin from ``since`` on and before ``until`` (UTC), oldest first."""
    column = hourly.c
    wanted = select(hourly).where(column.subject == subject, column.hour >= since, column.hour < until)
    return [Hour(**row._mapping) for row in conn.execute(wanted.order_by(column.hour))]


def totals(conn: Connection, prefix: str, since: datetime, until: datetime) -> dict[str, Hour]:
    """The sum of each subject whose name begins with ``prefix`` over these hours; ``hour`` is the first of them."""
    column = hourly.c
    sums = [func.min(column.hour), func.sum(column.received), func.sum(column.kept), func.sum(column.listened_s)]
    sums += [func.max(column.last_at), func.sum(column.silent_s)]
    wanted = select(column.subject, *sums).where(
        column.subject.startswith(prefix, autoescape=True), column.hour >= since, column.hour < until
    )
    rows = conn.execute(wanted.group_by(column.subject).order_by(column.subject))
    return {
        subject: Hour(subject, first, received, kept, listened, last, silent)
        for subject, first, received, kept, listened, last, silent in rows
    }
