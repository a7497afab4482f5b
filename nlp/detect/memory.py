"""What detection remembers between batches: clusters still in the making, and the cases of incidents.

Everything lives in the store under the stage's state, a row a post and a row a case, written with what was decided;
:meth:`Memory.load` brings it back exactly.
"""

from __future__ import annotations

import heapq
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection

from nlp.detect import match
from nlp.detect.case import Case, from_state
from nlp.detect.cluster import Cluster, incident_id
from nlp.detect.member import Member
from store import changes, state
from store.codec import from_json
from store.database import Database

log = logging.getLogger(__name__)
STAGE = "detect"
AHEAD = timedelta(seconds=60)


class Memory:
    """The clusters of one installation. Not shared between threads.

    ``now`` is event time, seconds since 1970. ``cursor`` is the change up to which this memory is right; None after a
    batch that failed, so that the next one reads the store again.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.now = 0.0
        self.cursor: int | None = None
        self.candidates: dict[str, Cluster] = {}
        self.cases: dict[str, Case] = {}
        self.where: dict[str, str] = {}
        self.unsaved: dict[str, Any] = {}
        self.touched: set[str] = set()
        self._postings: dict[str, dict[str, Cluster]] = {}
        self._terms: dict[str, set[str]] = {}
        self._pruning: list[tuple[float, str]] = []

    @classmethod
    def load(cls, db: Database) -> Memory:
        """The memory as the last committed batch left it."""
        memory = cls()
        with db.read() as conn:
            memory.reload(conn)
        return memory

    def reload(self, conn: Connection) -> None:
        """Take up what the store holds, in place of what is here."""
        self.reset()
        kept = state.get(conn, STAGE)
        self.cursor = changes.cursor(conn, STAGE)
        self.now = kept.get("now", 0.0)
        for name, number, value in sorted(_posts(kept)):
            new = from_json(Member, orjson.loads(value[1]))
            cluster = self.candidates.setdefault(name, Cluster(name, new.status))
            cluster.restore(number, new, value[0])
            self._index(cluster, new)
        for key, value in kept.items():
            if key.startswith("c:"):
                self._restore_case(key[2:], value)
        for cluster in self.candidates.values():
            self._watch(cluster)

    def _restore_case(self, name: str, value: dict[str, Any]) -> None:
        status = value["incident"]["status"]
        cluster = self.candidates.pop(name, None) or Cluster(name, status)
        self.cases[name] = from_state(cluster, value)

    def follow(self, now: datetime) -> None:
        """Put event time back to ``now`` where it is ahead of it, as after a clock that was wrong was put right.

        Left ahead, it would count every post that comes as too old to begin an incident. For posts that are received
        when they come; recorded ones have a time of their own.
        """
        if self.now > (now + AHEAD).timestamp():
            log.warning("the clock was put back by about %.0f s: detection follows", self.now - now.timestamp())
            self.now = now.timestamp()

    def start(self, new: Member) -> Cluster:
        """A cluster in the making with one post."""
        cluster = Cluster(incident_id(new.post, new.status), new.status)
        self.candidates[cluster.id] = cluster
        self.add(cluster, new)
        self._watch(cluster)
        return cluster

    def add(self, cluster: Cluster, new: Member) -> None:
        """Count ``new`` into a cluster."""
        number = cluster.add(new)
        _, _, voice = cluster.members[new.post]
        self.unsaved[_key(cluster.id, number)] = [voice, orjson.dumps(new).decode()]
        self._index(cluster, new)
        if cluster.id in self.cases:
            self.touched.add(cluster.id)

    def drop(self, cluster: Cluster, posts: set[str]) -> None:
        """Take posts out of a cluster; an empty cluster in the making is forgotten."""
        for number in cluster.drop(posts):
            self.unsaved[_key(cluster.id, number)] = None
        for post in posts:
            self.where.pop(post, None)
        if cluster.id in self.cases:
            self.touched.add(cluster.id)
        elif not cluster.members:
            self._forget(cluster)

    def promote(self, cluster: Cluster, case: Case) -> None:
        """Make a case of a cluster in the making."""
        del self.candidates[cluster.id]
        self.cases[cluster.id] = case
        self.touched.add(cluster.id)

    def merge(self, cluster: Cluster, into: Case) -> None:
        """Move the posts of a cluster in the making to a case, in their order."""
        moved = [each for _, each, _ in cluster.members.values()]
        self.drop(cluster, {each.post for each in moved})
        for each in moved:
            self.add(into.cluster, each)

    def forget(self, case: Case) -> None:
        """Let go of a closed case; the store keeps the incident."""
        for number, _, _ in case.cluster.members.values():
            self.unsaved[_key(case.cluster.id, number)] = None
        for post in case.cluster.members:
            self.where.pop(post, None)
        self.unsaved[f"c:{case.cluster.id}"] = None
        del self.cases[case.cluster.id]
        self.touched.discard(case.cluster.id)
        self._forget(case.cluster)

    def prune(self, window: float) -> None:
        """Drop from clusters in the making what is older than ``window`` seconds, once their oldest is twice that."""
        while self._pruning and self._pruning[0][0] <= self.now - 2 * window:
            _, name = heapq.heappop(self._pruning)
            cluster = self.candidates.get(name)
            if cluster is None:
                continue
            if _oldest(cluster) <= self.now - 2 * window:
                old = {each.post for _, each, _ in cluster.members.values() if each.received < self.now - window}
                self.drop(cluster, old)
            if cluster.members:
                self._watch(cluster)

    def cluster(self, name: str) -> Cluster:
        """The cluster or case of that id."""
        return self.cases[name].cluster if name in self.cases else self.candidates[name]

    def bids(self, new: Member) -> Iterator[match.Bid]:
        """What every living case, and the clusters that share a term with ``new``, offer for it; of its status."""
        totals, largest = self._shared(new)
        for name, case in self.cases.items():
            cluster, total = case.cluster, totals.pop(name, 0.0)
            apart = not total and cluster.hazard != new.hazard
            if not apart and cluster.status == new.status and case.incident.state != "closed":
                yield match.Bid(cluster, "incident", total / cluster.norm)
        for name, total in totals.items():
            cluster = self.candidates[name]
            if total >= match.LEAST * cluster.norm and cluster.status == new.status:
                others = (total - largest[name]) / cluster.norm
                yield match.Bid(cluster, "candidate", total / cluster.norm, others)

    def _shared(self, new: Member) -> tuple[dict[str, float], dict[str, float]]:
        """Of the clusters that share terms: the inner product with ``new``, and its largest part."""
        totals: dict[str, float] = {}
        largest: dict[str, float] = {}
        for term, value in new.terms.items():
            for name, cluster in self._postings.get(term, {}).items():
                part = value * cluster.terms.get(term, 0.0)
                totals[name] = totals.get(name, 0.0) + part
                if part > largest.get(name, 0.0):
                    largest[name] = part
        return totals, largest

    def save(self) -> dict[str, Any]:
        """The state rows that changed since the last :meth:`saved`."""
        rows = {**self.unsaved, "now": self.now}
        rows |= {f"c:{name}": self.cases[name].to_json() for name in self.touched}
        return rows

    def saved(self, cursor: int) -> None:
        """Say that what :meth:`save` gave is committed, with this cursor."""
        self.unsaved, self.touched, self.cursor = {}, set(), cursor

    def _index(self, cluster: Cluster, new: Member) -> None:
        self.where[new.post] = cluster.id
        self._terms.setdefault(cluster.id, set()).update(new.terms)
        for term in new.terms:
            self._postings.setdefault(term, {})[cluster.id] = cluster

    def _watch(self, cluster: Cluster) -> None:
        heapq.heappush(self._pruning, (_oldest(cluster), cluster.id))

    def _forget(self, cluster: Cluster) -> None:
        self.candidates.pop(cluster.id, None)
        for term in self._terms.pop(cluster.id, ()):
            self._postings[term].pop(cluster.id, None)
            if not self._postings[term]:
                del self._postings[term]


def _oldest(cluster: Cluster) -> float:
    return min(each.received for _, each, _ in cluster.members.values())


def _key(cluster: str, number: int) -> str:
    return f"m:{cluster}:{number:09d}"


def _posts(kept: dict[str, Any]) -> Iterator[tuple[str, int, list[str]]]:
    for key, value in kept.items():
        if key.startswith("m:"):
            _, name, number = key.split(":")
            yield name, int(number), value
