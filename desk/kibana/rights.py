"""Who may do what in the cluster and in Kibana, in Elasticsearch's own words; `docs/kibana.md` shows the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from desk.kibana import views

FEED, BOARDS, WATCH = "vigie-feed", "vigie-kibana", "vigie_veille"
APPLICATION = "kibana-.kibana"


def feed(prefix: str) -> Mapping[str, Any]:
    """The key with which Vigie feeds the index and asks it."""
    indices = {"names": [f"{prefix}-*"], "privileges": ["manage", "read", "write"]}
    return {FEED: {"cluster": ["monitor", "manage_index_templates"], "indices": [indices]}}


def boards(space: str) -> Mapping[str, Any]:
    """The key that brings the dashboards into the space: it sees no document."""
    privileges = ["feature_savedObjectsManagement.all", "feature_indexPatterns.all"]
    return {BOARDS: {"applications": [_in(space, privileges)]}}


def watch(prefix: str, space: str) -> Mapping[str, Any]:
    """The role of those who look: what the dashboards show, and so never the results of public-order tagging."""
    names = [f"{family.alias(prefix)}*" for family in views.SHOWN]
    return {
        "indices": [{"names": names, "privileges": ["read", "view_index_metadata"]}],
        "applications": [_in(space, ["space_read"])],
    }


def _in(space: str, privileges: list[str]) -> Mapping[str, Any]:
    return {"application": APPLICATION, "privileges": privileges, "resources": [f"space:{space}"]}
