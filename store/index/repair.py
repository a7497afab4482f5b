"""Putting right what :mod:`store.index.verify` found: documents are fed anew, and lie in one place only."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from store import changes
from store.batches import batches
from store.database import Database
from store.index import bulk, generations, setup
from store.index.bulk import Action, Sent
from store.index.cluster import Cluster
from store.index.documents import documents
from store.index.documents.document import Document
from store.index.families import Family
from store.index.verify import pages

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

Places = dict[str, dict[str, int]]
"""Id → index → the version that it has there."""


def repair(db: Database, client: Elasticsearch, cluster: Cluster, family: Family, ids: Collection[str]) -> Sent:
    """Feed these ids anew from the database, also where the index holds a version from elsewhere that is above ours;
    what does not belong there is deleted. Templates must be installed. Raises the faults of the cluster, Away, Missing.
    """
    total = Sent()
    for some in batches(ids):
        with db.read() as conn:
            live = generations.standing(conn, family).live
            found, version = documents(conn, family, some), changes.latest(conn)
        right = {id: live.name(family, cluster.prefix, one.at) for id, one in found.items()}
        periods = {family.period_of(one.at) for one in found.values()}
        if periods:
            setup.ensure(client, cluster, family, live, periods)
        client.indices.refresh(index=f"{live.stem(family, cluster.prefix)}-*")
        places = _places(client, cluster, family, some)
        sent = bulk.send(client, _actions(found, right, places, version))
        if sent.stale:
            sent.stale -= _raise_the_dead(client, cluster, family, found, right)
        total.accepted, total.stale = total.accepted + sent.accepted, total.stale + sent.stale
        total.refused += sent.refused
    return total


def _raise_the_dead(
    client: Elasticsearch, cluster: Cluster, family: Family, found: Mapping[str, Document], right: Mapping[str, str]
) -> int:
    """What somebody deleted in the index leaves a tombstone there, whose version may be above ours and is shown to
    nobody: such documents are written over it. Gives how many."""
    client.indices.refresh(index=sorted(set(right.values())))
    places = _places(client, cluster, family, list(found))
    dead = [id for id in found if right[id] not in places[id]]
    for id in dead:
        client.index(index=right[id], id=id, document=found[id].body)
    return len(dead)


def _places(client: Elasticsearch, cluster: Cluster, family: Family, ids: Collection[str]) -> Places:
    where = {"index": family.alias(cluster.prefix), "ignore_unavailable": True, "allow_no_indices": True}
    found: Places = {id: {} for id in ids}
    for hits in pages(client, where, {"terms": {"id": list(ids)}}):
        for hit in hits:
            found[hit["_id"]][hit["_index"]] = hit["_version"]
    return found


def _actions(found: Mapping[str, Document], right: Mapping[str, str], places: Places, version: int) -> list[Action]:
    actions = []
    for id, versions in places.items():
        if id in found:
            there = versions.get(right[id], 0)
            actions.append(Action(right[id], id, max(version, there), found[id].body))
        wrong = {index: there for index, there in versions.items() if index != right.get(id)}
        actions += [Action(index, id, max(version, there), None) for index, there in wrong.items()]
    return actions
