"""The decisions of days gone by, taken again in memory with other gates: what they would have opened, and missed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from config.world import World
from nlp.detect.life import Detector
from nlp.detect.member import member
from nlp.detect.memory import Memory
from nlp.detect.stage import ABOUT, tags_of
from store import incidents, posts
from store.annotations import get as read_annotations
from store.database import Database
from store.records import Annotation, Change, Incident, Post

NIGHT = (22, 6)
"""Hours, local, between which it is night."""
MOST = 10_000
"""Incidents whose verdicts are read."""
Told = Sequence[tuple[Post, Annotation]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a gate would have done: incidents ``opened``, of them ``at_night``; of the incidents that the desk has
    ``confirmed`` and ``refuted``, how many it would have opened (``found``, ``mistaken``)."""

    min_score: float
    opened: int
    at_night: int
    confirmed: int
    found: int
    refuted: int
    mistaken: int


def outcomes(db: Database, world: World, scores: Sequence[float], since: datetime, now: datetime) -> Iterator[Outcome]:
    """What the gate of ``world`` would have done with each of ``scores`` as its ``min_score`` from ``since`` until
    ``now`` (UTC), on the annotations and verdicts that the store holds."""
    with db.read() as conn:
        read = read_annotations(conn, posts.received(conn, since), least=ABOUT)
        found = posts.get(conn, list(read))
        told = [(post, read[id]) for id, post in found.items()]
        verdicts = {one.id: one.verification for one in incidents.recent(conn, MOST) if one.opened_at >= since}
        belongs = incidents.incident_of(conn, list(read))
    told.sort(key=lambda one: one[0].received_at)
    judged = {post: (id, verdicts[id]) for post, id in belongs.items() if id in verdicts}
    for score in scores:
        yield _outcome(told, _with(world, score), now, judged)


def _with(world: World, score: float) -> World:
    gate = world.bundle.gate.model_copy(update={"min_score": score})
    return replace(world, bundle=world.bundle.model_copy(update={"gate": gate}))


def _outcome(told: Told, world: World, now: datetime, judged: Mapping[str, tuple[str, str]]) -> Outcome:
    opened, links = _decided(told, world, now)
    zone = ZoneInfo(world.bundle.time_zone)
    reached = {judged[post] for some in links.values() for post in some if post in judged}
    every = set(judged.values())

    def count(some: set[tuple[str, str]], verdict: str) -> int:
        return sum(given == verdict for _, given in some)

    return Outcome(
        world.bundle.gate.min_score,
        len(opened),
        sum(_night(one.opened_at.astimezone(zone)) for one in opened),
        count(every, "confirmed"),
        count(reached, "confirmed"),
        count(every, "refuted"),
        count(reached, "refuted"),
    )


def _decided(told: Told, world: World, now: datetime) -> tuple[list[Incident], dict[str, list[str]]]:
    """The incidents opened, as they were then, and the posts of each."""
    detector = Detector(Memory(), world, now)
    gate, tags = world.bundle.gate, tags_of(world)
    for number, (post, annotation) in enumerate(told):
        detector.take(Change(number, "annotations", post.id, "insert"), member(post, annotation, gate, tags))
    return [event.incident for event in detector.events if event.event == "new"], detector.links


def _night(local: datetime) -> bool:
    start, end = NIGHT
    return local.hour >= start or local.hour < end
