"""Rebuilding and comparing the search index at somebody's wish, beside whoever feeds it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from elasticsearch import Elasticsearch

from store import leases
from store.database import Database
from store.holding import Holding
from store.index import generations
from store.index.cluster import Cluster
from store.index.families import STAGE, Family
from store.index.feed import Feeder
from store.index.generations import Generation, Standing
from store.index.lag import lag
from store.index.rebuild import ASKED
from store.index.repair import repair
from store.index.verify import Day, Verifier
from store.owners import gone, this_process
from store.records import Lease

POLL_S = 0.3

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A family whose new generation is asked now: the stem of its indices, documents, seconds that it took."""

    family: str
    generation: Generation
    documents: int
    seconds: float


def feeding(db: Database, now: datetime) -> Lease | None:
    """The lease of whoever feeds the index at ``now`` (UTC), None where nobody does."""
    with db.read() as conn:
        lease = leases.holder(conn, STAGE)
    return lease if lease and leases.alive(lease, now) and not gone(lease.owner) else None


def rebuild(
    db: Database, cluster: Cluster, clock: Callable[[], datetime], families: Sequence[Family], say: Say
) -> Iterator[Rebuilt]:
    """Ask for new generations, and follow each until it is asked; ``say`` hears how far it is. Whoever feeds the index
    builds them; where nobody does, it is done here. Endless while the cluster is away."""
    began = time.monotonic()
    with db.write() as conn:
        before = {family: generations.standing(conn, family).live for family in families}
        for family in families:
            generations.ask(conn, family, ASKED)
    work, told, heard = _Work(db, cluster, clock), dict[Family, Standing](), ""
    left = list(families)
    try:
        while left:
            if not work.step():
                time.sleep(POLL_S)
            with db.read() as conn:
                standings = {family: generations.standing(conn, family) for family in left}
                away = lag(conn).away
            for family, now in standings.items():
                told[family] = _told(family, told.get(family), now, say)
                if now.live != before[family] and not now.wanted and not now.building:
                    left.remove(family)
                    yield Rebuilt(family.name, now.live, told[family].total, time.monotonic() - began)
            if away and away.reason != heard:
                say(f"waiting: {away.reason}")
            heard = away.reason if away else ""
    finally:
        work.close()


def _told(family: Family, before: Standing | None, now: Standing, say: Say) -> Standing:
    """Say how far it is where that is news; gives what was last known of its size."""
    if now.building and (before is None or now.done != before.done or not before.building):
        say(f"{family.name}: {now.done:,} of {now.total:,} documents")
    return now if now.building or before is None else replace(now, total=max(now.total, before.total))


class _Work:
    """Feeds the index as long as nobody else does."""

    def __init__(self, db: Database, cluster: Cluster, clock: Callable[[], datetime]) -> None:
        self._db, self._cluster, self._clock = db, cluster, clock
        self._stop = threading.Event()
        self._holding: Holding | None = None
        self._feeder: Feeder | None = None

    def step(self) -> int:
        """Feed where the lease is ours, or free; gives how much was dealt with."""
        if self._holding is None:
            now, owner = self._clock(), this_process("vigie index")
            if feeding(self._db, now) or not leases.acquire(self._db, STAGE, owner, now):  # somebody was faster
                return 0
            self._holding = Holding(self._db, [STAGE], owner, self._clock, self._stop).__enter__()
            self._feeder = Feeder(self._db, self._cluster, self._clock)
        assert self._feeder
        try:
            return self._feeder.step(self._holding.lease(STAGE))
        except leases.LeaseLost:  # this process was stopped for long: another goes on
            self.close()
            return 0

    def close(self) -> None:
        """Give the lease back."""
        if self._feeder:
            self._feeder.close()
        if self._holding:
            self._holding.__exit__(None, None, None)
        self._feeder = self._holding = None


def verify(
    db: Database,
    client: Elasticsearch,
    cluster: Cluster,
    clock: Callable[[], datetime],
    families: Collection[Family],
    *,
    since: date | None = None,
    mend: bool = False,
) -> Iterator[Day]:
    """Every day of these families, compared; with ``mend`` what differs is fed anew and compared again. Raises the
    faults of the cluster, Away, Missing."""
    verifier = Verifier(db, client, cluster, clock)
    for family in families:
        for day in verifier.days(family):
            if since and day < since:
                continue
            found = verifier.compare(family, day)
            if mend and found.faults:
                repair(db, client, cluster, family, list(found.faults))
                found = replace(verifier.compare(family, day), mended=len(found.faults))
            yield found
