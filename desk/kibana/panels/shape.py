"""What a Lens visualisation refers to: every column that it names exists, is of the right sort, and is seen.

Follows the states of ``lens/public/visualizations/{xy,datatable,metric,partition,heatmap}``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from desk.kibana.panels.errors import Dangling, Untested

_SPLITS = {"xAccessor", "splitAccessor", "splitAccessors", "breakdownByAccessor", "primaryGroups", "secondaryGroups"}
_NUMBERS = {"accessors", "metricAccessor", "secondaryMetricAccessor", "maxAccessor", "metrics", "valueAccessor"}
_EITHER = {"columnId", "forAccessor", "yAccessor"}
KINDS = ("lnsXY", "lnsDatatable", "lnsMetric", "lnsPie", "lnsHeatmap")


def check(attributes: Mapping[str, Any]) -> None:
    """Raises Dangling where the visualisation names a layer or column that is not there, splits by a number, counts by
    a split, or leaves a column out; Untested for kinds of visualisation that nobody has tried."""
    kind, state = attributes["visualizationType"], attributes["state"]
    if kind not in KINDS:
        raise Untested(f"visualisations of the kind {kind} are not translated")
    layers = state["datasourceStates"]["formBased"]["layers"]
    columns = {id: column for layer in layers.values() for id, column in layer["columns"].items()}
    named = list(_named(state["visualization"]))
    for key, id in named:
        _check_one(key, id, layers, columns)
    parts = {one for column in columns.values() for one in column.get("references", ())}
    shown = {id for key, id in named if key != "layerId"}
    if unseen := [id for id in columns if id not in parts and id not in shown]:
        raise Dangling(f"columns that no one sees: {unseen}")


def _check_one(key: str, id: str, layers: Mapping[str, Any], columns: Mapping[str, Any]) -> None:
    if key == "layerId":
        if id not in layers:
            raise Dangling(f"the visualisation names the layer {id}, which is not there")
        return
    if id not in columns:
        raise Dangling(f"{key} names the column {id}, which is not there")
    if key in _EITHER:
        return
    if bool(columns[id]["isBucketed"]) is not (key in _SPLITS):
        raise Dangling(f"{key} is {columns[id]['label']!r}, which {'is no split' if key in _SPLITS else 'is a split'}")


def _named(state: Any) -> Iterator[tuple[str, str]]:
    """Every layer and column that a state names, with the key that names it."""
    if isinstance(state, list):
        for one in state:
            yield from _named(one)
    if not isinstance(state, dict):
        return
    for key, value in state.items():
        if key in ("collapseFn", "trendlineLayerId") and value:
            raise Untested(f"{key} is not translated")
        if key in _SPLITS | _NUMBERS | _EITHER | {"layerId"}:
            yield from ((key, one) for one in (value if isinstance(value, list) else [value]) if isinstance(one, str))
        else:
            yield from _named(value)
