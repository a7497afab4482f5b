"""What moves and what stands still: stages, their cursors, deliveries, sources and the watchdog, read in one go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, and_, func, or_, select

from config.bundle import Bundle
from desk.pulse.ear import Ear
from desk.pulse.hearing import Hearing, hearing
from listeners.health import NO_SOURCES
from store import changes, gaps, leases, meter, posts, sources, state, times
from store.index.families import STAGE as INDEX
from store.index.lag import Lag, lag
from store.meter import Reading
from store.records import Gap, Lease, SourceHealth
from store.tables import changes as log
from store.tables import deliveries, incident_events, withdrawals

STAGES = ("collect", "annotate", "detect", "route", "dispatch")
READS = {
    "annotate": ("posts",),
    "detect": ("annotations", "withdrawals"),
    "route": ("incident_events", "withdrawals"),
}
"""The tables whose changes each stage with a cursor reads, as the spine has them."""
MOST_LAG = 100_000
HUNG_AFTER = timedelta(minutes=2)
WATCHDOG = "watchdog"
WATCHDOG_DEAD_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class StageLife:
    """One stage: its newest lease, its last report, and what it has not dealt with.

    ``lag`` counts unread changes (at most MOST_LAG are counted; None for a stage without cursor); ``behind_since`` is
    when the oldest unread record came in (UTC).
    """

    name: str
    lease: Lease | None
    reading: Reading | None
    lag: int | None = None
    behind_since: datetime | None = None

    def held(self, now: datetime) -> bool:
        """Whether somebody holds the stage."""
        return self.lease is not None and leases.alive(self.lease, now)

    def hung(self, now: datetime) -> bool:
        """Whether its holder has not turned round for two minutes: it renews its lease, and does nothing."""
        return self.reading is not None and now - self.reading.at > HUNG_AFTER

    def rate(self, now: datetime) -> float:
        """How much it deals with a second, over about the last minute."""
        fresh = self.reading is not None and now - self.reading.at <= timedelta(seconds=30)
        return self.reading.rate if self.reading and fresh else 0.0


@dataclass(frozen=True, slots=True)
class IndexLife:
    """What feeds the search index, and how far that is behind. None of it keeps an alert waiting."""

    stage: StageLife
    lag: Lag

    def state(self, now: datetime) -> Literal["on", "off", "hung", "away", "building"]:
        """Running, held by nobody, stuck, without a cluster that takes anything, or building an index anew."""
        if not self.stage.held(now):
            return "off"
        if self.lag.away:
            return "away"
        if self.stage.hung(now):
            return "hung"
        return "building" if self.lag.building else "on"


@dataclass(frozen=True, slots=True)
class WatchdogLife:
    """The watchdog's last sign of life: when (UTC), what it then found standing still, whom it tells."""

    at: datetime
    troubles: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()

    def lives(self, now: datetime) -> bool:
        """Whether it spoke within the last minute."""
        return now - self.at <= WATCHDOG_DEAD_AFTER


@dataclass(frozen=True, slots=True)
class Vitals:
    """Vigie at ``at`` (UTC). ``unsent``: channel → when its oldest delivery that is due and not sent was first due.
    ``index`` is None where there is no cluster to feed."""

    at: datetime
    seq: int
    hearing: Hearing
    stages: tuple[StageLife, ...]
    sources: tuple[SourceHealth, ...]
    gaps: tuple[Gap, ...]
    deliveries: Mapping[str, int]
    unsent: Mapping[str, datetime]
    watchdog: WatchdogLife | None
    index: IndexLife | None = None

    @property
    def unsent_since(self) -> datetime | None:
        """When the oldest delivery that should be out was first due (UTC)."""
        return min(self.unsent.values(), default=None)

    @property
    def ok(self) -> bool:
        """Whether Vigie hears, every stage turns, and the watchdog lives where there was one."""
        alive = self.watchdog is None or self.watchdog.lives(self.at)
        return alive and self.hearing.state in ("hearing", "quiet", "silent")


def read(conn: Connection, now: datetime, bundle: Bundle, ear: Ear, *, indexed: bool = False) -> Vitals:
    """Everything at ``now`` (UTC); ``indexed`` says whether there is a cluster to feed."""
    reported = meter.readings(conn)
    stages = tuple(_stage(conn, name, reported.get(name)) for name in STAGES)
    known = tuple(sources.all(conn))
    return Vitals(
        at=now,
        seq=changes.latest(conn),
        hearing=_heard(conn, now, bundle, ear, stages, known),
        stages=stages,
        sources=known,
        gaps=tuple(gaps.in_state(conn, "open")),
        deliveries=_deliveries(conn),
        unsent=_unsent(conn, now),
        watchdog=_watchdog(state.get(conn, WATCHDOG)),
        index=_index(conn, reported.get(INDEX)) if indexed else None,
    )


def heard(conn: Connection, now: datetime, bundle: Bundle, ear: Ear) -> Hearing:
    """What silence means at ``now`` (UTC)."""
    reported = meter.readings(conn)
    stages = [StageLife(name, leases.holder(conn, name), reported.get(name)) for name in STAGES]
    return _heard(conn, now, bundle, ear, stages, sources.all(conn))


def remember(life: WatchdogLife) -> dict[str, Any]:
    """The watchdog's sign of life as the store keeps it, under :data:`WATCHDOG`."""
    return {"at": times.to_iso(life.at), "troubles": list(life.troubles), "contacts": list(life.contacts)}


def _heard(conn: Connection, now: datetime, bundle: Bundle, ear: Ear, stages: Any, known: Any) -> Hearing:
    by_hand = {source.id for source in bundle.sources if source.kind == "hand"} | {"hand", *NO_SOURCES}
    return hearing(
        known,
        now,
        leases={one.name: one.lease for one in stages},
        by_hand=by_hand,
        verdicts=ear.judge(conn, bundle, now),
        hung=[one.name for one in stages if one.hung(now)],
    )


def _stage(conn: Connection, name: str, reading: Reading | None) -> StageLife:
    lease = leases.holder(conn, name)
    if name not in READS:
        return StageLife(name, lease, reading)
    at, tables = changes.cursor(conn, name), READS[name]
    unread = select(log.c.seq).where(log.c.table.in_(tables), log.c.seq > at).limit(MOST_LAG).subquery()
    lag = conn.execute(select(func.count()).select_from(unread)).scalar_one()
    came = [since for table in tables if lag and (since := _oldest(conn, table, at))]
    return StageLife(name, lease, reading, lag, min(came, default=None))


def _index(conn: Connection, reading: Reading | None) -> IndexLife:
    found = lag(conn)
    return IndexLife(StageLife(INDEX, leases.holder(conn, INDEX), reading, found.changes, found.since), found)


def _oldest(conn: Connection, table: str, after: int) -> datetime | None:
    """When the oldest unread new record came in; None where only edits and deletions are unread."""
    new = select(log.c.key).where(log.c.table == table, log.c.seq > after, log.c.op == "insert")
    keys = list(conn.execute(new.order_by(log.c.seq).limit(20)).scalars())
    if table in ("posts", "annotations"):
        return min((post.received_at for post in posts.get(conn, keys).values()), default=None)
    dated = incident_events if table == "incident_events" else withdrawals
    at: datetime | None = conn.execute(select(func.min(dated.c.at)).where(dated.c.id.in_(keys))).scalar_one_or_none()
    return at


def _unsent(conn: Connection, now: datetime) -> dict[str, datetime]:
    """By channel; a delivery that is put off until later does not count."""
    column = deliveries.c
    put_off = and_(column.first_attempt_at.is_(None), column.next_at > now)
    first = func.min(func.coalesce(column.first_attempt_at, column.next_at, column.created_at))
    waiting = column.state.in_(("pending", "sending"))
    oldest = select(column.channel, first).where(waiting, or_(column.next_at.is_(None), ~put_off))
    rows = conn.execute(oldest.group_by(column.channel).order_by(column.channel))
    return {channel: since for channel, since in rows}  # noqa: C416 - rows have no type that mypy knows


def _deliveries(conn: Connection) -> dict[str, int]:
    counts = select(deliveries.c.state, func.count()).group_by(deliveries.c.state)
    return {state: number for state, number in conn.execute(counts)}  # noqa: C416 - rows have no type that mypy knows


def _watchdog(kept: Mapping[str, Any]) -> WatchdogLife | None:
    if not (life := kept.get("life")):
        return None
    return WatchdogLife(times.from_iso(life["at"]), tuple(life["troubles"]), tuple(life["contacts"]))
