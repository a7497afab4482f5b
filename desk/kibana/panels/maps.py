"""A map: what each of its layers asks, and what it draws.

Follows ``maps/public/classes/sources/{es_source/es_source,es_search_source/es_search_source,
es_geo_grid_source/es_geo_grid_source}``. Layers that Kibana fetches as vector tiles are asked for as one search here:
the same documents, not cut into tiles. Base maps ask Elasticsearch nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from desk.kibana.panels.errors import Dangling, Untested
from desk.kibana.panels.kql import Dsl
from desk.kibana.panels.lens import Table
from desk.kibana.panels.scope import Scope, query_of
from desk.kibana.panels.views import View

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

MOST = 10_000  # index.max_result_window
GRIDS = 65_535
FINER = {"COARSE": 2, "FINE": 3, "MOST_FINE": 4}
BASE = ("EMS_TMS", "EMS_FILE", "KIBANA_TILEMAP", "WMS", "EMS_XYZ")
_METRICS = {"sum": "sum", "avg": "avg", "min": "min", "max": "max", "cardinality": "cardinality"}
_TILE = 512
_COLUMN, _ROW = 35, 20


@dataclass(frozen=True, slots=True)
class Window:
    """What of the world a map shows: the middle, the zoom, and its size on a screen in pixels."""

    lat: float
    lon: float
    zoom: float
    width: int
    height: int

    def box(self) -> dict[str, Any]:
        """Its corners, as Elasticsearch names them; latitudes are taken as even, which is near enough for a region."""
        degrees = 360 / (_TILE * 2**self.zoom)
        east, north = degrees * self.width / 2, degrees * self.height / 2 * 0.7
        return {
            "top_left": [max(-180, self.lon - east), min(89, self.lat + north)],
            "bottom_right": [min(180, self.lon + east), max(-89, self.lat - north)],
        }


def window(state: Mapping[str, Any], grid: Mapping[str, int]) -> Window | None:
    """The window of a map as it opens on a dashboard, None where it opens on its data."""
    if state.get("settings", {}).get("autoFitToDataBounds"):
        return None
    middle = state["center"]
    return Window(middle["lat"], middle["lon"], state["zoom"], grid["w"] * _COLUMN, grid["h"] * _ROW)


def show(client: Elasticsearch, layer: Mapping[str, Any], view: View, scope: Scope, seen: Window | None) -> Table:
    """Ask what a layer with a source in Elasticsearch asks. Raises PanelError, and what the client raises."""
    source = layer["sourceDescriptor"]
    if view.field(source["geoField"]).es_type != "geo_point":
        raise Dangling(f"{source['geoField']} is no position")
    if layer.get("joins"):
        raise Untested("joins of map layers are not translated")
    scope = scope.also(layer.get("query"), ())
    drawers = {"ES_SEARCH": _documents, "ES_GEO_GRID": _grid}
    if source["type"] not in drawers:
        raise Untested(f"map layers of {source['type']} are not translated")
    return drawers[source["type"]](client, layer, view, scope, seen)


def _documents(client: Elasticsearch, layer: Mapping[str, Any], view: View, scope: Scope, seen: Window | None) -> Table:
    source = layer["sourceDescriptor"]
    if source.get("scalingType", "LIMIT") not in ("LIMIT", "MVT"):
        raise Untested(f"map layers with {source['scalingType']} are not translated")
    fields = list(dict.fromkeys([*source.get("tooltipProperties", ()), *_styled(layer.get("style", {}))]))
    for name in fields:
        view.field(name)
    body: Dsl = {
        "size": MOST,
        "track_total_hits": MOST + 1,
        "query": _located(query_of(view, scope), source["geoField"], seen),
        "fields": [source["geoField"], *fields],
        "_source": False,
    }
    if source.get("sortField"):
        body["sort"] = [{view.field(source["sortField"]).name: {"order": source["sortOrder"]}}]
    hits = client.search(index=view.title, body=body).body["hits"]["hits"]
    labels = {name: name for name in ("_id", source["geoField"], *fields)}
    rows = [{"_id": hit["_id"], **{name: _only(of) for name, of in hit.get("fields", {}).items()}} for hit in hits]
    return Table(view.title, body, ("_id",), labels, rows)


def _grid(client: Elasticsearch, layer: Mapping[str, Any], view: View, scope: Scope, seen: Window | None) -> Table:
    source = layer["sourceDescriptor"]
    if source["resolution"] not in FINER or source["requestType"] == "hex":
        raise Untested(f"grids {source['resolution']} {source['requestType']} are not translated")
    zoom = -(-(seen.zoom if seen else 5) // 1)
    grid: Dsl = {
        "field": source["geoField"], "precision": min(29, int(zoom) + FINER[source["resolution"]]),
        "size": GRIDS, "shard_size": GRIDS,
    }  # fmt: skip
    if seen:
        grid["bounds"] = seen.box()
    metrics = list(_metrics(source.get("metrics") or [{"type": "count"}], view))
    inner = {"gridCentroid": {"geo_centroid": {"field": source["geoField"]}}} | {
        name: {kind: {"field": field}} for name, kind, field in metrics
    }
    body: Dsl = {
        "size": 0, "track_total_hits": False, "query": _located(query_of(view, scope), source["geoField"], seen),
        "aggs": {"gridSplit": {"geotile_grid": grid, "aggs": inner}},
    }  # fmt: skip
    found = client.search(index=view.title, body=body).body["aggregations"]["gridSplit"]["buckets"]
    rows = [
        {"tile": one["key"], "count": one["doc_count"], "middle": one["gridCentroid"]["location"],
         **{name: one[name]["value"] for name, _, _ in metrics}}
        for one in found
    ]  # fmt: skip
    labels = {name: name for name in ("tile", "count", "middle", *(name for name, _, _ in metrics))}
    return Table(view.title, body, ("tile",), labels, rows)


def _metrics(asked: Sequence[Mapping[str, Any]], view: View) -> Iterator[tuple[str, str, str]]:
    for one in asked:
        if one["type"] == "count":
            continue
        if one["type"] not in _METRICS:
            raise Untested(f"the map metric {one['type']} is not translated")
        yield f"{one['type']}_of_{one['field']}", _METRICS[one["type"]], view.field(one["field"]).name


def _located(query: Dsl, field: str, seen: Window | None) -> Dsl:
    """The query, for documents that have a position, and within the window."""
    within: list[Dsl] = [{"exists": {"field": field}}]
    if seen:
        within.append({"geo_bounding_box": {field: seen.box()}})
    return {"bool": {**query["bool"], "filter": [*query["bool"]["filter"], *within]}}


def _styled(style: Any) -> Iterator[str]:
    """The fields by which symbols are coloured, sized or labelled."""
    if isinstance(style, dict):
        if style.get("type") == "DYNAMIC" and (field := style.get("options", {}).get("field")):
            yield field["name"]
        for value in style.values():
            yield from _styled(value)


def _only(values: Sequence[Any]) -> Any:
    return values[0] if len(values) == 1 else values
