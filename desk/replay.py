"""Replay: the five stages on recorded posts, on the posts' own time, in a store of its own. Nothing is sent.

Everything decided depends on the posts' times alone, so that the result is the same at any speed.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from alerts.dispatch import dispatch_stage
from alerts.router import route_stage
from config.bundle import Contact
from config.world import World
from listeners.authors import AuthorKeys
from listeners.collect import collect
from listeners.incoming import Incoming
from listeners.replay import BadLine, Replay
from nlp.annotate import Annotator, annotate_stage
from nlp.detect import Memory, detect_stage
from store import alerts, changes, incidents
from store.annotations import get as annotations_of
from store.database import Database
from store.records import Alert, Annotation, Delivery, Status
from store.times import to_iso

SOURCE = "replay"
CHUNK = 2000
KEY = b"replay"
RUN_ON = timedelta(days=60)
LAST = datetime(9999, 1, 1, tzinfo=UTC)
CHANNELS = ("mail", "webhook", "apprise")


@dataclass(slots=True)
class EventClock:
    """A clock that shows what it is set to, aware UTC."""

    now: datetime = datetime(1970, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time it was set to."""
        return self.now


@dataclass(slots=True)
class Recorder:
    """Stands where channels send: notes each delivery with the time it would have left at."""

    clock: Callable[[], datetime]
    sent: list[tuple[datetime, Delivery]] = field(default_factory=list)

    def __call__(self, delivery: Delivery, message: Any, settings: Mapping[str, Any], secrets: Any) -> None:  # noqa: ARG002 - a sender's shape
        """Take a delivery for sent."""
        self.sent.append((self.clock(), delivery))


@dataclass
class Stages:
    """The five stages over one store, with everything they are given."""

    db: Database
    world: World
    annotator: Annotator
    clock: Callable[[], datetime]
    read: list[str] = field(default_factory=list)
    kept: int = 0
    began: datetime | None = None
    spent: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.world = unarmed(self.world)
        self.recorder = Recorder(self.clock)
        self._memory = Memory.load(self.db)
        self._authors = AuthorKeys.of_bytes(KEY)

    def collect(self, chunk: Sequence[Incoming]) -> None:
        """Take posts, in the order of their times, in; each is received when it was written."""
        self.began = self.began or chunk[0].created_at
        self.read += [raw.native_id for raw in chunk]
        with self._timed("collect"):
            collected = collect(
                self.db,
                self.world,
                chunk,
                source=SOURCE,
                clock=self.clock,
                key=self._authors,
                status=_status(self.world),
                received_at=lambda raw: raw.created_at,
            )
        self.kept += collected.kept

    def understand(self) -> None:
        """Annotate, detect and route until nothing is left; what is to be sent is in the outbox then."""
        db, world, clock = self.db, self.world, self.clock
        with self._timed("annotate"):
            while annotate_stage(db, world, annotator=self.annotator, clock=clock, limit=CHUNK):
                pass
        with self._timed("detect"):
            while detect_stage(db, world, memory=self._memory, clock=clock, limit=CHUNK):
                pass
        with self._timed("route"):
            while route_stage(db, world, clock=clock):
                pass

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.spent[stage] = self.spent.get(stage, 0.0) + time.perf_counter() - began

    def dispatch(self) -> None:
        """Hand what is due in the outbox to the recorder."""
        senders = dict.fromkeys(CHANNELS, self.recorder)
        while dispatch_stage(self.db, self.world, senders=senders, clock=self.clock, key=KEY):
            pass


def unarmed(world: World) -> World:
    """The same world without what only sending needs: no secret has to be set where nothing is sent."""
    channels = tuple(one.model_copy(update={"secrets": {}}) for one in world.bundle.channels)
    agencies = tuple(
        agency.model_copy(update={"contacts": tuple(map(_without_address, agency.contacts))})
        for agency in world.bundle.agencies
    )
    return replace(world, bundle=world.bundle.model_copy(update={"channels": channels, "agencies": agencies}))


def _without_address(contact: Contact) -> Contact:
    return contact.model_copy(update={"address": contact.id})


@dataclass(frozen=True, slots=True)
class Played:
    """A replay that has ended. ``bad`` are the lines that held no post; ``seconds`` is wall-clock time."""

    stages: Stages
    bad: tuple[BadLine, ...]
    seconds: float

    def alerts(self) -> list[Alert]:
        """Every alert, in the order of event time."""
        with self.stages.db.read() as conn:
            made = [each.key for each in changes.after(conn, 0, ("alerts",), 1 << 31) if each.op == "insert"]
            found = alerts.get(conn, made)
        return sorted((found[id] for id in made), key=lambda alert: alert.at)

    def posts(self) -> Iterator[dict[str, Any]]:
        """A line for each post, in merged order, as ``--posts`` writes it."""
        for start in range(0, len(self.stages.read), CHUNK):
            native = self.stages.read[start : start + CHUNK]
            ids = [f"file:{each}" for each in native]
            with self.stages.db.read() as conn:
                read = annotations_of(conn, ids)
                told = incidents.incident_of(conn, ids)
            yield from (post_line(each, read.get(id), told.get(id)) for each, id in zip(native, ids, strict=True))

    def summary(self) -> dict[str, Any]:
        """Counts of the whole run."""
        made = self.alerts()
        events = Counter(alert.event for alert in made)
        read = len(self.stages.read)
        return {
            "posts": read,
            "kept": self.stages.kept,
            "bad_lines": len(self.bad),
            "incidents": len({alert.incident_id for alert in made}),
            "new": events["new"],
            "update": events["update"],
            "closed": events["closed"],
            "deliveries": len(self.stages.recorder.sent),
            "seconds": round(self.seconds, 2),
            "posts_per_second": round(read / self.seconds) if self.seconds else None,
        }


@contextmanager
def replay(
    files: Sequence[Path],
    world: World,
    *,
    annotator: Annotator | None = None,
    speed: float | None = None,
    report: Callable[[BadLine], None] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Iterator[Played]:
    """Play ``files``, and give the outcome while its store is still there.

    ``speed``: so many seconds of the posts' time in one second, None as fast as it goes. ``report`` is called for each
    bad line, ``progress`` with the number of posts read. Raises OSError where a file cannot be read.
    """
    bad: list[BadLine] = []

    def note(line: BadLine) -> None:
        bad.append(line)
        if report:
            report(line)

    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="vigie-replay-") as folder:
        db = Database.open(f"sqlite:///{folder}/replay.db")
        clock = EventClock()
        stages = Stages(db, world, annotator or Annotator(), clock)
        with closing(db):
            for chunk in _chunks(Replay(files, report=note).posts(), speed):
                _take(stages, clock, chunk)
                if progress:
                    progress(len(stages.read))
            _run_on(stages, clock)
            yield Played(stages, tuple(bad), time.monotonic() - started)


def _take(stages: Stages, clock: EventClock, chunk: Sequence[Incoming]) -> None:
    """Posts are understood as if the present were the first of them, so that none is late by being in a chunk."""
    clock.now = chunk[0].created_at
    stages.collect(chunk)
    stages.understand()
    clock.now = chunk[-1].created_at
    stages.dispatch()


def _run_on(stages: Stages, clock: EventClock) -> None:
    """Let the clock run until every incident is closed."""
    clock.now = min(clock.now, LAST) + RUN_ON
    stages.understand()
    stages.dispatch()


def _chunks(posts: Iterator[Incoming], speed: float | None) -> Iterator[list[Incoming]]:
    if speed is None:
        while chunk := list(islice(posts, CHUNK)):
            yield chunk
        return
    yield from _paced(posts, speed)


def _paced(posts: Iterable[Incoming], speed: float) -> Iterator[list[Incoming]]:
    """The posts one by one, each when its time has come at ``speed``."""
    began, first = time.monotonic(), None
    for post in posts:
        first = first or post.created_at
        due = began + (post.created_at - first).total_seconds() / speed
        time.sleep(max(0.0, due - time.monotonic()))
        yield [post]


def alert_line(alert: Alert) -> dict[str, Any]:
    """An alert as the line of ``vigie replay --out``: ids of posts as their files gave them, times in UTC with Z."""
    incident, place = alert.incident, alert.incident.place
    return {
        "at": to_iso(alert.at),
        "event": alert.event,
        "alert": alert.id,
        "incident": incident.id,
        "status": incident.status,
        "late": incident.late,
        "tags": list(incident.tags),
        "hazard": incident.hazard,
        "severity": incident.severity,
        "certainty": incident.certainty,
        "place": {"name": place.name, "insee": place.insee, "lat": place.lat, "lon": place.lon} if place else None,
        "lead": alert.lead,
        "support": list(alert.support),
        "reason": list(alert.reason),
        "posts": incident.posts,
        "voices": incident.voices,
        "authors_known": incident.authors_known,
        "evidence": [id.partition(":")[2] for id in incident.evidence],
    }


def post_line(native_id: str, read: Annotation | None, incident: str | None) -> dict[str, Any]:
    """What became of one post, as the line of ``vigie replay --posts``; a post that is not kept was not read."""
    return {
        "id": native_id,
        "kept": read is not None,
        "about": read.about if read else None,
        "relevance": read.relevance if read else None,
        "labels": list(read.labels) if read else [],
        "incident": incident,
    }


def _status(world: World) -> Status:
    """Recorded posts are never the real thing: an exercise, unless the bundle says that it is a test."""
    return "Test" if world.bundle.status == "Test" else "Exercise"
