"""Columns that are computed from others in the browser: static values, and the arithmetic of a formula.

Follows ``lens/public/datasources/form_based/operations/definitions/{static_value,formula/math,formula/formula}.tsx``
and ``@kbn/tinymath``. A formula is saved with the columns that it was taken apart into.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from desk.kibana.panels.errors import Dangling, Untested

_FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "add": operator.add, "subtract": operator.sub, "multiply": operator.mul, "divide": operator.truediv,
    "round": lambda value, digits=0: round(value, int(digits)), "abs": abs, "min": min, "max": max,
}  # fmt: skip


def computed(row: dict[str, Any], columns: Mapping[str, Any], order: Sequence[str]) -> dict[str, Any]:
    """The row with its computed columns. Dividing by nothing, or counting with nothing, gives None.

    Raises Untested and Dangling.
    """
    waiting = [id for id in order if id not in row]
    done = dict(row)
    while waiting:
        ready = [id for id in waiting if all(one in done for one in columns[id].get("references", ()))]
        if not ready:
            raise Dangling(f"columns that refer to what does not exist: {waiting}")
        done |= {id: _one(columns[id], done) for id in ready}
        waiting = [id for id in waiting if id not in ready]
    return done


def _one(column: Mapping[str, Any], row: Mapping[str, Any]) -> Any:
    kind = column["operationType"]
    if kind == "static_value":
        return float(column["params"]["value"])
    if kind == "formula":
        return row[column["references"][0]]
    if kind == "math":
        return _math(column["params"]["tinymathAst"], row)
    raise Untested(f"the operation {kind} is not translated")


def _math(node: Any, row: Mapping[str, Any]) -> float | None:
    """The value of a tinymath tree."""
    if isinstance(node, (int, float)):
        return float(node)
    if isinstance(node, str) or node.get("type") == "variable":
        name = node if isinstance(node, str) else node["value"]
        value: float | None = row[name]
        return value
    if node["type"] != "function" or node["name"] not in _FUNCTIONS:
        raise Untested(f"{node.get('name', node['type'])} in a formula is not translated")
    values = [_math(one, row) for one in node["args"]]
    if None in values or (node["name"] == "divide" and not values[1]):
        return None
    return _FUNCTIONS[node["name"]](*values)
