"""A new generation of a family's indices, filled from the database beside the one that is asked.

It runs in steps, in the loop that feeds the index and under its lease: while a generation is being built, the feeder
sends every change to both. So the new one is whole once every id of the database has been through, and the alias moves
in one request. How far it is stands in the database: killed at any moment, it goes on. What is left over is swept.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from store import changes, times
from store.database import Database
from store.index import bulk, generations, listing, poison, setup
from store.index.bulk import Action, Away, Missing, Refused
from store.index.cluster import Cluster
from store.index.documents import documents
from store.index.documents.document import Document
from store.index.families import FAMILIES, HOURS, STAGE, Family
from store.index.generations import Generation, Standing
from store.records import Lease

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

log = logging.getLogger(__name__)
AT_ONCE = 2000
TRIES = 3
ASKED, FIRST, LOST, MAPPING, SHORT = "asked", "first", "lost", "mapping", "short"
"""Why a generation is built: somebody asked, nothing was ever fed, indices were lost, the mapping changed, the last one
was too small."""


class Builder:
    """Builds what is wanted of ``families``. ``at_once`` is how many documents a step writes at most; ``wait`` sleeps
    some seconds."""

    def __init__(
        self,
        db: Database,
        cluster: Cluster,
        clock: Callable[[], datetime],
        *,
        at_once: int = AT_ONCE,
        families: Sequence[Family] = FAMILIES,
        wait: bulk.Wait = time.sleep,
    ) -> None:
        self._db, self._cluster, self._clock, self._wait = db, cluster, clock, wait
        self._at_once, self._families = at_once, families
        self._adopted = False

    def adopt(self, client: Elasticsearch, lease: Lease | None = None) -> None:
        """Before anything is fed: what the alias leads to is what is live, whatever the database knows of it, and a
        new generation is asked for where the mapping has changed since. Leftovers of earlier rebuilds go."""
        for family in self._families:
            there = setup.existing(client, self._cluster, family)
            asked = _asked(there, family, self._cluster)
            with self._db.write(lease=lease) as conn:
                known = generations.known(conn, family)
                found = _agreed(known or Standing(asked or Generation(family.version)), asked)
                if family.version not in {one.version for one in found.targets}:
                    found = replace(found, wanted=found.wanted or MAPPING)
                if found != known:
                    generations.put(conn, family, found)
            self._sweep(client, family, found, there)
        self._adopted = True

    def step(self, client: Elasticsearch, lease: Lease | None = None) -> int:
        """Go on with the first family that needs it; gives how much was done, 0 where nothing is to be built.

        Raises the faults of the cluster; what was done by then counts.
        """
        if not self._adopted:
            self.adopt(client, lease)
        with self._db.read() as conn:
            todo = next(generations.unsettled(conn, self._families), None)
        if todo is None:
            return 0
        family, found = todo
        if found.wanted:
            self._begin(client, family, found, lease)
            return 1
        assert found.building
        try:
            return self._fill(client, family, found, found.building, lease)
        except Missing as missing:
            log.warning("%s while it was being built: it is begun anew", missing)
            self._ask(family, LOST, lease)
            return 1

    def _begin(self, client: Elasticsearch, family: Family, found: Standing, lease: Lease | None) -> None:
        setup.install(client, self._cluster, self._families, anew=found.wanted == MAPPING)
        there = setup.existing(client, self._cluster, family)
        known = [one.generation for name in there if (one := setup.name_of(name, family, self._cluster))]
        last = max(one.number for one in (*known, *found.targets))
        with self._db.write(lease=lease) as conn:
            total = listing.count(conn, family)
            new = Standing(found.live, Generation(family.version, last + 1), total=total, why=found.wanted)
            generations.put(conn, family, new)
        log.warning("%s: a new generation is built from %s documents (%s)", family.name, total, found.wanted)
        self._sweep(client, family, new, there)

    def _fill(
        self, client: Elasticsearch, family: Family, found: Standing, building: Generation, lease: Lease | None
    ) -> int:
        with self._db.read() as conn:
            ids, after = listing.page(conn, family, found.after, self._at_once)
            bodies = documents(conn, family, ids)
            version = changes.latest(conn)
        if family is HOURS:
            version = times.to_micros(self._clock())
        refused = self._send(client, family, building, bodies.values(), version)
        self._set_aside(client, family, ids, refused, lease)
        done = found.done + len(ids)
        if after is not None:
            self._put(family, replace(found, after=after, done=done, refused=found.refused + len(refused)), lease)
            return len(ids)
        final = replace(found, done=done, refused=found.refused + len(refused))
        self._finish(client, family, final, building, lease)
        return max(1, len(ids))

    def _send(
        self, client: Elasticsearch, family: Family, building: Generation, bodies: Collection[Document], version: int
    ) -> list[Refused]:
        periods = {family.period_of(one.at) for one in bodies}
        setup.ensure(client, self._cluster, family, building, periods, live=False)
        prefix = self._cluster.prefix
        actions = [Action(building.name(family, prefix, one.at), one.id, version, one.body) for one in bodies]
        return bulk.send(client, actions, wait=self._wait, tries=TRIES).refused

    def _set_aside(
        self,
        client: Elasticsearch,
        family: Family,
        ids: Collection[str],
        refused: Sequence[Refused],
        lease: Lease | None,
    ) -> None:
        """Take note of the documents that the new generation does not take, and of those that it takes after all.
        Raises Away where it is the index that is at fault."""
        for index in {one.index for one in refused}:
            if why := setup.foreign(client, index, family):
                raise Away(f"{why}, though it was just made: take away the index template that is put before Vigie's")
        with self._db.read() as conn:
            known = poison.known(conn) & {poison.key(family, id) for id in ids}
        if refused or known:
            reasons = {poison.key(family, one.id): one.reason for one in refused}
            with self._db.write(lease=lease) as conn:
                poison.settle(conn, reasons, known, self._clock())

    def _finish(
        self, client: Elasticsearch, family: Family, found: Standing, building: Generation, lease: Lease | None
    ) -> None:
        """Move the alias, unless part of the new generation has gone meanwhile: then begin anew."""
        stem, alias = building.stem(family, self._cluster.prefix), family.alias(self._cluster.prefix)
        if not _of(setup.existing(client, self._cluster, family), building, family, self._cluster):
            setup.ensure(client, self._cluster, family, building, [family.period_of(self._clock())], live=False)
        there = setup.existing(client, self._cluster, family)
        mine = _of(there, building, family, self._cluster)
        client.indices.refresh(index=f"{stem}-*")
        held = int(client.count(index=",".join(mine)).body["count"])
        if held + found.refused < self._expected(family) and found.why != SHORT:
            log.warning("%s: the new generation holds %s documents only: it is begun anew", family.name, held)
            self._ask(family, SHORT, lease)
            return
        leaving = [name for name, aliased in there.items() if aliased and name not in mine]
        actions = [{"add": {"index": name, "alias": alias}} for name in mine]
        client.indices.update_aliases(
            actions=[*actions, *({"remove": {"index": one, "alias": alias}} for one in leaving)]
        )
        settled = Standing(building)
        self._put(family, settled, lease)
        log.warning("%s: the new generation is asked from now on, with %s documents", family.name, held)
        self._sweep(client, family, settled, there)

    def _expected(self, family: Family) -> int:
        """How many documents must be there at least: those of the database, but for what the feeder has not read."""
        with self._db.read() as conn:
            at = changes.cursor(conn, STAGE)
            unread = changes.after(conn, at, family.tables, listing.MANY) if family.tables else ()
            return listing.count(conn, family) - len({change.key for change in unread})

    def _sweep(self, client: Elasticsearch, family: Family, found: Standing, there: Collection[str]) -> None:
        """Delete what belongs to no generation in use."""
        for name in there:
            told = setup.name_of(name, family, self._cluster)
            if told and told.generation not in found.targets:
                client.options(ignore_status=404).indices.delete(index=name)
                log.warning("the index %s belongs to no generation in use: deleted", name)

    def _put(self, family: Family, new: Standing, lease: Lease | None) -> None:
        """Remember; what somebody asked for meanwhile stays asked for."""
        with self._db.write(lease=lease) as conn:
            wanted = generations.standing(conn, family).wanted
            generations.put(conn, family, replace(new, wanted=wanted))

    def _ask(self, family: Family, why: str, lease: Lease | None) -> None:
        with self._db.write(lease=lease) as conn:
            generations.ask(conn, family, why)


def _agreed(known: Standing, asked: Generation | None) -> Standing:
    """What is known, made to agree with the generation that the alias leads to, None where it leads nowhere.

    Killed between moving the alias and writing it down, the new generation is live. A database that was brought back
    from a copy does not know the live one, whose documents bear versions of a time to come: it is replaced."""
    if asked is None or asked == known.live:
        return known
    if asked == known.building:
        return Standing(asked, wanted=known.wanted)
    return Standing(asked, wanted=known.wanted or LOST)


def _asked(there: dict[str, bool], family: Family, cluster: Cluster) -> Generation | None:
    """The newest generation that the alias leads to."""
    found = [setup.name_of(name, family, cluster) for name, aliased in there.items() if aliased]
    return max((one.generation for one in found if one), default=None)


def _of(there: Collection[str], generation: Generation, family: Family, cluster: Cluster) -> list[str]:
    """The indices of one generation."""
    told = {name: setup.name_of(name, family, cluster) for name in there}
    return sorted(name for name, one in told.items() if one and one.generation == generation)
