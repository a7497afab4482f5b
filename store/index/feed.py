"""The feeder: what changes in the database is in the index seconds later, whatever happens to either.

It reads the change log from its cursor, sends what the database says of every document that these changes concern, and
then commits its cursor under its lease. Killed in between, it sends the same again, which changes nothing: each
document bears the number of the newest change that it was read at, and an older one never beats a newer.

    Away      the cluster takes nothing now      the cursor stays; asked again, ever later up to ten seconds
    Missing   an index is gone                   a new generation is built from the database
    refused   by an index of another mapping     the same
    refused   by one of ours                     the document is set aside with the reason, the rest goes on
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from store import changes, state, times
from store.database import Database
from store.index import generations, listing, places, reading, setup
from store.index.bulk import Away, Missing
from store.index.cluster import Cluster, connect
from store.index.families import FAMILIES, HOURS, STAGE, Family
from store.index.pace import Pause, Turns
from store.index.places import Places
from store.index.reasons import FAULTS, reason
from store.index.rebuild import FIRST, LOST, Builder
from store.index.retire import Ages, retire
from store.index.sending import send
from store.index.verify import STILL_COUNTED, digest
from store.records import Lease

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

log = logging.getLogger(__name__)

AT_ONCE = 2000
LOOK_S, HOURS_S, RETIRE_S = 10.0, 5.0, 600.0


class _Opened(NamedTuple):
    client: Elasticsearch
    places: Places


class Feeder:
    """Feeds ``families`` of ``cluster`` from ``db``. ``clock`` gives UTC; ``wait`` sleeps some seconds, or less once
    the house stops; ``ticks`` gives seconds that never go back. Close it."""

    def __init__(
        self,
        db: Database,
        cluster: Cluster,
        clock: Callable[[], datetime],
        *,
        wait: Callable[[float], object] = time.sleep,
        ticks: Callable[[], float] = time.monotonic,
        families: Sequence[Family] = FAMILIES,
        at_once: int = AT_ONCE,
        chance: random.Random | None = None,
    ) -> None:
        self._db, self._cluster, self._clock, self._wait = db, cluster, clock, wait
        self._families, self._at_once = tuple(families), at_once
        self._builder = Builder(db, cluster, clock, families=families, wait=wait)
        self._pause, self._turns = Pause(ticks, chance or random.Random()), Turns(ticks)
        self._opened: _Opened | None = None
        self._counted: dict[str, bytes] = {}
        self._said: str | None = ""

    def step(self, lease: Lease | None = None, ages: Ages | None = None) -> int:
        """Feed what has changed, and go on with what is being rebuilt; gives how much was dealt with.

        ``ages`` say how long each family is kept, None where that is not known. A cluster that takes nothing is told
        in the log and in the database, and left in peace for a while. Raises LeaseLost, the faults of the database.
        """
        if self._pause.lasts():
            return 0
        try:
            opened = self._opened = self._opened or self._open(lease)
            done = self._turn(*opened, lease, ages)
        except Missing as missing:
            self._rebuild(missing, lease)
            return 1
        except (Away, *FAULTS) as error:
            self._pause.begin()
            self._say(str(error) if isinstance(error, Away) else reason(error), lease)
            return 0
        self._pause.over()
        self._say(None, lease)
        return done

    def close(self) -> None:
        """Let the connections go."""
        if self._opened:
            self._opened.client.close()
            self._opened = None

    def _open(self, lease: Lease | None) -> _Opened:
        """A client, once templates are in place and it is known where everything stands."""
        client = connect(self._cluster)
        try:
            setup.install(client, self._cluster, self._families)
            self._builder.adopt(client, lease)
            where = Places(client, self._cluster, self._families)
            where.look()
            self._catch_up(where, lease)
        except BaseException:
            client.close()
            raise
        return _Opened(client, where)

    def _catch_up(self, where: Places, lease: Lease | None) -> None:
        """Changes that are not there any more cannot be read: then the whole database is."""
        with self._db.write(lease=lease) as conn:
            at, newest = changes.reached(conn, STAGE), changes.latest(conn)
            if at is not None and changes.oldest(conn) - 1 <= at <= newest:
                return
            for family in self._families:
                if where.there[family.name] or listing.count(conn, family):
                    generations.ask(conn, family, FIRST if at is None else LOST)
            changes.set_cursor(conn, STAGE, newest)

    def _turn(self, client: Elasticsearch, where: Places, lease: Lease | None, ages: Ages | None) -> int:
        """One round. What is being rebuilt has its turn also where an index takes nothing: it may be that one's
        successor."""
        self._turns.take("look", LOOK_S, partial(self._look, client, where, lease))
        try:
            done = self._changes(client, where, lease)
        except Away:
            self._builder.step(client, lease)
            raise
        done += self._builder.step(client, lease)
        done += self._turns.take("hours", HOURS_S, partial(self._hours, client, where, lease))
        if ages:
            self._turns.take("retire", RETIRE_S, lambda: len(retire(self._db, where, self._clock(), ages, lease)))
        return done

    def _look(self, client: Elasticsearch, where: Places, lease: Lease | None) -> int:
        """See which indices there are: one that is gone is built anew, also where it is the cluster that is another."""
        where.look()
        uuid = str(client.cluster.state(metric="version", filter_path="cluster_uuid").body["cluster_uuid"])
        with self._db.read() as conn:
            found = {one: generations.standing(conn, one) for one in self._families}
            gone = [one for one, its in found.items() if places.lost(conn, where, one, its)]
            other = [one for one, its in found.items() if not places.remembered(conn, where, one, its)]
            before = state.value(conn, STAGE, "cluster")
        for family, its in found.items():
            where.lead(family, its.live)
        if not other and before == uuid:
            return 0
        gone = gone if before in (None, uuid) else list(self._families)
        if gone:
            log.warning("indices are gone and are built anew: %s", ", ".join(family.name for family in gone))
        with self._db.write(lease=lease) as conn:
            state.put(conn, STAGE, {"cluster": uuid})
            for family in gone:
                generations.ask(conn, family, LOST)
            places.remember(conn, where, other)
        return len(gone)

    def _changes(self, client: Elasticsearch, where: Places, lease: Lease | None) -> int:
        with self._db.read() as conn:
            batch = reading.read(conn, self._families, self._at_once)
        if batch.until == batch.after:
            return 0
        verdict = send(client, batch, where, self._wait)
        with self._db.write(lease=lease) as conn:
            verdict.settle(conn, batch, self._clock())
            places.remember(conn, where, where.made)
            changes.set_cursor(conn, STAGE, batch.until)
        where.made.clear()
        return batch.number

    def _hours(self, client: Elasticsearch, where: Places, lease: Lease | None) -> int:
        """Feed the hours that were counted on since the last time."""
        if HOURS not in self._families:
            return 0
        now = self._clock()
        with self._db.read() as conn:
            last = state.value(conn, STAGE, "hours")
            since = (times.from_iso(last) if last else now) - STILL_COUNTED
            batch = reading.hours(conn, since, times.to_micros(now))
        digests = {id: digest(one.body) for part in batch.parts for id, one in part.documents.items()}
        new = batch.only({id for id, value in digests.items() if self._counted.get(id) != value})
        verdict = send(client, new, where, self._wait)
        if new.ids:
            with self._db.write(lease=lease) as conn:
                verdict.settle(conn, new, now)
                places.remember(conn, where, where.made)
                state.put(conn, STAGE, {"hours": times.to_iso(now)})
        self._counted = digests
        return len(new.ids)

    def _rebuild(self, missing: Missing, lease: Lease | None) -> None:
        """Whatever lost an index is built anew from the database; what comes meanwhile goes into a new one."""
        assert self._opened, "nothing is sent before"
        families = {family for index in missing.indices if (family := self._opened.places.forget(index))}
        log.warning("%s: built anew", missing)
        self._turns.at_once("look")
        with self._db.write(lease=lease) as conn:
            for family in families:
                generations.ask(conn, family, LOST)

    def _say(self, why: str | None, lease: Lease | None) -> None:
        """Write down why the cluster takes nothing, None once it does, where that is news."""
        if why == self._said:
            return
        away = {"reason": why, "since": times.to_iso(self._clock())} if why else None
        with self._db.write(lease=lease) as conn:
            before = state.value(conn, STAGE, "away")
            if away and before:
                away["since"] = before["since"]
            state.put(conn, STAGE, {"away": away})
        if why:
            log.error("the index is not fed, and nothing is lost by it: %s", why)
        elif before:
            log.warning("the index is fed again; it was not since %s", before["since"])
        self._said = why
