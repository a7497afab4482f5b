"""What a panel is looked at with: the dashboard's time, query and filters; and the query that comes of it all.

Follows ``kbn-es-query/src/es_query/{build_es_query,from_filters}.ts`` and
``data/common/query/timefilter/get_time.ts``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from desk.kibana.panels import kql
from desk.kibana.panels.errors import Untested
from desk.kibana.panels.kql import Dsl
from desk.kibana.panels.views import View
from store.times import from_iso

_MATH = re.compile(r"now(?:([+-])(\d+)([smhdw]))?(?:/([smhd]))?")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_ROUND = ("microsecond", "second", "minute", "hour")


@dataclass(frozen=True, slots=True)
class Scope:
    """``start`` and ``end``: the time asked for, aware. ``zone``: the reader's, by which days and hours are cut."""

    start: datetime
    end: datetime
    zone: str = "Europe/Paris"
    queries: tuple[Mapping[str, Any], ...] = ()
    filters: tuple[Mapping[str, Any], ...] = ()

    def also(self, query: Mapping[str, Any] | None, filters: Iterable[Mapping[str, Any]] | None) -> Scope:
        """The same with a query and filters of the panel's own, which are added to the dashboard's."""
        more = (query,) if query else ()
        return replace(self, queries=(*self.queries, *more), filters=(*self.filters, *(filters or ())))

    def within(self, time_range: Mapping[str, str] | None, now: datetime) -> Scope:
        """The same with a time of the panel's own, such as ``{"from": "now-7d", "to": "now"}``."""
        if not time_range:
            return self
        return replace(self, start=moment(time_range["from"], now), end=moment(time_range["to"], now, up=True))


def moment(text: str, now: datetime, *, up: bool = False) -> datetime:
    """A time as Kibana writes it: ISO 8601, ``now``, ``now-24h``, ``now/d``; ``up`` rounds to the unit's end (UTC).

    Raises Untested.
    """
    if not text.startswith("now"):
        return from_iso(text)
    found = _MATH.fullmatch(text)
    if not found:
        raise Untested(f"the time {text} is not translated")
    sign, number, unit, rounded = found.groups()
    at = now + timedelta(**{_UNITS[unit]: int(number)}) * (1 if sign == "+" else -1) if unit else now
    if not rounded:
        return at
    floor = at.replace(**dict.fromkeys(_ROUND[: "smhd".index(rounded) + 1], 0))  # type: ignore[arg-type]
    return floor + timedelta(**{_UNITS[rounded]: 1}) - timedelta(milliseconds=1) if up else floor


def query_of(view: View, scope: Scope, time_fields: Sequence[str] | None = None) -> Dsl:
    """The query of a request: every KQL expression and filter, and the time of ``time_fields`` (the view's if None).

    Raises PanelError.
    """
    times = [time_range(name, scope) for name in _times(view, time_fields)]
    asked = [dsl_of(view, query, scope) for query in scope.queries]
    active = [one for one in scope.filters if not one["meta"].get("disabled")]
    return {
        "bool": {
            "filter": [*(one for one in asked if one != {"match_all": {}}), *_filters(view, active, False), *times],
            "must_not": _filters(view, active, True),
        }
    }


def dsl_of(view: View, query: Mapping[str, Any], scope: Scope) -> Dsl:
    """One saved query, ``{"query": …, "language": "kuery"}``. Raises Untested for another language."""
    if not query["query"]:
        return {"match_all": {}}
    if query["language"] != "kuery":
        raise Untested(f"queries are in KQL: {query['query']} is {query['language']}")
    return kql.to_dsl(query["query"], view.fields, scope.zone)


def time_range(field: str, scope: Scope) -> Dsl:
    """``getTime``: both ends belong to it, to the millisecond."""
    bounds = {"gte": iso(scope.start), "lte": iso(scope.end), "format": "strict_date_optional_time"}
    return {"range": {field: bounds}}


def iso(at: datetime) -> str:
    """A time as JavaScript's ``toISOString`` writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _times(view: View, chosen: Sequence[str] | None) -> Sequence[str]:
    if chosen:
        return chosen
    return [view.time_field] if view.time_field else []


def _filters(view: View, filters: Iterable[Mapping[str, Any]], negated: bool) -> list[Dsl]:
    """``from_filters.ts``: a filter is the query that it holds."""
    chosen = [one for one in filters if bool(one["meta"].get("negate")) is negated]
    for one in chosen:
        if not one.get("query"):
            raise Untested(f"a filter without a query: {one['meta']}")
        if (key := one["meta"].get("key")) and "," not in key and one["meta"].get("type") != "custom":
            view.field(key)
    return [dict(one["query"]) for one in chosen]
