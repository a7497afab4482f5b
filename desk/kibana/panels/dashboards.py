"""Dashboards as they are exported: their panels with what each refers to, and what the dashboard adds to each request.

Follows ``dashboard/server/dashboard_saved_object/schema`` and ``controls`` of Kibana 9.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from desk.kibana.panels.errors import Dangling, PanelError, Untested
from desk.kibana.panels.scope import Scope, moment

Key = tuple[str, str]
TEXT_ONLY = ("links", "DASHBOARD_MARKDOWN")


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. ``attributes`` and ``config`` are the embedded or referenced object and the panel's own settings;
    ``references``: name → (type, id)."""

    dashboard: str
    id: str
    kind: str
    title: str
    attributes: Mapping[str, Any]
    config: Mapping[str, Any]
    references: Mapping[str, Key]
    grid: Mapping[str, int]


def index(objects: Iterable[Mapping[str, Any]]) -> dict[Key, Mapping[str, Any]]:
    """Saved objects by type and id."""
    return {(one["type"], one["id"]): one for one in objects}


def panels(dashboard: Mapping[str, Any], known: Mapping[Key, Mapping[str, Any]]) -> Iterator[Panel]:
    """The panels of a dashboard, in its order, without those that hold words only. Raises Dangling."""
    for saved in orjson.loads(dashboard["attributes"]["panelsJSON"]):
        if saved["type"] not in TEXT_ONLY:
            yield _panel(dashboard, saved, known)


def scope(dashboard: Mapping[str, Any], now: datetime, zone: str) -> Scope:
    """The time, query, filters and chosen options of a dashboard as it opens. Raises PanelError."""
    saved = dashboard["attributes"]
    if not saved.get("timeRestore"):
        raise PanelError(f"{saved['title']}: a dashboard says which time it opens on (timeRestore)")
    source = orjson.loads(saved["kibanaSavedObjectMeta"]["searchSourceJSON"])
    opened = Scope(moment(saved["timeFrom"], now), moment(saved["timeTo"], now, up=True), zone)
    return opened.also(source.get("query"), [*source.get("filter", ()), *_chosen(dashboard)])


def controls(dashboard: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The data view and the field of every control of a dashboard. Raises Dangling."""
    references = _references(dashboard)
    return [
        (_view_of_control(id, one, references), one["explicitInput"]["fieldName"])
        for id, one in _controls(dashboard).items()
        if one["type"] != "timeSlider"
    ]


def _panel(dashboard: Mapping[str, Any], saved: Mapping[str, Any], known: Mapping[Key, Mapping[str, Any]]) -> Panel:
    id, config = saved["panelIndex"], saved["embeddableConfig"]
    references = _references(dashboard)
    mine = {name.removeprefix(f"{id}:"): to for name, to in references.items() if name.startswith(f"{id}:")}
    attributes = config.get("attributes")
    if attributes is None:
        name = saved.get("panelRefName", f"panel_{id}")
        target = mine.get(name) or references.get(name)
        if not target or target not in known:
            raise Dangling(f"{dashboard['attributes']['title']}: the panel {id} is not there ({target or name})")
        attributes, mine = known[target]["attributes"], _references(known[target])
    mine |= {one["name"]: (one["type"], one["id"]) for one in attributes.get("references", ())}
    title = config.get("title") or saved.get("title") or attributes.get("title") or ""
    return Panel(
        dashboard["id"], id, saved["type"], title, attributes, config, mine, saved["gridData"]
    )  # fmt: skip


def _references(saved: Mapping[str, Any]) -> dict[str, Key]:
    return {one["name"]: (one["type"], one["id"]) for one in saved.get("references", ())}


def _controls(dashboard: Mapping[str, Any]) -> dict[str, Any]:
    written = dashboard["attributes"].get("controlGroupInput", {}).get("panelsJSON", "{}")
    read: dict[str, Any] = orjson.loads(written)
    return read


def _chosen(dashboard: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The filters that the controls add as the dashboard opens (``options_list``)."""
    for one in _controls(dashboard).values():
        chosen = one["explicitInput"]
        if one["type"] not in ("optionsListControl", "timeSlider"):
            raise Untested(f"controls of {one['type']} are not translated")
        if values := chosen.get("selectedOptions"):
            field = chosen["fieldName"]
            meta = {"key": field, "negate": bool(chosen.get("exclude"))}
            yield {"meta": meta, "query": {"terms": {field: values}}}


def _view_of_control(id: str, control: Mapping[str, Any], references: Mapping[str, Key]) -> str:
    for name, (_, target) in references.items():
        if name.startswith(f"controlGroup_{id}:"):
            return target
    if named := control["explicitInput"].get("dataViewId"):
        return str(named)
    raise Dangling(f"the control {id} has no data view")
