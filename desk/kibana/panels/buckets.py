"""The columns that split a Lens layer into rows: terms, date_histogram, filters, range.

Follows ``{terms/index,date_histogram,filters,ranges}.tsx`` in
``lens/public/datasources/form_based/operations/definitions`` and
``data/common/search/aggs/buckets/{terms,_terms_order_helper,date_histogram,filters,range}.ts``. Refused, because the
engine of the tests has them not or nobody needed them: several fields at once, rare and significant terms, histograms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from desk.kibana.panels.errors import Dangling, Untested
from desk.kibana.panels.intervals import duration, interval
from desk.kibana.panels.kql import Dsl
from desk.kibana.panels.metrics import Metric, metric
from desk.kibana.panels.scope import Scope, dsl_of
from desk.kibana.panels.views import View

OTHER, MISSING = "__other__", "__missing__"
_PLAIN = 10


@dataclass(frozen=True, slots=True)
class Asked:
    """What a column is read with: the columns beside it, the order of those that are asked for, the view, the scope."""

    columns: Mapping[str, Any]
    order: Sequence[str]
    view: View
    scope: Scope


@dataclass(frozen=True, slots=True)
class Bucket:
    """One splitting column. ``body``: its aggregation; ``under``: what its order needs inside of it.

    ``key`` gives what a row shows for a bucket, ``filter`` the query that a bucket stands for, ``label`` the names of
    named buckets in their order. ``other``: the field whose remaining values are one more bucket.
    """

    id: str
    name: str
    body: Dsl
    under: Dsl
    key: Callable[[Any], Any]
    filter: Callable[[Any], Dsl]
    labels: tuple[str, ...] = ()
    other: str | None = None
    partials: bool = True
    length_ms: int = 0


def bucket(place: int, id: str, on: Asked) -> Bucket:
    """The bucket of the column ``id``, at ``place`` in the request. Raises Untested and Dangling."""
    makers = {"terms": _terms, "date_histogram": _dates, "filters": _filters, "range": _ranges}
    kind = on.columns[id]["operationType"]
    if kind not in makers:
        raise Untested(f"rows split by {kind} are not translated")
    return makers[kind](place, id, on)


def _terms(place: int, id: str, on: Asked) -> Bucket:
    column, params = on.columns[id], on.columns[id]["params"]
    field = on.view.field(column["sourceField"])
    if params.get("secondaryFields") or params["orderBy"]["type"] not in ("column", "alphabetical", "custom"):
        raise Untested(f"{id}: terms of several fields, rare or significant terms are not translated")
    if not field.aggregatable:
        raise Dangling(f"{id}: {field.name} cannot be split by")
    ordered, under = _ordered(place, params, on)
    body: Dsl = {"field": field.name, "size": params["size"], "order": ordered}
    if params.get("accuracyMode"):
        body["shard_size"] = max(1000, int(params["size"] * 1.5 + 10))
    elif params["size"] <= _PLAIN:
        body["shard_size"] = 25
    for name in ("include", "exclude"):
        if chosen := params.get(name):
            body[name] = "|".join(chosen) if params.get(f"{name}IsRegex") else chosen
    other = bool(params.get("otherBucket"))
    if params.get("missingBucket") and not other:
        raise Dangling(f"{id}: Kibana shows what has no {field.name} only beside the other values (otherBucket)")
    if other and params.get("missingBucket") and field.es_type == "keyword":
        body["missing"] = MISSING
    return Bucket(
        id, str(place), {"terms": body}, under,
        key=lambda key: bool(key) if field.es_type == "boolean" and isinstance(key, int) else key,
        filter=lambda key: _phrase(field.name, key),
        other=field.name if other else None,
    )  # fmt: skip


def _ordered(place: int, params: Mapping[str, Any], on: Asked) -> tuple[Dsl, Dsl]:
    """The order of the terms, and the aggregations that it names (``_terms_order_helper.ts``)."""
    by, direction = params["orderBy"], params["orderDirection"]
    if by["type"] == "alphabetical":
        return {"_key": direction}, {}
    if by["type"] == "custom":
        chosen: Metric = metric(f"{place}-orderAgg", "", params["orderAgg"], on.view, on.scope)
    elif (id := by["columnId"]) in on.order:
        chosen = metric(str(on.order.index(id)), id, on.columns[id], on.view, on.scope)
    else:
        raise Dangling(f"the terms are ordered by {by['columnId']}, which is no column")
    if chosen.path is None:
        raise Untested("the terms are ordered by what Elasticsearch cannot order by")
    return {chosen.path: direction}, chosen.aggs


def _phrase(field: str, key: Any) -> Dsl:
    """``buildPhraseFilter``."""
    if key == MISSING:
        return {"bool": {"must_not": {"exists": {"field": field}}}}
    return {"match_phrase": {field: key}}


def _dates(place: int, id: str, on: Asked) -> Bucket:
    column, params = on.columns[id], on.columns[id].get("params", {})
    field = on.view.field(column["sourceField"])
    if field.es_type != "date":
        raise Dangling(f"{id}: {field.name} is no date")
    asked, bound = params.get("interval", "auto"), field.name == on.view.time_field
    span = on.scope.end - on.scope.start if bound or asked == "auto" else None
    long = interval(asked, span)
    body: Dsl = {"field": field.name, "time_zone": on.scope.zone, **long, "min_doc_count": 1}
    if params.get("includeEmptyRows"):
        body["min_doc_count"] = 0
        if span:
            body["extended_bounds"] = {"min": _ms(on.scope.start), "max": _ms(on.scope.end)}
    length = int(duration(next(iter(long.values()))).total_seconds() * 1000)
    return Bucket(
        id, str(place), {"date_histogram": body}, {}, key=lambda key: key,
        filter=lambda key: {"range": {field.name: {"gte": key, "lt": key + length, "format": "epoch_millis"}}},
        partials=not (params.get("dropPartials") and (bound or not params.get("ignoreTimeRange"))), length_ms=length,
    )  # fmt: skip


def _filters(place: int, id: str, on: Asked) -> Bucket:
    named = {
        one.get("label") or one["input"]["query"] or "*": _whole(dsl_of(on.view, one["input"], on.scope))
        for one in on.columns[id]["params"]["filters"]
    }
    return Bucket(
        id, str(place), {"filters": {"filters": named}}, {}, key=lambda key: key, filter=lambda key: named[key],
        labels=tuple(named),
    )  # fmt: skip


def _ranges(place: int, id: str, on: Asked) -> Bucket:
    column, params = on.columns[id], on.columns[id]["params"]
    field = on.view.field(column["sourceField"])
    if params.get("type") != "range":
        raise Untested(f"{id}: histograms of numbers are not translated")
    named: dict[str, Dsl] = {}
    for one in params["ranges"]:
        bounds = {side: one[side] for side in ("from", "to") if one.get(side) is not None}
        named[one.get("label") or f"{bounds.get('from', '*')}-{bounds.get('to', '*')}"] = bounds
    body = {"field": field.name, "keyed": True, "ranges": [{"key": name, **of} for name, of in named.items()]}
    names = {"from": "gte", "to": "lt"}
    return Bucket(
        id, str(place), {"range": body}, {}, key=lambda key: key, labels=tuple(named),
        filter=lambda key: {"range": {field.name: {names[side]: value for side, value in named[key].items()}}},
    )  # fmt: skip


def _whole(dsl: Dsl) -> Dsl:
    """``buildEsQuery`` of one query."""
    return {"bool": {"filter": [] if dsl == {"match_all": {}} else [dsl]}}


def _ms(at: Any) -> int:
    return int(at.timestamp() * 1000)
