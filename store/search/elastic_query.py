"""A request as what Elasticsearch is asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any

from store.annotations import APART
from store.search.highlights import BEGIN, END
from store.search.request import After, Area, Field, Query, Sort
from store.search.words import Term
from store.text import clean
from store.times import to_micros

Clause = dict[str, Any]

PATHS: Mapping[Field, str] = {
    "source": "source",
    "hazard": "hazard.name",
    "need": "need.name",
    "labels": "labels",
    "lang": "lang",
    "filters": "filters",
    "incident": "incident",
    "place": "place.name",
    "voice": "voice",
    "departement": "departement",
}
_TEXTS = ("text", "text.fr", "text.en")
_LONGEST = 1_000_000
"""Characters of a text that are marked: Elasticsearch's own bound."""


def conditions(query: Query, words: Clause | None, apart: Collection[str] | None) -> Clause:
    """Everything that must hold, without scores but of ``words``.

    ``apart`` are the posts labelled public_order_threat, where they matter: wanted if the query has that tag, else
    unwanted.
    """
    wanted: Clause = {"filter": [*_traits(query), *_times(query)]}
    if words:
        wanted["must"] = [words]
    if query.area:
        wanted["filter"].append(_inside(query.area))
    if apart is not None:
        wanted.setdefault("filter" if query.tag == APART else "must_not", []).append({"ids": {"values": list(apart)}})
    return {"bool": wanted}


def apart(query: Query) -> Clause:
    """Which documents of public order concern the query."""
    least = query.least if query.tag == APART else None
    wanted = [_is("source", query.source), _is("incident", query.incident), _least("score", least)]
    return {"bool": {"filter": [*(one for one in wanted if one), *_times(query)]}}


def of_words(terms: Collection[Term]) -> Clause | None:
    """Every term is in the text: as it stands, or by its French or its English stem. None where nothing is asked."""
    return {"bool": {"must": [_of_term(term) for term in terms]}} if terms else None


def order(sort: Sort) -> list[Clause]:
    """The order, to the last of equals: no two posts share a ``seq``."""
    way = "asc" if sort == "oldest" else "desc"
    by_time: list[Clause] = [{"created_at": way}, {"seq": way}]
    return [{"_score": "desc"}, *by_time] if sort == "relevance" else by_time


def paging(sort: Sort, after: After | None) -> dict[str, Any]:
    """From where on. Times are milliseconds in the index and microseconds everywhere else.

    By relevance a page begins at a place and holds no post that came later: scores change with every post that comes.
    """
    if sort == "relevance":
        # what the page is cut from is counted beside: the filter is applied after that
        counted = {"newest": {"max": {"field": "seq"}}, "total": {"value_count": {"field": "seq"}}}
        past = {"from": after[0], "post_filter": {"range": {"seq": {"lte": after[1]}}}} if after else {}
        return {"aggs": counted, **past}
    return {"search_after": [after[0] // 1000, after[1]]} if after else {}


def ended(sort: Sort, after: After | None, told: Mapping[str, Any], shown: int) -> After:
    """Where a page of ``shown`` posts ended, of which ``told`` is the answer."""
    if sort != "relevance":
        at, seq = told["hits"]["hits"][shown - 1]["sort"]
        return at * 1000, seq
    skipped, newest = after or (0, int(told["aggregations"]["newest"]["value"]))
    return skipped + shown, newest


def marking(words: Clause) -> Clause:
    """The whole text with bounds around what was found, once for each way in which it is read."""
    return {
        "type": "unified",
        "number_of_fragments": 0,
        "max_analyzed_offset": _LONGEST,
        "pre_tags": [BEGIN],
        "post_tags": [END],
        "highlight_query": words,
        "fields": {name: {} for name in _TEXTS},
    }


def _of_term(term: Term) -> Clause:
    """A word as it is or by its stem, a phrase as it is. What the analyzer cuts up, as Chinese, stays together."""
    said = clean(" ".join(term.words))
    if len(term.words) > 1:
        return {"match_phrase": {"text": said}}
    ways: list[Clause] = [{"match_phrase": {name: said}} for name in _TEXTS]
    if term.beginning:
        ways.append({"query_string": {"query": f"{said}*", "fields": ["text"]}})
    return {"dis_max": {"queries": ways}}


def _traits(query: Query) -> list[Clause]:
    wanted = [
        _is("hazard.name", query.hazard),
        _is("incident", query.incident),
        _is("source", query.source),
        _is("filters", query.filter),
        _is("lang", query.lang),
        _least("about", query.about),
        _least("relevance", query.relevance),
    ]
    if query.tag not in (None, APART):
        wanted.append(_is("labels", query.tag) if query.least is None else _least(f"tags.{query.tag}", query.least))
    return [one for one in wanted if one]


def _is(name: str, value: str | None) -> Clause | None:
    return None if value is None else {"term": {name: clean(value)}}


def _least(name: str, least: float | None) -> Clause | None:
    return None if least is None else {"range": {name: {"gte": least}}}


def _times(query: Query) -> list[Clause]:
    bounds = {"gte": _millis(query.since), "lt": _millis(query.until)}
    given = {name: at for name, at in bounds.items() if at is not None}
    return [{"range": {"created_at": {**given, "format": "epoch_millis"}}}] if given else []


def _millis(at: datetime | None) -> int | None:
    return None if at is None else to_micros(at) // 1000


def _inside(area: Area) -> Clause:
    """The polygon, counter-clockwise: a wide one the other way round is taken for one across the date line."""
    ring = [(lon, lat) for lat, lon in area.ring]
    if ring[0] != ring[-1]:
        ring.append(ring[0])
    twice = sum(x * to_y - to_x * y for (x, y), (to_x, to_y) in pairwise(ring))
    corners = [list(corner) for corner in (ring if twice > 0 else ring[::-1])]
    return {"geo_shape": {"position": {"shape": {"type": "polygon", "coordinates": [corners]}}}}
