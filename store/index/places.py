"""Where documents lie: which indices there are, made before they are written to, and missed once they are gone."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from store import state
from store.batches import batches
from store.index import generations, setup
from store.index.cluster import Cluster
from store.index.families import FAMILIES, Family
from store.index.generations import Generation, Standing, named

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

log = logging.getLogger(__name__)

STATE = "index periods"
FEW = 50
"""So many ids are deleted in every index; where more lie is asked, because each delete of what is not there costs."""


@dataclass(slots=True)
class Places:
    """The indices of every family. ``there``: family → index → whether its alias leads to it; ``made`` names the
    families that got a new one since that was last written down. ``uuids``: index → what the cluster knows it by, so
    that one which somebody put in the place of another is told from it."""

    client: Elasticsearch
    cluster: Cluster
    families: Collection[Family] = FAMILIES
    there: dict[str, dict[str, bool]] = field(default_factory=dict)
    made: set[Family] = field(default_factory=set)
    uuids: dict[str, str] = field(default_factory=dict)

    def look(self) -> None:
        """Ask which there are, in one request."""
        wanted = ",".join(f"{family.alias(self.cluster.prefix)}-v*" for family in self.families)
        found = self.client.indices.get(
            index=wanted, features=["aliases", "settings"], allow_no_indices=True, expand_wildcards="open"
        ).body
        self.uuids = {name: one["settings"]["index"]["uuid"] for name, one in found.items()}
        self.there = {
            family.name: {
                name: family.alias(self.cluster.prefix) in one["aliases"]
                for name, one in found.items()
                if named(name, family, self.cluster.prefix)
            }
            for family in self.families
        }

    def of(self, family: Family, generation: Generation) -> dict[str, str]:
        """The indices of one generation → the period of each."""
        told = {name: named(name, family, self.cluster.prefix) for name in self.there.get(family.name, ())}
        return {name: one.period for name, one in told.items() if one and one.generation == generation}

    def ensure(self, family: Family, generation: Generation, periods: Collection[str], *, live: bool) -> None:
        """Make the indices of these periods that are not there; the alias leads to those of a ``live`` generation."""
        stem, there = generation.stem(family, self.cluster.prefix), self.there.setdefault(family.name, {})
        if new := [period for period in periods if f"{stem}-{period}" not in there]:
            setup.install(self.client, self.cluster, list(self.families))
            names = setup.ensure(self.client, self.cluster, family, generation, new, live=live)
            there |= dict.fromkeys(names, live)
            self.made.add(family)

    def family(self, index: str) -> Family | None:
        """Whose index it is, None for nobody's."""
        return next((one for one in self.families if named(index, one, self.cluster.prefix)), None)

    def forget(self, index: str) -> Family | None:
        """Say that an index is gone; gives its family."""
        family = self.family(index)
        if family:
            self.there.get(family.name, {}).pop(index, None)
        return family

    def lead(self, family: Family, generation: Generation) -> None:
        """Have the alias lead to every index of the live generation: somebody took it away."""
        there, alias = self.there.get(family.name, {}), family.alias(self.cluster.prefix)
        astray = [name for name in self.of(family, generation) if not there[name]]
        if astray:
            log.warning("%s did not lead to %s: put right", alias, ", ".join(astray))
            self.client.indices.update_aliases(actions=[{"add": {"index": name, "alias": alias}} for name in astray])
            there |= dict.fromkeys(astray, True)

    def holding(self, family: Family, generation: Generation, ids: Collection[str]) -> dict[str, list[str]]:
        """Id → the indices of the generation in which it may lie: all of them for few ids, else where it is found."""
        names = list(self.of(family, generation))
        if len(ids) <= FEW or len(names) < 2:
            return dict.fromkeys(ids, names)
        found: dict[str, list[str]] = {id: [] for id in ids}
        self.client.indices.refresh(index=names)
        for some in batches(ids, max(1, 10_000 // len(names))):
            hits = self.client.search(
                index=names, query={"ids": {"values": some}}, size=len(some) * len(names), source=False,
                track_total_hits=False, allow_partial_search_results=False,
            ).body["hits"]["hits"]  # fmt: skip
            for hit in hits:
                found[hit["_id"]].append(hit["_index"])
        return found


def lost(conn: Connection, places: Places, family: Family, standing: Standing) -> list[str]:
    """The periods of the live generation that had an index, as :func:`remember` wrote it down, and have none now, or
    another one of the same name."""
    kept = state.value(conn, STATE, family.name)
    if not kept or Generation(*kept["live"]) != standing.live:
        return []
    now = _periods(places, family, standing)["uuids"]
    before = dict.fromkeys(kept["periods"]) | kept.get("uuids", {})
    return sorted(period for period, uuid in before.items() if period not in now or uuid not in (None, now[period]))


def remembered(conn: Connection, places: Places, family: Family, standing: Standing) -> bool:
    """Whether what is written down is what there is."""
    return bool(state.value(conn, STATE, family.name) == _periods(places, family, standing))


def remember(conn: Connection, places: Places, families: Collection[Family]) -> None:
    """Write down which periods have an index in the live generation of each."""
    for family in families:
        state.put(conn, STATE, {family.name: _periods(places, family, generations.standing(conn, family))})


def _periods(places: Places, family: Family, standing: Standing) -> dict[str, Any]:
    """An index that was only just made is known by its name alone, until the next look."""
    uuids = {period: places.uuids.get(name) for name, period in places.of(family, standing.live).items()}
    return {"live": list(standing.live), "periods": sorted(uuids), "uuids": uuids}
