"""Is the index what the database says? Each day of a family is counted and summed on both sides; what differs is named.

**Checksum** of a day: the sum modulo 2^64 of the first 8 bytes of BLAKE2b of each document, its fields in order; so it
does not depend on the order of documents, nor on their versions. The index gives what it would show, its ``_source``.

**A house at work.** What differs at first sight is looked at again once the feeder has dealt with everything that had
changed by then; what changed meanwhile is looked at once more, and is no difference as long as it moves.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import orjson
from sqlalchemy import Connection

from store import changes, leases
from store.batches import batches
from store.database import Database
from store.index import listing
from store.index.cluster import Cluster
from store.index.documents import affected, documents
from store.index.families import HOURS, STAGE, Family

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

PAGE = 1000
KEEP_ALIVE = "2m"
LOOKS = 5
FEEDER_S = 10.0
STILL_COUNTED = timedelta(hours=2)
"""An hour is compared once it is so old: until then it is counted on, and fed now and then."""

Fault = Literal["missing", "extra", "other", "twice"]
Digests = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Day:
    """One day (UTC) of a family: how many documents there are and their checksum on either side.

    ``faults``: id → missing (not in the index), extra (only there), other (with other content), twice. ``moving``
    counts what changed at every look, ``mended`` what differed and was fed anew.
    """

    family: str
    day: date
    database: int
    index: int
    checksum_database: str
    checksum_index: str
    faults: Mapping[str, Fault] = field(default_factory=dict)
    moving: int = 0
    mended: int = 0

    @property
    def ok(self) -> bool:
        """Whether both sides are the same."""
        return not self.faults


@dataclass(slots=True)
class _Index:
    """What the index holds of a day; ``twice`` are the ids that it has more than once."""

    digests: Digests = field(default_factory=dict)
    twice: set[str] = field(default_factory=set)

    def take(self, hits: Collection[Mapping[str, Any]]) -> None:
        for hit in hits:
            if hit["_id"] in self.digests:
                self.twice.add(hit["_id"])
            self.digests[hit["_id"]] = digest(hit["_source"])


class Verifier:
    """Compares. ``clock`` gives UTC; ``wait`` sleeps some seconds."""

    def __init__(
        self,
        db: Database,
        client: Elasticsearch,
        cluster: Cluster,
        clock: Callable[[], datetime],
        *,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._db, self._client, self._cluster, self._clock, self._wait = db, client, cluster, clock, wait

    def days(self, family: Family) -> list[date]:
        """Every day on which either side has something, in order. Raises the faults of the cluster."""
        by_day = {"date_histogram": {"field": family.time, "calendar_interval": "day", "min_doc_count": 1}}
        found = self._client.search(**self._where(family), size=0, aggs={"days": by_day}).body
        buckets = found.get("aggregations", {}).get("days", {}).get("buckets", ())
        there = {date.fromisoformat(bucket["key_as_string"][:10]) for bucket in buckets}
        with self._db.read() as conn:
            return sorted(there | set(listing.days(conn, family)))

    def compare(self, family: Family, day: date) -> Day:
        """One day of both sides. Raises the faults of the cluster."""
        index = self._scan(family, _on(family, day))
        with self._db.read() as conn:
            database = self._digests(conn, family, listing.of_day(conn, family, day))
        suspects = {id for id in database.keys() | index.digests.keys() if database.get(id) != index.digests.get(id)}
        suspects |= index.twice
        faults: dict[str, Fault] = {}
        for _ in range(LOOKS):
            if suspects:
                suspects = self._look_again(family, suspects, database, index, faults)
        if family is HOURS:
            _forget_counting(self._clock(), database, index, faults)
        counts = (len(database), len(index.digests) + len(index.twice))
        sums = (checksum(database.values()), checksum(index.digests.values()))
        return Day(family.name, day, *counts, *sums, dict(sorted(faults.items())), len(suspects))

    def _look_again(
        self, family: Family, suspects: set[str], database: Digests, index: _Index, faults: dict[str, Fault]
    ) -> set[str]:
        """Judge the suspects once the feeder has passed what is now the newest change; gives those that move."""
        mark = self._let_the_feeder_pass()
        self._client.indices.refresh(**self._where(family))
        seen = _Index()
        for some in batches(suspects):
            self._scan(family, {"terms": {"id": list(some)}}, seen)
        with self._db.read() as conn:
            said = self._digests(conn, family, suspects)
            moving = suspects & self._changed(conn, family, mark)
        for id in suspects - moving:
            _settle(id, said.get(id), database)
            _settle(id, seen.digests.get(id), index.digests)
            index.twice.discard(id)
            if fault := _fault(id, said, seen):
                faults[id] = fault
        index.twice |= {id for id, fault in faults.items() if fault == "twice"}
        return moving

    def _changed(self, conn: Connection, family: Family, mark: int) -> set[str]:
        if not family.tables:
            return set()
        return affected(conn, family, changes.after(conn, mark, family.tables, listing.MANY))

    def _let_the_feeder_pass(self) -> int:
        """Wait until the feeder has read what is now the newest change, as long as one lives; gives its number."""
        with self._db.read() as conn:
            mark = changes.latest(conn)
        until = time.monotonic() + FEEDER_S
        while time.monotonic() < until:
            with self._db.read() as conn:
                lease = leases.holder(conn, STAGE)
                if changes.cursor(conn, STAGE) >= mark or not (lease and leases.alive(lease, self._clock())):
                    break
            self._wait(0.1)
        return mark

    def _digests(self, conn: Connection, family: Family, ids: Collection[str]) -> Digests:
        return {id: digest(one.body) for id, one in documents(conn, family, ids).items()}

    def _scan(self, family: Family, query: Mapping[str, Any], into: _Index | None = None) -> _Index:
        """Everything in the index that the query finds, page by page from one state of it."""
        found = into or _Index()
        for hits in pages(self._client, self._where(family), query):
            found.take(hits)
        return found

    def _where(self, family: Family) -> dict[str, Any]:
        return {"index": family.alias(self._cluster.prefix), "ignore_unavailable": True, "allow_no_indices": True}


def pages(client: Elasticsearch, where: Mapping[str, Any], query: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """The hits of a query, with version and source, page by page from one state of the index."""
    if not client.indices.exists(**where):
        return
    pit = client.open_point_in_time(index=where["index"], ignore_unavailable=True, keep_alive=KEEP_ALIVE).body["id"]
    after: dict[str, Any] = {}
    try:
        while True:
            asked = {"id": pit, "keep_alive": KEEP_ALIVE}
            found = client.search(
                pit=asked, query=query, size=PAGE, sort=["_shard_doc"], version=True, track_total_hits=False, **after
            ).body
            pit, hits = found["pit_id"], found["hits"]["hits"]
            if hits:
                yield hits
            if len(hits) < PAGE:
                return
            after = {"search_after": hits[-1]["sort"]}
    finally:
        client.close_point_in_time(id=pit)


def digest(body: Mapping[str, Any]) -> bytes:
    """16 bytes that tell a document's content."""
    return hashlib.blake2b(orjson.dumps(body, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()


def checksum(digests: Collection[bytes]) -> str:
    """Of a day: 16 hexadecimal digits."""
    return f"{sum(int.from_bytes(one[:8]) for one in digests) % 2**64:016x}"


def _on(family: Family, day: date) -> dict[str, Any]:
    first = listing.start(day)
    return {"range": {family.time: {"gte": first.isoformat(), "lt": (first + listing.DAY).isoformat()}}}


def _settle(id: str, value: bytes | None, digests: Digests) -> None:
    if value is None:
        digests.pop(id, None)
    else:
        digests[id] = value


def _fault(id: str, database: Digests, index: _Index) -> Fault | None:
    if id in index.twice:
        return "twice"
    said, seen = database.get(id), index.digests.get(id)
    if said == seen:
        return None
    return "missing" if seen is None else "extra" if said is None else "other"


def _forget_counting(now: datetime, database: Digests, index: _Index, faults: dict[str, Fault]) -> None:
    """Leave out hours that may still be counted on."""
    young = (now - STILL_COUNTED).isoformat()[:19]
    for id in [id for id in database.keys() | index.digests.keys() if id.rpartition("@")[2] > young]:
        for kept in (database, index.digests, faults):
            kept.pop(id, None)
