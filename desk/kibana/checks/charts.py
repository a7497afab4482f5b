"""Whether a Lens chart can be drawn: its operations, their fields, and that it draws the columns that it has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from desk.kibana.checks.fields import Views, in_query
from desk.kibana.facts import BUCKETS, CHARTS, OPERATIONS, RECORDS, SERIES, SHAPES

Plain = Mapping[str, Any]
_PREFIX = "indexpattern-datasource-layer-"


def faults(chart: Plain, views: Views) -> Iterator[str]:
    """What is wrong with the attributes of a chart."""
    if chart["type"] != "lens" or chart["visualizationType"] not in CHARTS:
        yield f"is drawn as {chart['visualizationType']} (we draw {', '.join(sorted(CHARTS))})"
        return
    state = chart["state"]
    if set(state["datasourceStates"]) != {"formBased"}:
        yield "asks otherwise than by columns"
        return
    targets = {reference["name"]: reference["id"] for reference in chart["references"]}
    layers = state["datasourceStates"]["formBased"]["layers"]
    for key, layer in layers.items():
        kinds = views.kinds(targets.get(_PREFIX + key, ""))
        yield from _layer(layer, kinds)
        if layer.get("ignoreGlobalFilters") and state["query"]["query"]:
            yield "looks past the dashboard's filters, and so past its own query"
        yield from in_query(state["query"], kinds)
    yield from _drawn(chart["visualizationType"], state["visualization"], layers)


def _layer(layer: Plain, kinds: Mapping[str, str]) -> Iterator[str]:
    columns, order = layer["columns"], layer["columnOrder"]
    if set(order) != set(columns) or len(order) != len(columns):
        yield "does not order the columns that it has"
        return
    groups = [columns[key]["isBucketed"] for key in order]
    if groups != sorted(groups, reverse=True):
        yield "counts before it groups"
    for key in order:
        yield from (f"column {key} {fault}" for fault in _column(columns[key], columns, kinds))


def _column(column: Plain, columns: Plain, kinds: Mapping[str, str]) -> Iterator[str]:
    operation, field = column["operationType"], column.get("sourceField")
    if operation not in OPERATIONS:
        yield f"has the operation {operation} (we use {', '.join(sorted(OPERATIONS))})"
        return
    kind = "document" if operation == "filters" or field == RECORDS else kinds.get(field or "")
    if kind is None:
        yield f"uses {field}, which is not there"
    elif kind not in OPERATIONS[operation]:
        yield f"cannot take the {operation} of {field}, a {kind}"
    elif operation in ("terms", "last_value", "date_histogram", "max") and column["dataType"] != kind:
        yield f"says that {field} is a {column['dataType']}, and it is a {kind}"
    if column["isBucketed"] != (operation in BUCKETS):
        yield f"says wrongly whether {operation} groups"
    yield from _params(operation, column["params"], columns, kinds)
    if "filter" in column:
        yield from in_query(column["filter"], kinds)


def _params(operation: str, params: Plain, columns: Plain, kinds: Mapping[str, str]) -> Iterator[str]:
    match operation:
        case "terms":
            by = params["orderBy"]
            if by["type"] == "column" and columns.get(by["columnId"], {"isBucketed": True})["isBucketed"]:
                yield f"is ordered by {by['columnId']}, which counts nothing"
            if not 0 < params["size"] <= 1000:
                yield f"asks for {params['size']} values"
        case "last_value" if kinds.get(params["sortField"]) != "date":
            yield f"takes the newest by {params['sortField']}, which is no date"
        case "percentile" if not 0 < params["percentile"] < 100:
            yield f"asks for the percentile {params['percentile']}"
        case "filters":
            for choice in params["filters"]:
                yield from in_query(choice["input"], kinds)


def _drawn(kind: str, drawn: Plain, layers: Plain) -> Iterator[str]:
    """That each drawing asks for columns of its own layer, groups where groups go and counts where counts go."""
    parts = drawn["layers"] if kind in ("lnsXY", "lnsPie") else [drawn]
    for part in parts:
        columns = layers.get(part["layerId"], {"columns": {}})["columns"]
        for group, key in _asked(kind, part):
            if key not in columns:
                yield f"draws the column {key}, which is not there"
            elif group is not None and columns[key]["isBucketed"] != group:
                yield f"draws {key} as a {'group' if group else 'count'}, which it is not"
        unused = set(columns) - {key for _, key in _asked(kind, part)}
        yield from (f"has the column {key} and does not draw it" for key in sorted(unused))
    if kind == "lnsXY" and any(part["seriesType"] not in SERIES for part in parts):
        yield f"has series that we do not draw (we draw {', '.join(sorted(SERIES))})"
    if kind == "lnsPie" and drawn["shape"] not in SHAPES:
        yield f"has the shape {drawn['shape']}"


def _asked(kind: str, part: Plain) -> Iterator[tuple[bool | None, str]]:
    """The columns that a drawing asks for, each with whether it must be a group (None: either)."""
    match kind:
        case "lnsXY":
            yield from ((True, part[name]) for name in ("xAccessor", "splitAccessor") if name in part)
            yield from ((False, key) for key in part["accessors"])
        case "lnsDatatable":
            yield from ((None, column["columnId"]) for column in part["columns"])
            if "sorting" in part:
                yield None, part["sorting"]["columnId"]
        case "lnsMetric":
            yield False, part["metricAccessor"]
            yield from ((True, part[name]) for name in ("breakdownByAccessor",) if name in part)
        case "lnsPie":
            yield from ((True, key) for key in part["primaryGroups"])
            yield from ((False, key) for key in part["metrics"])
        case "lnsHeatmap":
            yield from ((True, part[name]) for name in ("xAccessor", "yAccessor"))
            yield False, part["valueAccessor"]
