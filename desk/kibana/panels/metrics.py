"""The columns of a Lens layer that are numbers or last values.

Follows ``{count,cardinality,metrics,percentile,last_value}.tsx`` in
``lens/public/datasources/form_based/operations/definitions`` and ``data/common/search/aggs/metrics/*.ts``. Percentiles
are asked one by one; Kibana asks those of one field together, which gives the same numbers. They are Elasticsearch's
TDigest: near, not exact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from desk.kibana.panels.errors import Dangling, Untested
from desk.kibana.panels.kql import Dsl
from desk.kibana.panels.scope import Scope, dsl_of
from desk.kibana.panels.views import View

RECORDS = "___records___"
_SIMPLE = {"sum": "sum", "average": "avg", "min": "min", "max": "max"}
_NUMBERS = ("long", "integer", "short", "byte", "double", "float", "half_float", "unsigned_long")


@dataclass(frozen=True, slots=True)
class Metric:
    """One number of a row. ``aggs``: its aggregations; ``read``: its value in a bucket; ``path``: how terms are ordered
    by it, None where they cannot be."""

    id: str
    aggs: Dsl
    read: Callable[[Mapping[str, Any]], Any]
    path: str | None


def metric(name: str, id: str, column: Mapping[str, Any], view: View, scope: Scope) -> Metric:
    """The metric of a column, called ``name`` in the request. Raises Untested and Dangling."""
    for part in ("timeShift", "reducedTimeRange", "timeScale"):
        if column.get(part):
            raise Untested(f"{id}: {part} is not translated")
    if not (chosen := column.get("filter")) or not chosen["query"]:
        return _plain(name, id, column, view)
    inner, outer = _plain(f"{name}-metric", id, column, view), f"{name}-filter"
    wrapped: Dsl = {outer: {"filter": {"bool": {"filter": [dsl_of(view, chosen, scope)]}}}}
    if inner.aggs:
        wrapped[outer]["aggs"] = inner.aggs
    path = outer if inner.path == "_count" else inner.path and f"{outer}>{inner.path}"
    return Metric(id, wrapped, lambda bucket: inner.read(bucket[outer]), path)


def _plain(name: str, id: str, column: Mapping[str, Any], view: View) -> Metric:
    kind, field = column["operationType"], column.get("sourceField")
    params = column.get("params") or {}
    if kind == "count" and field == RECORDS:
        return Metric(id, {}, lambda bucket: _nulled(bucket["doc_count"], params), "_count")
    if kind == "last_value":
        return _last(name, id, column, view)
    numeric = _number(id, kind, field, view)
    if kind == "count":
        return _value(name, id, {"value_count": {"field": numeric}}, params)
    if kind == "unique_count":
        return _value(name, id, {"cardinality": {"field": numeric}}, params)
    if kind in _SIMPLE:
        return _value(name, id, {_SIMPLE[kind]: {"field": numeric}}, params if kind == "sum" else {})
    if kind in ("median", "percentile"):
        return _percentile(name, id, numeric, 50 if kind == "median" else params["percentile"])
    raise Untested(f"{id}: the operation {kind} is not translated")


def _number(id: str, kind: str, name: str | None, view: View) -> str:
    """The field of a column, of a type that the operation takes."""
    field = view.field(name or "")
    dated = kind in ("min", "max") and field.es_type == "date"
    if not field.aggregatable or (
        kind not in ("count", "unique_count") and field.es_type not in _NUMBERS and not dated
    ):
        raise Dangling(f"{id}: no {kind} of {field.name}, which is {field.es_type}")
    return field.name


def _value(name: str, id: str, body: Dsl, params: Mapping[str, Any]) -> Metric:
    return Metric(id, {name: body}, lambda bucket: _nulled(bucket[name]["value"], params), name)


def _percentile(name: str, id: str, field: str, percent: float) -> Metric:
    body = {"percentiles": {"field": field, "percents": [percent]}}
    return Metric(
        id, {name: body}, lambda bucket: bucket[name]["values"][f"{float(percent)}"],
        f"{name}.{percent:g}" if percent == int(percent) else None,
    )  # fmt: skip


def _last(name: str, id: str, column: Mapping[str, Any], view: View) -> Metric:
    """``top_hit.ts``; without "show array values" Kibana asks ``top_metrics``, which is not tried here."""
    params, field = column["params"], view.field(column["sourceField"])
    if not params.get("showArrayValues"):
        raise Untested(f"{id}: a last value is shown with all its values (showArrayValues)")
    if view.field(params["sortField"]).es_type != "date":
        raise Dangling(f"{id}: {params['sortField']} is no date to sort by")
    asked: Dsl = {"field": field.name, **({"format": "date_time"} if field.es_type == "date" else {})}
    body = {"fields": [asked], "_source": False, "size": 1, "sort": [{params["sortField"]: {"order": "desc"}}]}

    def read(bucket: Mapping[str, Any]) -> Any:
        hits = bucket[name]["hits"]["hits"]
        values = hits[0].get("fields", {}).get(field.name) if hits else None
        return values[0] if values and len(values) == 1 else values

    return Metric(id, {name: {"top_hits": body}}, read, None)


def _nulled(value: Any, params: Mapping[str, Any]) -> Any:
    """``emptyAsNull``: nothing is shown for none."""
    return None if params.get("emptyAsNull") and value == 0 else value
