"""The map: incidents in the colour of their severity, over where the posts come from."""

from __future__ import annotations

from typing import Any

from desk.kibana.columns import query
from desk.kibana.saved import Saved, ident, text
from desk.kibana.views import View

# The desk's own colours of severity, gravest first
COLORS = {"Extreme": "#6a1b6e", "Severe": "#b3261e", "Moderate": "#a85400", "Minor": "#2f6690", "Unknown": "#54606e"}
LIMIT = 10_000
FRANCE = {"lat": 46.6, "lon": 2.4}


def incident_map(id: str, title: str, incidents: View, posts: View, kql: str) -> Saved:
    """The map as a saved object; ``kql`` says which incidents are shown."""
    layers = [_ground(id), _crowd(id, posts), _incidents(id, incidents, kql)]
    state = {
        "zoom": 4.6,
        "center": FRANCE,
        "timeFilters": {"from": "now-24h", "to": "now"},
        "refreshConfig": {"isPaused": False, "interval": 30_000},
        "query": query(""),
        "filters": [],
        "settings": {"autoFitToDataBounds": True, "initialLocation": "AUTO_FIT_TO_BOUNDS"},
    }
    attributes = {
        "title": title,
        "description": "",
        "layerListJSON": text(layers),
        "mapStateJSON": text(state),
        "uiStateJSON": text({"isLayerTOCOpen": False, "openTOCDetails": []}),
    }
    references = (posts.reference("layer_1_source_index_pattern"), incidents.reference("layer_2_source_index_pattern"))
    return Saved("map", id, attributes, references)


def _layer(id: str, name: str, kind: str, label: str, alpha: float, source: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": ident(id, name),
        "type": kind,
        "label": label,
        "alpha": alpha,
        "visible": True,
        "minZoom": 0,
        "maxZoom": 24,
        "includeInFitToBounds": name == "incidents",
        "sourceDescriptor": source,
    }


def _ground(id: str) -> dict[str, Any]:
    source = {"type": "EMS_TMS", "isAutoSelect": True, "lightModeDefault": "road_map_desaturated"}
    ground = _layer(id, "ground", "EMS_VECTOR_TILE", "", 1, source)
    return ground | {"style": {"type": "EMS_VECTOR_TILE", "color": ""}}


def _asked(id: str, name: str, reference: str) -> dict[str, Any]:
    return {
        "id": ident(id, name, "source"),
        "geoField": "position",
        "indexPatternRefName": reference,
        "applyGlobalQuery": True,
        "applyGlobalTime": True,
        "applyForceRefresh": True,
    }


def _crowd(id: str, posts: View) -> dict[str, Any]:
    source = _asked(id, "posts", "layer_1_source_index_pattern")
    source |= {"type": "ES_GEO_GRID", "requestType": "heatmap", "resolution": "COARSE", "metrics": [{"type": "count"}]}
    crowd = _layer(id, "posts", "HEATMAP", posts.say("map.posts"), 0.4, source)
    style = {"type": "HEATMAP", "colorRampName": "theclassic"}
    return crowd | {"style": style, "query": query('labels: "emerging_incident"')}


def _incidents(id: str, incidents: View, kql: str) -> dict[str, Any]:
    title = f"title.{incidents.say.lang}"
    shown = [title, "severity", "place.name", "lead", "acknowledged", "posts", "updated_at", "id"]
    source = _asked(id, "incidents", "layer_2_source_index_pattern")
    source |= {"type": "ES_SEARCH", "scalingType": "LIMIT", "filterByMapBounds": True, "tooltipProperties": shown}
    source |= {"sortField": "severity_rank", "sortOrder": "desc", "topHitsSize": 1}
    layer = _layer(id, "incidents", "GEOJSON_VECTOR", incidents.say("map.incidents"), 0.9, source)
    style = {"type": "VECTOR", "isTimeAware": True, "properties": _style()}
    return layer | {"style": style, "joins": [], "query": query(kql)}


def _style() -> dict[str, Any]:
    stops = [{"stop": None, "color": COLORS["Unknown"]}]
    stops += [{"stop": name, "color": color} for name, color in COLORS.items()]
    by_severity = {
        "type": "CATEGORICAL",
        "field": {"name": "severity", "origin": "source"},
        "fieldMetaOptions": {"isEnabled": True, "sigma": 3},
        "useCustomColorPalette": True,
        "customColorPalette": stops,
    }
    by_posts = {
        "field": {"name": "posts", "origin": "source"},
        "fieldMetaOptions": {"isEnabled": True, "sigma": 3},
        "minSize": 8,
        "maxSize": 28,
    }
    return {
        "fillColor": {"type": "DYNAMIC", "options": by_severity},
        "iconSize": {"type": "DYNAMIC", "options": by_posts},
        "lineColor": {"type": "STATIC", "options": {"color": "#ffffff"}},
        "lineWidth": {"type": "STATIC", "options": {"size": 1}},
        "symbolizeAs": {"options": {"value": "circle"}},
    }
