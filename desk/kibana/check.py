"""Whether saved objects are what Kibana imports and can show: types, shapes, references, fields, places, words.

It reads the exported objects, not the builder, and holds them to :mod:`desk.kibana.facts` and to the templates of the
indices. Kibana itself does not look: it imports a dashboard whose panels cannot be drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import orjson

from desk.kibana.checks import charts, maps
from desk.kibana.checks.fields import Views, in_query
from desk.kibana.facts import CORE, DATA_VIEW, FORMATS, GRID, PANELS, TYPES
from desk.kibana.say import strings
from desk.web.words import Lang

Plain = Mapping[str, Any]


def faults(objects: Sequence[Plain], lang: Lang | None = None) -> list[str]:
    """What is wrong with these objects, each in a sentence that begins with its type and id; [] where nothing is.

    ``lang`` also asks that every title is one of our texts in that language.
    """
    told = [f"{one['type']} {one['id']}: {fault}" for one in objects for fault in _shape(one)]
    if told:
        return told  # what follows reads the objects as if they had their shape
    known = {(one["type"], one["id"]) for one in objects}
    views = Views({one["id"]: one["attributes"]["title"] for one in objects if one["type"] == DATA_VIEW})
    doubled = len(objects) - len(known)
    told = [f"{doubled} objects have the type and id of another"] if doubled else []
    for one in objects:
        found = [*_references(one, known), *_content(one, views), *(_titles(one, lang) if lang else [])]
        told += [f"{one['type']} {one['id']}: {fault}" for fault in found]
    return told


def _shape(one: Plain) -> Iterator[str]:
    """The type, its version, its attributes, and that what is JSON inside can be read."""
    fact = TYPES.get(one["type"])
    if fact is None:
        yield f"is of a type that we do not make (we make {', '.join(TYPES)})"
        return
    if one.get("typeMigrationVersion") != fact.version or one.get("coreMigrationVersion") != CORE:
        yield f"must declare typeMigrationVersion {fact.version} and coreMigrationVersion {CORE}"
    given = set(one["attributes"])
    yield from (f"lacks {name}" for name in sorted(fact.must - given))
    yield from (f"has {name}, which the type does not have" for name in sorted(given - fact.must - fact.may))
    for path in sorted(fact.json):
        value = inside(one["attributes"], path)
        if isinstance(value, str) and not _reads(value):
            yield f"{path} is not JSON"
        elif value is not None and not isinstance(value, str):
            yield f"{path} must be JSON written as a string"


def inside(attributes: Plain, path: str) -> Any:
    """The value at a dotted path, None where there is none."""
    value: Any = attributes
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _reads(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _references(one: Plain, known: set[tuple[str, str]]) -> Iterator[str]:
    names = [reference["name"] for reference in one["references"]]
    yield from (f"has two references called {name}" for name in sorted({n for n in names if names.count(n) > 1}))
    for reference in one["references"]:
        if (reference["type"], reference["id"]) not in known:
            yield f"refers to {reference['type']} {reference['id']}, which is not among the objects"
    unused = set(names) - set(_needed(one))
    yield from (f"has the reference {name}, which nothing in it asks for" for name in sorted(unused))
    yield from (f"asks for the reference {name}, which it lacks" for name in sorted(set(_needed(one)) - set(names)))


def _needed(one: Plain) -> Iterator[str]:
    """The names of the references that the content of an object asks for."""
    attributes = one["attributes"]
    match one["type"]:
        case "search":
            yield orjson.loads(attributes["kibanaSavedObjectMeta"]["searchSourceJSON"])["indexRefName"]
        case "map":
            for layer in orjson.loads(attributes["layerListJSON"]):
                if name := layer["sourceDescriptor"].get("indexPatternRefName"):
                    yield name
        case "links":
            yield from (link["destinationRefName"] for link in attributes["links"] if link["type"] == "dashboardLink")
        case "dashboard":
            yield from _of_dashboard(attributes)


def _of_dashboard(attributes: Plain) -> Iterator[str]:
    for panel in orjson.loads(attributes["panelsJSON"]):
        key, config = panel["panelIndex"], panel["embeddableConfig"]
        if name := panel.get("panelRefName"):
            yield f"{key}:{name}"
        for reference in config.get("attributes", {}).get("references", []):
            yield f"{key}:{reference['name']}"
        for event in config.get("enhancements", {}).get("dynamicActions", {}).get("events", []):
            yield f"{key}:drilldown:{event['action']['factoryId']}:{event['eventId']}:dashboardId"
    for key in orjson.loads(attributes.get("controlGroupInput", {}).get("panelsJSON", "{}")):
        yield f"controlGroup_{key}:optionsListDataView"


def _content(one: Plain, views: Views) -> Iterable[str]:
    match one["type"]:
        case "dashboard":
            return _dashboard(one, views)
        case "search":
            return _listing(one, views)
        case "map":
            return maps.faults(one, views)
        case "index-pattern":
            return _view(one, views)
        case _:
            return []


def _view(one: Plain, views: Views) -> Iterator[str]:
    fields, attributes = views.kinds(one["id"]), one["attributes"]
    if not fields:
        yield f"shows {attributes['title']}, which is no family of ours"
        return
    if (time := attributes.get("timeFieldName")) and fields.get(time) != "date":
        yield f"has the time field {time}, which is no date"
    formats = orjson.loads(attributes.get("fieldFormatMap", "{}"))
    yield from (f"formats {field}, which is not there" for field in formats if field not in fields)
    yield from (
        f"names {field}, which is not there" for field in orjson.loads(attributes["fieldAttrs"]) if field not in fields
    )
    for field, format in formats.items():
        if format["id"] not in FORMATS:
            yield f"has the unknown format {format['id']}"
        elif fields.get(field) not in FORMATS[format["id"]]:
            yield f"writes {field} as {format['id']}, which cannot write a {fields.get(field)}"
    if attributes.get("runtimeFieldMap", "{}") != "{}":
        yield "has runtime fields"


def _listing(one: Plain, views: Views) -> Iterator[str]:
    view, attributes = next((reference["id"] for reference in one["references"]), ""), one["attributes"]
    fields = views.kinds(view)
    yield from (f"shows {column}, which is not there" for column in attributes["columns"] if column not in fields)
    for field, order in attributes["sort"]:
        if fields.get(field, "text") in ("text", "geo_point") or order not in ("asc", "desc"):
            yield f"cannot be sorted by {field} {order}"
    source = orjson.loads(attributes["kibanaSavedObjectMeta"]["searchSourceJSON"])
    yield from in_query(source["query"], fields)


def _dashboard(one: Plain, views: Views) -> Iterator[str]:
    panels = orjson.loads(one["attributes"]["panelsJSON"])
    yield from _places(panels)
    targets = {reference["name"]: reference["id"] for reference in one["references"]}
    for panel in panels:
        if panel["type"] not in PANELS:
            yield f"has a panel of the type {panel['type']} (we make {', '.join(sorted(PANELS))})"
        elif panel["type"] == "lens":
            chart = panel["embeddableConfig"]["attributes"]
            yield from (f"«{chart['title']}» {fault}" for fault in charts.faults(chart, views))
    for key, control in orjson.loads(one["attributes"].get("controlGroupInput", {}).get("panelsJSON", "{}")).items():
        view = targets.get(f"controlGroup_{key}:optionsListDataView", "")
        field = control["explicitInput"]["fieldName"]
        if views.kinds(view).get(field) not in ("string", "boolean", "number"):
            yield f"cannot offer the values of {field}"


def _places(panels: Sequence[Plain]) -> Iterator[str]:
    for panel in panels:
        grid = panel["gridData"]
        if grid["x"] < 0 or grid["x"] + grid["w"] > GRID or grid["w"] < 1 or grid["h"] < 1 or grid["y"] < 0:
            yield f"panel {grid['i']} leaves the grid of {GRID} columns"
        if grid["i"] != panel["panelIndex"]:
            yield f"panel {panel['panelIndex']} calls itself {grid['i']} on the grid"
    for one, other in combinations((panel["gridData"] for panel in panels), 2):
        apart = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        if not apart and one["y"] < other["y"] + other["h"] and other["y"] < one["y"] + one["h"]:
            yield f"panels {one['i']} and {other['i']} lie on each other"


def _titles(one: Plain, lang: Lang) -> Iterator[str]:
    ours = {text[lang] for text in strings().values()} | {
        f"Vigie · {t[lang]}" for k, t in strings().items() if k[:5] == "view."
    }
    titles = [one["attributes"]["name" if one["type"] == DATA_VIEW else "title"]]
    if one["type"] == "dashboard":
        titles += [panel["embeddableConfig"]["title"] for panel in orjson.loads(one["attributes"]["panelsJSON"])]
    yield from (f"has the title «{title}», which is no text of ours in {lang}" for title in titles if title not in ours)
