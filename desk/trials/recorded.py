"""Recorded time: what time it is for the stages follows from the store alone, so that it survives every kill."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from store import changes, incidents, posts, sources
from store.database import Database
from store.tables import deliveries, state
from store.tables import posts as posts_table
from store.times import EPOCH

RUN_ON = timedelta(days=60)
DAY = timedelta(days=1)
FASTER = 600
"""Once all is decided, so many seconds pass for dispatch in one: claims of those who were killed soon run out."""


class Understood:
    """The clock of understanding: when the first post came that is not dealt with; days later once all are.

    So nothing is ever late, and no timer runs ahead of a post, whoever was killed when.
    """

    def __init__(self, db: Database, source: str) -> None:
        self._db, self._source = db, source

    def __call__(self) -> datetime:
        """The present, UTC."""
        with self._db.read() as conn:
            waiting = [*_unread(conn, "annotate", "posts"), *_unread(conn, "detect", "annotations"), *_unrouted(conn)]
            if waiting:
                return min(waiting)
            last = newest(conn)
            return last + RUN_ON if last > EPOCH and _ended(conn, self._source) else last


class Decided:
    """The clock of dispatch: the time up to which everything is decided, so that nothing is sent that is cancelled."""

    def __init__(self, db: Database, ticks: Callable[[], float] = time.monotonic) -> None:
        self._db, self._ticks = db, ticks
        self._began: float | None = None

    def __call__(self) -> datetime:
        """The present, UTC."""
        with self._db.read() as conn:
            decided = min([_detected(conn), *_unrouted(conn)])
            over = decided > newest(conn) + DAY
        if not over:
            return decided
        self._began = self._ticks() if self._began is None else self._began
        return decided + timedelta(seconds=FASTER * (self._ticks() - self._began))


def dealt_with(db: Database, source: str) -> bool:
    """Whether every post is read, every incident over, and every message sent or given up."""
    with db.read() as conn:
        left = [*_unread(conn, "annotate", "posts"), *_unread(conn, "detect", "annotations"), *_unrouted(conn)]
        if left or not _ended(conn, source) or _detected(conn) < newest(conn) + DAY:
            return False
        open_ones = select(func.count()).where(deliveries.c.state.in_(("pending", "sending")))
        return not conn.execute(open_ones).scalar_one()


def newest(conn: Connection) -> datetime:
    """When the last post came, 1970 before the first."""
    return conn.execute(select(func.max(posts_table.c.received_at))).scalar_one() or EPOCH


def _ended(conn: Connection, source: str) -> bool:
    return any(one.source == source and one.reason == "read to its end" for one in sources.all(conn))


def _detected(conn: Connection) -> datetime:
    """The event time that detection has come to."""
    wanted = select(state.c.value).where(state.c.stage == "detect", state.c.key == "now")
    return EPOCH + timedelta(seconds=conn.execute(wanted).scalar_one_or_none() or 0.0)


def _unread(conn: Connection, stage: str, table: str) -> Iterator[datetime]:
    """When the first post came that ``stage`` has not read in ``table``."""
    for change in changes.after(conn, changes.cursor(conn, stage), (table,), 1):
        yield from (post.received_at for post in posts.get(conn, [change.key]).values())


def _unrouted(conn: Connection) -> Iterator[datetime]:
    """When the first incident event happened that is not routed."""
    for change in changes.after(conn, changes.cursor(conn, "route"), ("incident_events",), 1):
        yield from (event.at for event in incidents.events(conn, [change.key]).values())
