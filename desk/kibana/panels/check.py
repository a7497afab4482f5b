"""Every panel of every dashboard, put to a cluster: what it asks, what it shows, or what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from desk.kibana.panels import dashboards, lens, maps, searches, shape
from desk.kibana.panels.dashboards import Key, Panel
from desk.kibana.panels.errors import Dangling, PanelError, Untested
from desk.kibana.panels.lens import Table
from desk.kibana.panels.scope import Scope
from desk.kibana.panels.views import View, read_view

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch


@dataclass(frozen=True, slots=True)
class Shown:
    """What one layer of one panel shows, looked at with ``scope``; ``fault`` says why it cannot be shown."""

    dashboard: str
    panel: str
    title: str
    layer: str
    scope: Scope
    table: Table | None
    fault: str = ""

    @property
    def empty(self) -> bool:
        """Whether a reader would see nothing but a dash or a blank."""
        return not self.table or not any(_tells(row) for row in self.table.rows)

    def plain(self) -> dict[str, Any]:
        """As ``--json`` writes it."""
        table = self.table
        return {
            "dashboard": self.dashboard,
            "panel": self.panel,
            "title": self.title,
            "layer": self.layer,
            "fault": self.fault,
            "empty": self.empty,
            "index": table.index if table else None,
            "request": table.request if table else None,
            "columns": table.labels if table else {},
            "rows": table.rows if table else [],
        }


class Looking:
    """A cluster with the data views of an export, each asked for its fields once."""

    def __init__(self, client: Elasticsearch, objects: Iterable[Mapping[str, Any]]) -> None:
        self.client, self.known = client, dashboards.index(objects)
        self._views: dict[str, View] = {}

    def view(self, id: str) -> View:
        """The data view of that id. Raises Dangling."""
        if id not in self._views:
            if ("index-pattern", id) not in self.known:
                raise Dangling(f"there is no data view {id}")
            self._views[id] = read_view(self.client, self.known["index-pattern", id])
        return self._views[id]


def look(
    client: Elasticsearch,
    objects: Iterable[Mapping[str, Any]],
    now: datetime,
    *,
    zone: str = "Europe/Paris",
    within: tuple[datetime, datetime] | None = None,
) -> Iterator[Shown]:
    """Every layer of every panel of the dashboards in ``objects`` (the parsed lines of an export).

    Times are the dashboards' own at ``now``, or ``within``. ``zone`` is where the reader sits. A panel that cannot be
    shown has its fault told, and the next one follows. What the client raises is raised.
    """
    looking = Looking(client, objects)
    for (kind, _), saved in looking.known.items():
        if kind == "dashboard":
            yield from _dashboard(looking, saved, now, zone, within)


def _dashboard(
    looking: Looking, saved: Mapping[str, Any], now: datetime, zone: str, within: tuple[datetime, datetime] | None
) -> Iterator[Shown]:
    scope = dashboards.scope(saved, now, zone)
    if within:
        scope = replace(scope, start=within[0], end=within[1])
    for view, field in dashboards.controls(saved):
        looking.view(view).field(field)
    for panel in dashboards.panels(saved, looking.known):
        own = scope if within else scope.within(panel.config.get("timeRange"), now)
        own = own.also(None, panel.config.get("enhancements", {}).get("filters"))
        yield from _panel(looking, panel, own)


def _panel(looking: Looking, panel: Panel, scope: Scope) -> Iterator[Shown]:
    seen = Shown(panel.dashboard, panel.id, panel.title, "", scope, None)
    try:
        for layer, table in _tables(looking, panel, scope):
            yield replace(seen, layer=layer, table=table)
    except PanelError as error:
        yield replace(seen, fault=str(error))


def _tables(looking: Looking, panel: Panel, scope: Scope) -> Iterator[tuple[str, Table]]:
    drawers = {"lens": _lens, "map": _map, "search": _search}
    if panel.kind not in drawers:
        raise Untested(f"panels of the kind {panel.kind} are not translated")
    return drawers[panel.kind](looking, panel, scope)


def _lens(looking: Looking, panel: Panel, scope: Scope) -> Iterator[tuple[str, Table]]:
    shape.check(panel.attributes)
    state = panel.attributes["state"]
    whole = scope.also(state.get("query"), state.get("filters"))
    for id, layer in state["datasourceStates"]["formBased"]["layers"].items():
        view = looking.view(_target(panel.references, f"indexpattern-datasource-layer-{id}"))
        asked = _alone(state, scope) if layer.get("ignoreGlobalFilters") else whole
        yield id, lens.show(looking.client, layer, view, asked)


def _alone(state: Mapping[str, Any], scope: Scope) -> Scope:
    """A layer that ignores the dashboard's filters ignores the panel's own as well (``esaggs.ts``); its time holds."""
    if state.get("query", {}).get("query") or state.get("filters"):
        raise Dangling("a layer that ignores the dashboard's filters would ignore the panel's own query, too")
    return replace(scope, queries=(), filters=())


def _map(looking: Looking, panel: Panel, scope: Scope) -> Iterator[tuple[str, Table]]:
    state = orjson.loads(panel.attributes["mapStateJSON"])
    scope = scope.also(state.get("query"), state.get("filters"))
    seen = maps.window(panel.config.get("mapCenter") or state, panel.grid)
    for layer in orjson.loads(panel.attributes["layerListJSON"]):
        source = layer["sourceDescriptor"]
        if source["type"] in maps.BASE:
            continue
        view = looking.view(_target(panel.references, source["indexPatternRefName"]))
        yield layer.get("label") or layer["id"], maps.show(looking.client, layer, view, scope, seen)


def _search(looking: Looking, panel: Panel, scope: Scope) -> Iterator[tuple[str, Table]]:
    source = orjson.loads(panel.attributes["kibanaSavedObjectMeta"]["searchSourceJSON"])
    view = looking.view(_target(panel.references, source["indexRefName"]))
    scope = scope.also(source.get("query"), source.get("filter"))
    yield "documents", searches.show(looking.client, panel.attributes, view, scope)


def _target(references: Mapping[str, Key], name: str) -> str:
    if name not in references:
        raise Dangling(f"the reference {name} is not there: {sorted(references)}")
    return references[name][1]


def _tells(row: Mapping[str, Any]) -> bool:
    values: Sequence[Any] = list(row.values())
    return any(value not in (None, 0, 0.0, "", []) for value in values)
