"""Every declared source and filter judged against its own past; the past is read once an hour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from config.bundle import Bundle
from desk.pulse.baseline import BACK, HOUR, Baseline, Verdict
from store import hourly
from store.records import Hour, Status

LISTENING = ("x_stream", "x_search")
DRILLS = ("status:Exercise", "status:Test")


@dataclass(frozen=True, slots=True)
class _Past:
    """Hours before the present one, by subject, what they let expect, and those in which a drill ran."""

    key: tuple[object, ...]
    hours: Mapping[str, list[Hour]]
    baselines: Mapping[str, Baseline]
    drills: frozenset[datetime]


class Ear:
    """Judges; ``status`` is what the settings say, before what the bundle says. Safe between threads."""

    def __init__(self, status: Status | None = None) -> None:
        self._status = status
        self._past: _Past | None = None

    def judge(self, conn: Connection, bundle: Bundle, now: datetime) -> dict[str, Verdict]:
        """Subject (``source:ID``, ``filter:ID``) → verdict at ``now`` (UTC). An exercise has no baseline.

        What is only asked now and then, a search, is too rare to conclude from.
        """
        names = subjects(bundle)
        if (self._status or bundle.status) != "Actual":
            return {name: Verdict("unknown") for name in names}
        current = now.replace(minute=0, second=0, microsecond=0)
        past = self._past_of(conn, names, current, bundle.time_zone)
        present = hourly.totals(conn, "source:", current, now) | hourly.totals(conn, "filter:", current, now)
        drills = past.drills | _drilled(conn, current, current + HOUR)
        asked = {f"source:{one.id}": Verdict("rare") for one in bundle.sources if one.kind == "x_search"}
        return asked | {
            name: past.baselines[name].judge(
                [*past.hours[name], *([present[name]] if name in present else [])], now, drills
            )
            for name in names
        }

    def _past_of(self, conn: Connection, names: tuple[str, ...], current: datetime, zone: str) -> _Past:
        key = (names, current, zone)
        past = self._past
        if past is None or past.key != key:
            drills = _drilled(conn, current - BACK, current)
            hours = {name: hourly.between(conn, name, current - BACK, current) for name in names}
            made = {name: Baseline.of(some, ZoneInfo(zone), drills) for name, some in hours.items()}
            past = self._past = _Past(key, hours, made, drills)
        return past


def subjects(bundle: Bundle) -> tuple[str, ...]:
    """What is judged: the enabled streams, and every filter that has rules there."""
    sources = [f"source:{one.id}" for one in bundle.sources if one.enabled and one.kind == "x_stream"]
    return (*sources, *(f"filter:{one.id}" for one in bundle.filters if one.stream))


def _drilled(conn: Connection, since: datetime, until: datetime) -> frozenset[datetime]:
    return frozenset(one.hour for name in DRILLS for one in hourly.between(conn, name, since, until) if one.listened_s)
