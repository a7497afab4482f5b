"""When a source heard and when it did not: its state, the hole that lasts, the seconds it listened."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy import Connection

from listeners import health
from listeners.x_memory import stage_of
from store import gaps, hourly, state, times
from store.database import Database
from store.records import Gap, Lease, SourceState

EVERY = timedelta(seconds=5)
_MOST = timedelta(minutes=1)
"""No more is counted as listened at once: a longer time is a clock that jumped. So much lies within one hole, too."""


@dataclass(frozen=True, slots=True)
class Turn:
    """From ``at`` (UTC) on the source is in this state. ``deaf_from`` is when it last surely heard, where it does not
    hear any more and somebody wants it to: there a hole begins, in which ``filters`` are deaf, unless one lasts. Where
    it is ``on`` nevertheless, the hole ends at ``at``: what came in between could not be read. ``began``: a hole that
    ends here began then at the latest, by a clock that nobody sets back."""

    at: datetime
    state: SourceState
    reason: str
    deaf_from: datetime | None = None
    hole: str = ""
    filters: Collection[str] = ()
    began: datetime | None = None

    @property
    def garbled(self) -> bool:
        """Whether the source goes on, and something before could not be read."""
        return self.state == "on" and self.deaf_from is not None

    @property
    def unwanted(self) -> bool:
        """Whether nobody wants the source to hear."""
        return self.state != "on" and self.deaf_from is None


class Logbook:
    """The turns of one source, noted by any thread, written by one; and now and then until when it heard."""

    def __init__(self, source: str, db: Database, clock: Callable[[], datetime], lease: Lease | None) -> None:
        self._source, self._db, self._clock, self._lease = source, db, clock, lease
        self._turns: deque[Turn] = deque()
        self._last: Turn | None = None
        self._lock = Lock()
        self._counted: datetime | None = None
        self._heard: datetime | None = None
        self._written: datetime | None = None

    def note(self, turn: Turn) -> None:
        """Has the next :meth:`write` tell a turn; one that tells nothing new is left out."""
        with self._lock:
            if turn.garbled and self._turns and self._turns[-1].garbled:
                turn = replace(self._turns.pop(), at=turn.at)
            if self._last is None or turn.garbled or replace(self._last, at=turn.at) != turn:
                self._turns.append(turn)
            self._last = turn

    def write(self, heard_at: datetime | None, kept_until: datetime | None, filters: Collection[str] = ()) -> None:
        """Writes what turned, in one transaction, and at most every few seconds where nothing did.

        ``heard_at`` is when the source last heard, ``kept_until`` up to when all that it heard is kept (both UTC);
        ``filters`` are those it listens for, which share its seconds.
        Raises SQLAlchemyError, Busy and LeaseLost; then nothing is forgotten, and the next call writes it.
        """
        now = self._clock()
        due = self._written is None or not timedelta(0) <= now - self._written < EVERY
        with self._lock:
            turns = tuple(self._turns)
        if not turns and not (due and kept_until and kept_until != self._heard):
            return
        until = None if turns and turns[-1].unwanted else kept_until
        with self._db.write(lease=self._lease) as conn:
            counted, seconds = self._turned(conn, turns, heard_at)
            if until:
                state.put(conn, stage_of(self._source), {"heard_until": times.to_iso(until)})
            if seconds:
                listening = (f"source:{self._source}", *(f"filter:{one}" for one in filters))
                hourly.add(conn, now, dict.fromkeys(listening, (0, 0, seconds)))
        self._counted, self._heard, self._written = counted, until, None if turns else now  # after a turn: at once
        with self._lock:
            while self._turns and any(self._turns[0] is turn for turn in turns):
                self._turns.popleft()

    def _turned(
        self, conn: Connection, turns: Collection[Turn], heard_at: datetime | None
    ) -> tuple[datetime | None, float]:
        """Writes the turns: until when the source is counted as listening now, and for how many seconds it did."""
        counted, seconds = self._counted, 0.0
        for turn in turns:
            self._turn(conn, turn)
            if turn.state == "on":
                counted = counted or turn.at
            else:
                seconds += _seconds(counted, turn.deaf_from)
                counted = None
        if counted and heard_at:
            seconds += _seconds(counted, heard_at)
            counted = max(counted, heard_at)
        return counted, seconds

    def _turn(self, conn: Connection, turn: Turn) -> None:
        health.set_state(conn, self._source, turn.state, turn.reason, turn.at)
        if turn.garbled:
            self._unread(conn, turn)
        elif turn.state == "on":
            self._widen(conn, gaps.lasting(conn, self._source), turn.began)
            gaps.end(conn, self._source, turn.at)
        elif turn.deaf_from:
            hole = gaps.begin(conn, self._source, turn.deaf_from, turn.hole or turn.reason, turn.filters)
            self._widen(conn, hole, turn.deaf_from)  # what came just before it may never have been kept
        else:
            forget(conn, self._source, turn.at)

    def _widen(self, conn: Connection, hole: Gap | None, start: datetime | None) -> None:
        if hole and start and start < hole.started_at:
            gaps.put(conn, replace(hole, started_at=start))

    def _unread(self, conn: Connection, turn: Turn) -> None:
        """One hole for all that could not be read, as long as no minute passes in between."""
        lately = gaps.since(conn, turn.at - _MOST)
        alike = [hole for hole in lately if (hole.source, hole.reason) == (self._source, turn.hole)]
        if alike and alike[0].state == "waiting":
            gaps.put(conn, replace(alike[0], ended_at=turn.at))
        elif turn.deaf_from:
            gaps.begin(conn, self._source, turn.deaf_from, turn.hole, turn.filters)
            gaps.end(conn, self._source, turn.at)


def forget(conn: Connection, source: str, at: datetime) -> None:
    """Nobody wants to hear the source from ``at`` (UTC) on: a hole that lasts ends, and the next has no past."""
    gaps.end(conn, source, at)
    state.put(conn, stage_of(source), {"heard_until": None})


def _seconds(since: datetime | None, until: datetime | None) -> float:
    if since is None or until is None:
        return 0.0
    return min(max(until - since, timedelta(0)), _MOST).total_seconds()
