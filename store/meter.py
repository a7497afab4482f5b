"""What each stage did, and whether it moves: counted in memory, written every few seconds by whoever runs the stage."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from store import hourly, state, times
from store.database import Busy, Database
from store.records import Status

log = logging.getLogger(__name__)

KEY = "meter"
EVERY_S = 5.0
SMOOTH_S = 60.0


@dataclass(frozen=True, slots=True)
class Reading:
    """One stage as it last reported: ``at`` when it last turned round, ``moved_at`` when it last found work (UTC).

    ``total`` counts what it ever dealt with, ``rate`` is how much a second over about the last minute.
    """

    at: datetime
    moved_at: datetime | None = None
    total: int = 0
    rate: float = 0.0


@dataclass(slots=True)
class _Count:
    done: int = 0
    moved_at: datetime | None = None


@dataclass(slots=True)
class Meter:
    """Counts for the stages of one process. ``ticks`` gives seconds that never go back.

    A database that is busy or full costs no stage anything: what could not be written is written later.
    """

    db: Database
    clock: Callable[[], datetime]
    ticks: Callable[[], float] = time.monotonic
    every_s: float = EVERY_S
    _counts: dict[str, _Count] = field(default_factory=dict)
    _since: float | None = None

    def note(self, done: Mapping[str, int], status: Status = "Actual") -> int:
        """Take what one round dealt with, by stage, under the status in force; gives their sum."""
        for stage, some in done.items():
            count = self._counts.setdefault(stage, _Count())
            if some:
                count.done, count.moved_at = count.done + some, self.clock()
        now = self.ticks()
        if self._since is None or now - self._since >= self.every_s:
            self._flush(now, status)
        return sum(done.values())

    def _flush(self, now: float, status: Status) -> None:
        """Write the counts. The first time it only says that the stages live."""
        passed = 0.0 if self._since is None else now - self._since
        self._since = now
        at = self.clock()
        try:
            with self.db.write() as conn:
                before = readings(conn)
                new = {name: _grown(before.get(name), count, at, passed) for name, count in self._counts.items()}
                hourly.add(conn, at, self._hour(passed, status))
                state.put(conn, KEY, {name: _to_json(one) for name, one in new.items()})
        except (Busy, OperationalError) as error:
            log.warning("the stages' counts could not be written: %s", error)
            return
        for name in new:
            self._counts[name] = _Count()

    def _hour(self, passed: float, status: Status) -> dict[str, tuple[int, int, float]]:
        counts = {f"stage:{name}": (count.done, count.done, passed) for name, count in self._counts.items()}
        if status != "Actual" and "collect" in self._counts:
            counts[f"status:{status}"] = (0, 0, passed)
        return counts


def readings(conn: Connection) -> dict[str, Reading]:
    """The last report of every stage that ever ran."""
    return {name: _of_json(value) for name, value in state.get(conn, KEY).items()}


def _grown(before: Reading | None, count: _Count, at: datetime, passed: float) -> Reading:
    known = before or Reading(at)
    share = min(1.0, passed / SMOOTH_S)
    rate = known.rate + share * (count.done / passed - known.rate) if passed else 0.0
    moved_at = count.moved_at or known.moved_at
    return replace(known, at=at, moved_at=moved_at, total=known.total + count.done, rate=round(rate, 4))


def _to_json(reading: Reading) -> dict[str, Any]:
    moved_at = times.to_iso(reading.moved_at) if reading.moved_at else None
    return {"at": times.to_iso(reading.at), "moved_at": moved_at, "total": reading.total, "rate": reading.rate}


def _of_json(value: Mapping[str, Any]) -> Reading:
    moved_at = times.from_iso(value["moved_at"]) if value["moved_at"] else None
    return Reading(times.from_iso(value["at"]), moved_at, value["total"], value["rate"])
