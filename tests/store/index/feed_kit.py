"""Feeds until there is nothing left, and asks what the index holds then."""

import pytest

from store.index.families import POSTS


def feed(feeder, lease=None, ages=None):
    for _ in range(200):
        if not feeder.step(lease, ages):
            return
    pytest.fail("there is no end to what is fed")


def asked(client, cluster, family=POSTS):
    alias = family.alias(cluster.prefix)
    client.indices.refresh(index=f"{alias}-v*")
    found = client.search(index=alias, size=100, ignore_unavailable=True)["hits"]["hits"]
    return {hit["_id"]: hit["_source"] for hit in found}
