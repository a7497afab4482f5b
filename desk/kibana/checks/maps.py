"""Whether a map can be drawn: its layers, where their positions come from, and the fields of their colours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from desk.kibana.checks.fields import Views, in_query
from desk.kibana.facts import LAYERS, MAP_SETTINGS, SOURCES, STYLES

Plain = Mapping[str, Any]


def faults(one: Plain, views: Views) -> Iterator[str]:
    """What is wrong with a map."""
    targets = {reference["name"]: reference["id"] for reference in one["references"]}
    settings = orjson.loads(one["attributes"]["mapStateJSON"]).get("settings", {})
    yield from (f"has the setting {name}, which we do not know" for name in sorted(set(settings) - MAP_SETTINGS))
    for n, layer in enumerate(orjson.loads(one["attributes"]["layerListJSON"])):
        source = layer["sourceDescriptor"]
        if layer["type"] not in LAYERS or source["type"] not in SOURCES:
            yield f"layer {n} is a {layer['type']} of a {source['type']}"
            continue
        unknown = set(layer) - LAYERS[layer["type"]] | set(source) - SOURCES[source["type"]]
        unknown |= set(layer["style"].get("properties", {})) - STYLES
        yield from (f"layer {n} has {name}, which Kibana does not know there" for name in sorted(unknown))
        if name := source.get("indexPatternRefName"):
            if name != f"layer_{n}_source_index_pattern":
                yield f"layer {n} calls its data view {name}"
            yield from (f"layer {n} {fault}" for fault in _asked(layer, views.kinds(targets.get(name, ""))))


def _asked(layer: Plain, kinds: Mapping[str, str]) -> Iterator[str]:
    source = layer["sourceDescriptor"]
    if kinds.get(source["geoField"]) != "geo_point":
        yield f"takes its positions from {source['geoField']}, which holds none"
    yield from (
        f"tells {field}, which is not there" for field in source.get("tooltipProperties", []) if field not in kinds
    )
    if (sort := source.get("sortField")) and kinds.get(sort) not in ("number", "date", "string"):
        yield f"is sorted by {sort}"
    if "query" in layer:
        yield from in_query(layer["query"], kinds)
    for name, part in layer["style"].get("properties", {}).items():
        field = part["options"].get("field", {}).get("name")
        wanted = "string" if part["options"].get("type") == "CATEGORICAL" else "number"
        if field and kinds.get(field) != wanted:
            yield f"draws {name} from {field}, which is no {wanted}"
