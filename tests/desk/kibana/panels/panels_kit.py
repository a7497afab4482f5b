"""Recorded posts taken through the five stages, touched by people as in a real night, and indexed."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

from elasticsearch import Elasticsearch
from sqlalchemy import select

from config.world import World
from desk.replay import EventClock, Stages
from listeners.replay import Replay
from nlp.annotate import Annotator
from store import alerts, gaps, hourly, incidents, outbox, sources, tables
from store.database import Database
from store.index import bulk, setup
from store.index.cluster import Cluster, connect
from store.index.documents import documents
from store.index.documents.health import hours_since
from store.index.families import FAMILIES, Family
from store.index.generations import Generation
from store.records import Acknowledgement, Alert, Delivery, Incident, Place, SourceHealth

MINUTE = timedelta(minutes=1)
VERDICTS = ("confirmed", "refuted", "being_checked")
AGENCIES = ("sdis", "samu", "prefecture-sidpc", "ville-cholet")
HAZARDS = ("industrial_fire", "flood", "explosion", "storm", None)
SEVERITIES = ("Extreme", "Severe", "Moderate", "Minor", "Unknown")
PLACES = (("Cholet", 47.06, -0.88), ("Saumur", 47.26, -0.08), ("Angers", 47.47, -0.55), ("Segré", 47.69, -0.87))


@dataclass(frozen=True)
class Scene:
    """A database and a cluster that tell of the same posts; ``start`` and ``end`` enclose everything."""

    db: Database
    client: Elasticsearch
    cluster: Cluster
    start: datetime
    end: datetime


@contextmanager
def scene(files: Sequence[Path], world: World, cluster: Cluster, home: Path, most: int = 5000) -> Iterator[Scene]:
    """Play the first ``most`` posts of ``files`` minute by minute, let people act, and index what came of it."""
    db = Database.open(f"sqlite:///{home}/scene.db")
    with closing(db), connect(cluster, timeout_s=30) as client:
        start, end = _play(db, world, files, most)
        _invent(db, start, random.Random(9))
        _act(db, start, end)
        _index(db, client, cluster)
        yield Scene(db, client, cluster, start - timedelta(hours=3), end + timedelta(hours=1))


def _play(db: Database, world: World, files: Sequence[Path], most: int) -> tuple[datetime, datetime]:
    clock = EventClock()
    stages = Stages(db, world, Annotator(), clock)
    posts = [post for post, _ in zip(Replay(files, report=_bad).posts(), range(most), strict=False)]
    for _, some in groupby(posts, key=lambda post: int(post.created_at.timestamp()) // 60):
        chunk = list(some)
        clock.now = chunk[0].created_at
        stages.collect(chunk)
        stages.understand()
        clock.now = chunk[-1].created_at + timedelta(seconds=2)
        stages.dispatch()
    clock.now += 20 * MINUTE
    stages.understand()
    stages.dispatch()
    return posts[0].created_at, clock.now


def _invent(db: Database, start: datetime, chance: random.Random, number: int = 40) -> None:
    """More incidents of the same hour, of every hazard and severity, decided on and sent at any speed."""
    with db.write() as conn:
        for place in range(number):
            one = _incident(place, start + timedelta(seconds=chance.randrange(3600)), chance)
            alert = Alert(
                f"al-{place:03}", one.id, f"ev-{place:03}", "new", one.opened_at, one, chance.choice(AGENCIES),
                trigger_received_at=one.opened_at,
            )  # fmt: skip
            incidents.put(conn, [one])
            alerts.add(conn, [alert] if place % 7 else [])
            outbox.add(conn, [_delivery(alert, agency, chance) for agency in AGENCIES[: place % 4] if place % 7])


def _incident(number: int, at: datetime, chance: random.Random) -> Incident:
    name, lat, lon = chance.choice(PLACES)
    return Incident(
        f"inc-{number:03}", chance.choice(("Exercise", "Exercise", "Test", "Actual")),
        chance.choice(("open", "watching", "closed")), at, at, at + 5 * MINUTE, hazard=chance.choice(HAZARDS),
        tags=("emerging_incident", "rumour")[: chance.randrange(3)], severity=chance.choice(SEVERITIES),
        place=Place(name, lat, lon, 3000.0, "commune") if number % 9 else None,
        posts=chance.randrange(3, 400), voices=chance.randrange(1, 60),
    )  # fmt: skip


def _delivery(alert: Alert, agency: str, chance: random.Random) -> Delivery:
    first = alert.at + timedelta(seconds=chance.expovariate(1 / 9))
    state = chance.choice(("sent", "sent", "sent", "failed"))
    return Delivery(
        f"d-{alert.id}-{agency}", alert.id, alert.incident_id, "new", agency, "lead", "duty", "mail", alert.at,
        state, 1, None, first, first if state == "sent" else None, trigger_received_at=alert.at,
    )  # fmt: skip


def _act(db: Database, start: datetime, end: datetime) -> None:
    """Agencies take incidents on, an analyst decides, a source falls silent, another was never on."""
    with db.write() as conn:
        told = incidents.recent(conn, 200)
        sent = [one for incident in told for one in outbox.of_incident(conn, incident.id) if one.sent_at]
        for number, delivery in enumerate(sent):
            if number % 3 != 2 and delivery.sent_at:
                at = delivery.sent_at + timedelta(seconds=45 + 17 * (number % 11))
                outbox.acknowledge(conn, Acknowledgement(delivery.incident_id, delivery.agency, "Camille", at, "desk"))
        checked = enumerate(sorted(told, key=lambda one: one.id))
        incidents.put(conn, [_judged(one, number, end) for number, one in checked if number % 4 < 3])
        sources.report(conn, SourceHealth("x-flux", "off", "401: the key is not known", start, end, 900, 40))
        sources.report(conn, SourceHealth("mastodon-une", "waiting", "VIGIE_MASTODON is not set", start))
        gap = gaps.begin(conn, "x-flux", start + 5 * MINUTE, "no answer for 60 s", ("incendie",))
        gaps.put(conn, replace(gap, ended_at=start + 12 * MINUTE, state="filled", found=7, settled_at=end))
        gaps.begin(conn, "x-flux", start + 30 * MINUTE, "401: the key is not known")
        for back in range(3):
            at = start - timedelta(hours=back)
            hourly.add(conn, at, {"source:x-flux": (300 + back, 14, 3600.0), "filter:incendie": (20, 9 + back, 0.0)})


def _judged(incident, number: int, at: datetime):
    return replace(incident, verification=VERDICTS[number % 4], revision=incident.revision + 1, updated_at=at)


def _index(db: Database, client: Elasticsearch, cluster: Cluster) -> None:
    setup.install(client, cluster)
    with db.read() as conn:
        for family in FAMILIES:
            made = documents(conn, family, _ids(conn, family)).values()
            generation = Generation(family.version)
            setup.ensure(client, cluster, family, generation, {family.period_of(one.at) for one in made} or {"all"})
            actions = [
                bulk.Action(setup.index_of(cluster, family, one.at, generation), one.id, 1, one.body) for one in made
            ]
            done = bulk.send(client, actions)
            assert not done.refused, done.refused[:3]
    client.indices.refresh(index=f"{cluster.prefix}-*")


def _ids(conn, family: Family) -> Iterable[str]:
    if family.name == "hours":
        return hours_since(conn, datetime(1970, 1, 1, tzinfo=UTC))
    table = getattr(tables, family.name.replace("-", "_"))
    key = {"sources": "source", "public-order": "post_id"}.get(family.name, "id")
    return list(conn.execute(select(table.c[key])).scalars())


def _bad(line) -> None:
    raise AssertionError(f"a recorded post that cannot be read: {line}")
