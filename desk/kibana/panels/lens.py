"""A Lens visualisation: the request that each of its layers sends, and the rows that it shows.

Follows ``lens/public/datasources/form_based/to_expression.ts``, ``data/common/search/aggs/agg_configs.ts`` (``toDsl``),
``data/common/search/tabify/*.ts`` and ``aggs/buckets/_terms_other_bucket_helper.ts``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from desk.kibana.panels.buckets import MISSING, OTHER, Asked, Bucket, bucket
from desk.kibana.panels.errors import Dangling, Untested
from desk.kibana.panels.formulas import computed
from desk.kibana.panels.kql import Dsl
from desk.kibana.panels.metrics import Metric, metric
from desk.kibana.panels.scope import Scope, query_of
from desk.kibana.panels.views import View

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

REFERRING = ("formula", "math", "static_value")


@dataclass(frozen=True, slots=True)
class Table:
    """What one layer shows: rows of column id to value, as Kibana has them before it formats them.

    ``keys``: the columns that name a row. ``labels``: the name of each column. ``request`` is what was sent, ``index``
    where to. Times are milliseconds since 1970.
    """

    index: str
    request: Dsl
    keys: tuple[str, ...]
    labels: Mapping[str, str]
    rows: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer, read: its splitting columns, from the outside in, and its numbers."""

    columns: Mapping[str, Any]
    order: tuple[str, ...]
    buckets: tuple[Bucket, ...]
    metrics: tuple[Metric, ...]


def show(client: Elasticsearch, layer: Mapping[str, Any], view: View, scope: Scope) -> Table:
    """Ask what a form-based layer asks, and give the rows. Raises PanelError, and what the client raises."""
    read = read_layer(layer, view, scope)
    times = [
        one["sourceField"] for one in read.columns.values()
        if one["operationType"] == "date_histogram" and not one.get("params", {}).get("ignoreTimeRange")
    ]  # fmt: skip
    body: Dsl = {"size": 0, "track_total_hits": True, "query": query_of(view, scope, times), "aggs": _aggs(read)}
    answer = client.search(index=view.title, body=body).body
    found = {**answer.get("aggregations", {}), "doc_count": answer["hits"]["total"]["value"]}
    for depth, one in enumerate(read.buckets):
        if one.other:
            _add_other(client, view, body, read, depth, found)
    labels = {id: read.columns[id]["label"] for id in read.order}
    rows = [computed(row, read.columns, read.order) for row in _rows(read, found, scope, 0)]
    return Table(view.title, body, tuple(one.id for one in read.buckets), labels, rows)


def read_layer(layer: Mapping[str, Any], view: View, scope: Scope) -> Layer:
    """The columns of a layer, in the order of the request. Raises Untested and Dangling."""
    columns, order = layer["columns"], list(layer["columnOrder"])
    if set(order) != set(columns):
        raise Dangling(f"columnOrder {order} does not name the columns {list(columns)}")
    if layer.get("sampling", 1) != 1:
        raise Untested("a sampled layer is not translated")
    asked = [id for id in order if columns[id]["operationType"] not in REFERRING]
    split = [id for id in asked if columns[id]["isBucketed"]]
    if asked[: len(split)] != split:
        raise Dangling(f"the columns that split come first, from the outside in: {order}")
    on = Asked(columns, asked, view, scope)
    return Layer(
        columns,
        tuple(order),
        tuple(bucket(place, id, on) for place, id in enumerate(split)),
        tuple(
            metric(str(place), id, columns[id], view, scope) for place, id in enumerate(asked) if id not in split
        ),
    )  # fmt: skip


def _aggs(layer: Layer) -> Dsl:
    """Each bucket inside the one before it, the numbers inside the last."""
    inner: Dsl = {}
    for number in layer.metrics:
        inner |= number.aggs
    for one in reversed(layer.buckets):
        inner = {one.name: {**one.body, "aggs": {**one.under, **inner}}}
    return inner


def _rows(layer: Layer, found: Mapping[str, Any], scope: Scope, depth: int) -> Iterator[dict[str, Any]]:
    """``tabify``: a row for each innermost bucket; an outer bucket without an inner one has none."""
    if depth == len(layer.buckets):
        yield {one.id: one.read(found) for one in layer.metrics}
        return
    one = layer.buckets[depth]
    for key, inside in listed(one, found[one.name]["buckets"], scope):
        for row in _rows(layer, inside, scope, depth + 1):
            yield {one.id: one.key(key), **row}


def listed(one: Bucket, buckets: Any, scope: Scope) -> list[tuple[Any, Mapping[str, Any]]]:
    """The buckets of an answer as key and content, in the order in which Kibana shows them."""
    if isinstance(buckets, dict):
        return [(label, buckets[label]) for label in one.labels]
    pairs = [(each["key"], each) for each in buckets]
    if one.partials or len(pairs) <= 1:
        return pairs
    start, end = scope.start.timestamp() * 1000, scope.end.timestamp() * 1000
    return [(key, each) for key, each in pairs if key >= start and key + one.length_ms <= end]


def _add_other(
    client: Elasticsearch, view: View, body: Dsl, layer: Layer, depth: int, found: Mapping[str, Any]
) -> None:
    """Ask for what the terms at ``depth`` left out, and add it as one bucket to each list of them."""
    one, places = layer.buckets[depth], list(_places(layer, depth, found, []))
    if not any(lists.get("sum_other_doc_count", 0) for lists, _ in places):
        return
    inner = body["aggs"]
    for outer in layer.buckets[: depth + 1]:
        inner = inner[outer.name]["aggs"]
    named = {str(number): _left_out(one, lists, above) for number, (lists, above) in enumerate(places)}
    asked = {**body, "aggs": {"other-filter": {"filters": {"filters": named}, "aggs": inner}}}
    answer = client.search(index=view.title, body=asked).body["aggregations"]["other-filter"]["buckets"]
    for number, (lists, _) in enumerate(places):
        if answer[str(number)]["doc_count"]:
            lists["buckets"].append({**answer[str(number)], "key": OTHER, "filter": named[str(number)]})


def _places(layer: Layer, depth: int, found: Any, above: list[Dsl]) -> Iterator[tuple[Any, list[Dsl]]]:
    """Every list of buckets at ``depth``, with the queries of the buckets that it lies in."""
    one = layer.buckets[0]
    if depth == 0:
        yield found[one.name], above
        return
    buckets = found[one.name]["buckets"]
    pairs: Sequence[tuple[Any, Any]] = (
        list(buckets.items()) if isinstance(buckets, dict) else [(each["key"], each) for each in buckets]
    )
    deeper = Layer(layer.columns, layer.order, layer.buckets[1:], layer.metrics)
    for key, inside in pairs:
        stands_for = inside["filter"] if key == OTHER else one.filter(key)
        yield from _places(deeper, depth - 1, inside, [*above, stands_for])


def _left_out(one: Bucket, lists: Mapping[str, Any], above: Sequence[Dsl]) -> Dsl:
    """``buildOtherBucketAgg``: what has the field, and none of the values that have a bucket of their own."""
    keys = [each["key"] for each in lists["buckets"] if each["key"] not in (OTHER, MISSING)]
    has: Dsl = {"exists": {"field": one.other}}
    return {"bool": {"filter": [*above, has], "must_not": [one.filter(key) for key in keys]}}
