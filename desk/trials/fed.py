"""A cluster that is fed while somebody writes: what trials of its faults have in common.

The feeder runs as it does in an installation, as a task of its own in a process of its own; a writer commits posts,
annotations and incidents all the while; what the desk would say of the index is read five times a second.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from elasticsearch import Elasticsearch

from desk.trials.drip import BUNDLE
from desk.trials.processes import Place, Processes, processes
from desk.trials.trial import Outcome
from store import annotations as understood
from store import changes, config_versions, incidents, posts, times
from store.database import Database
from store.index.cluster import Cluster, connect
from store.index.families import FAMILIES, STAGE
from store.index.lag import Lag, lag
from store.index.verify import Day, Verifier
from store.records import Annotation, Geo, Incident, Post, Scored
from store.records import Place as Where

AT = datetime(2026, 3, 2, tzinfo=UTC)
TEXTS = ("Fumée noire au-dessus des quais", "Le pont est coupé", "Sirènes près du marché", "Il pleut sur la fête")
EACH, EVERY_S = 20, 0.2
LOOK_S = 0.2
LONG = 90
LONGEST_S = 240.0
Before = Callable[[Elasticsearch, str], object]
TAGS = {"rumour": 0.1, "public_order_threat": 0.0, "emerging_incident": 0.9}


@dataclass
class Writer:
    """Commits, every ``every_s`` seconds, new posts, annotations of those before, an edit, a deletion, an incident.

    ``alive``: the id of every post that is committed and not deleted → its text."""

    db: Database
    draw: Random
    alive: dict[str, str] = field(default_factory=dict)
    every_s: float = EVERY_S
    _number: int = 0
    _last: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _alone: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        """Write until the end of the block."""
        thread = threading.Thread(target=self._run, name="writer")
        thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            thread.join()

    def add(self, **more: object) -> list[str]:
        """Commit some posts now, with ``more`` of their fields; gives their ids."""
        with self._alone:
            return self._add(**more)

    def _add(self, **more: object) -> list[str]:
        made = [self._post(**more) for _ in range(EACH)]
        with self.db.write() as conn:
            posts.add(conn, made)
        self.alive |= {post.id: post.text for post in made}
        return [post.id for post in made]

    def _run(self) -> None:
        while not self._stop.wait(self.every_s):
            with self._alone:
                self._turn()

    def _turn(self) -> None:
        before, self._last = self._last, self._add()
        edited = replace(self._post(), id=before[0]) if before else None
        with self.db.write() as conn:
            understood.put(conn, [_annotation(id, self.draw) for id in before])
            incidents.put(conn, [_incident(self._number // 500, self._number)])
            incidents.link(conn, f"incident-{self._number // 500}", before[5:8])
            if edited:
                posts.edit(conn, edited)
                posts.delete(conn, before[1:2])
        if edited:
            self.alive[edited.id] = edited.text
            del self.alive[before[1]]

    def _post(self, **more: object) -> Post:
        self._number += 1
        now = times.now()
        made = Post(
            f"trial:{self._number}", "trial", f"{self.draw.choice(TEXTS)} ({self._number})", now, now, lang="fr"
        )
        return replace(made, **more)  # type: ignore[arg-type]


@dataclass
class Watch:
    """What the desk would have said meanwhile: how far the index was behind, why nothing was fed, what was rebuilt."""

    db: Database
    changes: int = 0
    seconds: float = 0.0
    reasons: dict[str, None] = field(default_factory=dict)
    rebuilt: dict[str, None] = field(default_factory=dict)
    aside: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def watching(self) -> Iterator[Watch]:
        """Look until the end of the block."""
        thread = threading.Thread(target=self._run, name="watch")
        thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            thread.join()

    def said(self) -> str:
        """In a line."""
        parts = [f"{self.changes:,} changes behind at most, {self.seconds:.1f} s"]
        parts += [reason if len(reason) < LONG else f"{reason[:LONG]}…" for reason in list(self.reasons)[:2]]
        parts += [f"rebuilt: {', '.join(self.rebuilt)}"] if self.rebuilt else []
        return "; ".join(parts)

    def _run(self) -> None:
        while not self._stop.wait(LOOK_S):
            now = times.now()
            with self.db.read() as conn:
                self._take(lag(conn), now)

    def _take(self, seen: Lag, now: datetime) -> None:
        self.changes, self.seconds = max(self.changes, seen.changes), max(self.seconds, seen.seconds(now))
        self.reasons |= {seen.away.reason: None} if seen.away else {}
        self.rebuilt |= {f"{one.family} ({one.why})": None for one in seen.building}
        self.aside = max(self.aside, seen.aside)


@dataclass
class Fed:
    """A cluster, the store that it is fed from, and who works there. ``client`` asks and harms the cluster."""

    place: Place
    cluster: Cluster
    client: Elasticsearch
    db: Database
    crowd: Processes
    writer: Writer
    watch: Watch
    first_s: float = 0.0

    def begun(self) -> None:
        """Wait until the first that was written is in the index, ``first_s`` after it was. Raises TimeoutError."""
        self.writer.add()
        self.first_s = self.recovery(time.monotonic())
        if self.first_s > LONGEST_S:
            raise TimeoutError(f"the feeder did not begin, see {self.place.home / 'index.log'}")

    def step_aside(self) -> None:
        """Let the feeder have a pile to send, so that what comes next finds it in mid-bulk."""
        self.crowd.signal("index", signal.SIGSTOP)
        time.sleep(1.0)
        self.crowd.signal("index", signal.SIGCONT)

    def until(self, what: Callable[[Lag], bool], longest: float = LONGEST_S) -> float | None:
        """Wait until the desk says so of the index; gives the moment (monotonic), None where it never did."""
        end = time.monotonic() + longest
        while time.monotonic() < end:
            with self.db.read() as conn:
                seen = lag(conn)
            if what(seen):
                return time.monotonic()
            time.sleep(LOOK_S)
        return None

    def recovery(self, over: float) -> float:
        """Seconds from the moment ``over`` (monotonic) until all that is committed now is in the index, nothing is
        being rebuilt, and nothing is said to be amiss; infinite where that does not come."""
        with self.db.read() as conn:
            mark = changes.latest(conn)
        end = time.monotonic() + LONGEST_S
        while time.monotonic() < end:
            with self.db.read() as conn:
                seen, at = lag(conn), changes.cursor(conn, STAGE)
            if at >= mark and not seen.away and not seen.building:
                return time.monotonic() - over
            time.sleep(LOOK_S)
        return float("inf")


def nothing(client: Elasticsearch, prefix: str) -> None:
    """What is done to most clusters before they are fed."""


@contextmanager
def feeding(work: Path, draw: Random, cluster: Cluster, before: Before = nothing) -> Iterator[Fed]:
    """A store that somebody writes to, and the feeder; ``before`` is done to the cluster first."""
    logging.getLogger("elastic_transport").setLevel(logging.CRITICAL)
    env = {"VIGIE_ELASTICSEARCH": ",".join(cluster.hosts), "VIGIE_ELASTICSEARCH_PREFIX": cluster.prefix}
    place = Place(work, work, recorded=False, env=env)
    with (
        connect(replace(cluster, timeout_s=60.0)) as client,
        closing(Database.open(place.url)) as db,
        Watch(db).watching() as watch,
    ):
        with db.write(durable=True) as conn:
            config_versions.publish(conn, {"b.yaml": BUNDLE}, "trial", AT)
            changes.set_cursor(conn, STAGE, 0)
        before(client, cluster.prefix)
        writer = Writer(db, draw)
        with processes(place, "index") as crowd:
            yield Fed(place, cluster, client, db, crowd, writer, watch)


def judged(fed: Fed, fault: str, recoveries: list[float], *, aside: frozenset[str] = frozenset()) -> Outcome:
    """What the index holds beside the database, and the database beside what was written. ``aside``: posts that no
    index can take. Nobody may write any more."""
    ended, settled = fed.crowd.ended(), fed.recovery(time.monotonic())
    days = list(_days(fed))
    faults = Counter(kind for day in days for id, kind in day.faults.items() if id not in aside or kind != "missing")
    with fed.db.read() as conn:
        kept = posts.get(conn, list(fed.writer.alive))
    lost = len(fed.writer.alive) - len(kept) + faults["missing"]
    well = settled < LONGEST_S and not ended and not faults["other"]
    well = well and {id: post.text for id, post in kept.items()} == fed.writer.alive
    same = sum(day.checksum_index == day.checksum_database for day in days)
    said = f"{fed.watch.said()}; {sum(day.index for day in days):,} documents, {same} of {len(days)} sums the same"
    survived = sum(one < LONGEST_S for one in recoveries) if well else 0
    return Outcome(
        fault, len(recoveries), survived, lost, faults["twice"] + faults["extra"], max(recoveries, default=None),
        said + (f"; the feeder ended: {', '.join(ended)}" if ended else ""),
    )  # fmt: skip


def _days(fed: Fed) -> Iterator[Day]:
    verifier = Verifier(fed.db, fed.client, fed.cluster, times.now)
    fed.client.indices.refresh(index=f"{fed.cluster.prefix}-*")
    for family in FAMILIES:
        for day in verifier.days(family):
            yield verifier.compare(family, day)


def _annotation(id: str, draw: Random) -> Annotation:
    return Annotation(id, "fr", "fast", round(draw.random(), 3), 0.8, TAGS, ("emerging_incident",), Scored("fire", 0.8))


def _incident(number: int, revision: int) -> Incident:
    now, where = times.now(), Where("Cholet", 47.06, -0.88, 4000.0, insee="49099")
    return Incident(f"incident-{number}", "Exercise", "open", now, AT, now, place=where, revision=revision)


NOWHERE = Geo(123.0, 0.0, 10.0, "nulle part")
"""A position that is none: no index takes it."""
