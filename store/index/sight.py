"""How the cluster looks from here: does it answer, as what, and has it what Vigie put there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from elasticsearch import Elasticsearch

from store.index import setup
from store.index.cluster import Cluster
from store.index.families import FAMILIES, Family


@dataclass(frozen=True, slots=True)
class Sight:
    """``versions`` of its nodes, its ``health`` (green, yellow, red), the ``templates`` that lack or are of another
    Vigie, and family → index → how many documents are in it."""

    versions: tuple[str, ...]
    nodes: int
    health: str
    templates: tuple[str, ...]
    indices: dict[str, dict[str, int]]

    def documents(self, family: Family) -> int:
        """How many are in the family's indices that its alias leads to."""
        return sum(self.indices.get(family.name, {}).values())


def sight(client: Elasticsearch, cluster: Cluster, families: Sequence[Family] = FAMILIES) -> Sight:
    """Look. Raises the faults of the cluster."""
    health = client.cluster.health(filter_path="status,number_of_nodes").body
    nodes = client.nodes.info(filter_path="nodes.*.version").body.get("nodes", {})
    return Sight(
        versions=tuple(sorted({one["version"] for one in nodes.values()})),
        nodes=int(health["number_of_nodes"]),
        health=str(health["status"]),
        templates=tuple(setup.outdated(client, cluster, families)),
        indices={family.name: _counts(client, cluster, family) for family in families},
    )


def _counts(client: Elasticsearch, cluster: Cluster, family: Family) -> dict[str, int]:
    asked = [name for name, aliased in setup.existing(client, cluster, family).items() if aliased]
    return {name: int(client.count(index=name).body["count"]) for name in sorted(asked)}
