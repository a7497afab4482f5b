"""A dashboard: rows of panels on 48 columns, controls above them, links to the other dashboards and to the desk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from desk.kibana.columns import query
from desk.kibana.facts import DATA_VIEW
from desk.kibana.lens import Chart
from desk.kibana.saved import Reference, Saved, ident, text
from desk.kibana.views import View


@dataclass(frozen=True, slots=True)
class Panel:
    """A chart, or a saved object that stands alone (a map, a list of documents, links), ``width`` columns wide.

    ``drill`` is the id of the dashboard that a click on one of its values opens, with that value as a filter.
    """

    shows: Chart | Saved
    width: int
    drill: str | None = None
    drill_label: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """Panels side by side, ``height`` grid rows of 20 pixels high."""

    height: int
    panels: tuple[Panel, ...]


def row(height: int, *panels: Panel) -> Row:
    """Panels side by side."""
    return Row(height, panels)


@dataclass(frozen=True, slots=True)
class Control:
    """A list from which to choose values of a field; ``chosen`` are chosen at first."""

    view: View
    field: str
    title: str
    chosen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard, as it opens: the last ``span`` (such as ``24h``), refreshed every ``refresh_s`` seconds."""

    id: str
    title: str
    help: str
    rows: tuple[Row, ...]
    controls: tuple[Control, ...] = ()
    span: str = "24h"
    refresh_s: int = 30
    kql: str = ""

    def saved(self) -> list[Saved]:
        """The dashboard, after the objects that its panels stand on."""
        placed = list(self._placed())
        parts = {panel.shows.id: panel.shows for panel, *_ in placed if isinstance(panel.shows, Saved)}
        references = tuple(reference for panel, key, _ in placed for reference in _references(panel, key))
        references += tuple(self._control_references())
        return [*parts.values(), Saved("dashboard", self.id, self._attributes(placed), references)]

    def _placed(self) -> Iterator[tuple[Panel, str, dict[str, Any]]]:
        y = 0
        for line in self.rows:
            x = 0
            for panel in line.panels:
                key = ident(self.id, _name(panel))
                yield panel, key, {"x": x, "y": y, "w": panel.width, "h": line.height, "i": key}
                x += panel.width
            y += line.height

    def _attributes(self, placed: Sequence[tuple[Panel, str, dict[str, Any]]]) -> dict[str, Any]:
        options = {"useMargins": True, "syncColors": True, "syncCursor": True, "syncTooltips": False}
        return {
            "title": self.title,
            "description": self.help,
            "panelsJSON": text([_plain(panel, key, grid) for panel, key, grid in placed]),
            "optionsJSON": text(options | {"hidePanelTitles": False}),
            "kibanaSavedObjectMeta": {"searchSourceJSON": text({"query": query(self.kql), "filter": []})},
            "timeRestore": True,
            "timeFrom": f"now-{self.span}",
            "timeTo": "now",
            "refreshInterval": {"pause": False, "value": self.refresh_s * 1000},
            "controlGroupInput": self._control_group(),
        }

    def _control_group(self) -> dict[str, Any]:
        whole = ("ignoreFilters", "ignoreQuery", "ignoreTimerange", "ignoreValidations")
        return {
            "controlStyle": "oneLine",
            "chainingSystem": "HIERARCHICAL",
            "showApplySelections": False,
            "panelsJSON": text({key: _control(key, n, item) for n, (key, item) in enumerate(self._keyed())}),
            "ignoreParentSettingsJSON": text(dict.fromkeys(whole, False)),
        }

    def _keyed(self) -> Iterator[tuple[str, Control]]:
        for item in self.controls:
            yield ident(self.id, "control", item.field), item

    def _control_references(self) -> Iterator[Reference]:
        for key, item in self._keyed():
            yield item.view.reference(f"controlGroup_{key}:optionsListDataView")


def _name(panel: Panel) -> str:
    return panel.shows.title if isinstance(panel.shows, Chart) else panel.shows.id


def _control(key: str, order: int, item: Control) -> dict[str, Any]:
    chosen = {
        "id": key,
        "fieldName": item.field,
        "title": item.title,
        "selectedOptions": list(item.chosen),
        "searchTechnique": "prefix",
        "sort": {"by": "_count", "direction": "desc"},
        "enhancements": {},
    }
    return {"type": "optionsListControl", "order": order, "width": "medium", "grow": True, "explicitInput": chosen}


def _plain(panel: Panel, key: str, grid: dict[str, Any]) -> dict[str, Any]:
    shows = panel.shows
    drills = {"dynamicActions": {"events": [_drill(panel, key)]}} if panel.drill else {}
    whole: dict[str, Any] = {"panelIndex": key, "gridData": grid}
    config: dict[str, Any]
    if isinstance(shows, Chart):
        config = {"attributes": shows.plain(), "title": shows.title, "enhancements": drills}
        return whole | {"type": "lens", "embeddableConfig": config}
    config = {"title": shows.attributes["title"], "hidePanelTitles": shows.type == "links", "enhancements": drills}
    return whole | {"type": shows.type, "embeddableConfig": config, "panelRefName": f"panel_{key}"}


def _drill(panel: Panel, key: str) -> dict[str, Any]:
    config = {"useCurrentFilters": True, "useCurrentDateRange": True, "openInNewTab": False}
    action = {"factoryId": "DASHBOARD_TO_DASHBOARD_DRILLDOWN", "name": panel.drill_label, "config": config}
    return {"eventId": ident(key, "drill"), "triggers": ["FILTER_TRIGGER"], "action": action}


def _references(panel: Panel, key: str) -> Iterator[Reference]:
    shows = panel.shows
    if isinstance(shows, Chart):
        yield from (reference.within(key) for reference in shows.references)
    else:
        yield Reference(f"panel_{key}", shows.type, shows.id).within(key)
    if panel.drill:
        event = ident(key, "drill")
        name = f"drilldown:DASHBOARD_TO_DASHBOARD_DRILLDOWN:{event}:dashboardId"
        yield Reference(name, "dashboard", panel.drill).within(key)


def links(id: str, title: str, boards: Sequence[tuple[str, str]], outside: Sequence[tuple[str, str]]) -> Saved:
    """A line of links: (label, id of a dashboard), then (label, address)."""
    inner = [_inner(id, n, label) for n, (label, _) in enumerate(boards)]
    outer = [
        {"id": ident(id, url), "type": "externalLink", "label": label, "order": n, "destination": url}
        for n, (label, url) in enumerate(outside, start=len(boards))
    ]
    targets = zip(inner, boards, strict=True)
    references = tuple(Reference(link["destinationRefName"], "dashboard", board) for link, (_, board) in targets)
    return Saved("links", id, {"title": title, "layout": "horizontal", "links": [*inner, *outer]}, references)


def _inner(id: str, order: int, label: str) -> dict[str, Any]:
    key = ident(id, str(order))
    name = f"link_{key}_dashboard"
    return {"id": key, "type": "dashboardLink", "label": label, "order": order, "destinationRefName": name}


def listing(
    id: str, title: str, help: str, view: View, columns: Sequence[str], sort: Sequence[tuple[str, str]], kql: str
) -> Saved:
    """Documents as they are, a row each: what Discover calls a saved search."""
    name = "kibanaSavedObjectMeta.searchSourceJSON.index"
    source = {"query": query(kql), "filter": [], "indexRefName": name}
    attributes = {
        "title": title,
        "description": help,
        "columns": list(columns),
        "sort": [list(pair) for pair in sort],
        "grid": {},
        "hideChart": True,
        "isTextBasedQuery": False,
        "timeRestore": False,
        "kibanaSavedObjectMeta": {"searchSourceJSON": text(source)},
    }
    return Saved("search", id, attributes, (Reference(name, DATA_VIEW, view.id),))
