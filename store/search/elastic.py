"""The engine in the cluster: the posts as the feeder put them there, seconds behind the database."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from store.annotations import APART
from store.index.cluster import Cluster, connect
from store.index.families import POSTS, PUBLIC_ORDER
from store.index.reasons import FAULTS, reason
from store.search import elastic_query as asking
from store.search.highlights import marks
from store.search.request import (
    STEPS,
    TILES,
    After,
    Away,
    Count,
    Field,
    Found,
    Page,
    Query,
    Sort,
    Step,
    Tile,
    Unfit,
    check,
)
from store.search.words import Term, terms
from store.times import from_micros, to_iso

NAME = "elasticsearch"
TIMEOUT_S = 3.0
"""Who searches sits before a screen; the database answers where the cluster does not."""
MOST_APART = 10_000
DEEPEST = 10_000
"""Posts up to which Elasticsearch pages by place."""
EXACT = 20_000
"""Values and tiles that each index counts before they are added up: below it the sums are exact."""
_MILLIS: Mapping[Step, int] = {"minute": 60_000, "hour": 3_600_000, "day": 86_400_000}
_TOO_MANY, _MISSING = "too_many_buckets_exception", "index_not_found_exception"
_EMPTY = "the posts are not there: an index that was never fed, or lost, is filled by `vigie watch` or a rebuild"


class Elastic:
    """Answers from the aliases of :mod:`store.index.families`; safe between threads; close it.

    ``behind`` counts the changes that the index does not hold yet. No request is asked twice, and none is answered in
    part: where a shard is away or late the whole of it is :class:`Away`.
    """

    def __init__(
        self, cluster: Cluster, *, behind: Callable[[], int] = lambda: 0, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._client = connect(cluster, timeout_s=timeout_s)
        self._posts, self._public_order = POSTS.alias(cluster.prefix), PUBLIC_ORDER.alias(cluster.prefix)
        self._behind, self._timeout_s = behind, timeout_s

    @property
    def name(self) -> str:
        """``elasticsearch``."""
        return NAME

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def search(self, query: Query, *, sort: Sort = "newest", limit: int = 50, after: After | None = None) -> Page:
        """One page. By time the order is total and what it is made of never changes, so that pages need no point in
        time: posts that come meanwhile stand before the first of the newest. Raises Away, ValueError."""
        wanted = terms(query.words)
        sort = sort if sort != "relevance" or wanted else "newest"
        check(sort=sort, limit=limit, after=after)
        if _nothing(query, wanted):
            return Page((), 0, None, NAME, self._behind())
        words = asking.of_words(wanted)
        more = asking.paging(sort, after)
        if more.get("from", 0) + limit >= DEEPEST:
            raise Unfit(f"by relevance it gives the first {DEEPEST} posts: narrow the search, or order by time")
        if words:
            more["highlight"] = asking.marking(words)
        if sort == "relevance":  # scores differ a little between the copies of a shard, and between shards
            more |= {"search_type": "dfs_query_then_fetch", "preference": f"words{zlib.crc32(repr(wanted).encode())}"}
        told = self._ask(
            query, words, sort=asking.order(sort), size=limit + 1, track_total_hits=True,
            source=["text"] if words else False, **more,
        )  # fmt: skip
        hits = told["hits"]["hits"]
        end = asking.ended(sort, after, told, limit) if len(hits) > limit else None
        found = tuple(_found(hit, sort) for hit in hits[:limit])
        return Page(found, _total(told), end, NAME, self._behind())

    def histogram(self, query: Query, step: Step) -> list[Count]:
        """Posts by ``created_at``, in steps of UTC. Raises Away, ValueError above :data:`STEPS`."""
        check(step=step)
        length = _MILLIS[step]
        times = {"field": "created_at", "fixed_interval": f"{length}ms", "min_doc_count": 1}
        counted = {one["key"]: one["doc_count"] for one in self._counts(query, {"date_histogram": times})}
        if not counted:
            return []
        steps = range(min(counted), max(counted) + 1, length)
        if len(steps) > STEPS:
            raise ValueError(f"{len(steps)} steps of a {step} are more than {STEPS}: take a longer one")
        return [Count(to_iso(from_micros(at * 1000)), counted.get(at, 0)) for at in steps]

    def top(self, query: Query, field: Field, limit: int = 10) -> list[Count]:
        """The values that most posts have, equals by value. Raises Away, ValueError."""
        check(field=field, limit=limit)
        order = [{"_count": "desc"}, {"_key": "asc"}]
        values = {"field": asking.PATHS[field], "size": limit, "shard_size": EXACT, "order": order}
        return [Count(one["key"], one["doc_count"]) for one in self._counts(query, {"terms": values})]

    def tiles(self, query: Query, zoom: int) -> list[Tile]:
        """The tiles that hold posts, those with most first; positions to a ten-millionth of a degree, as the index
        keeps them. Raises Away, ValueError."""
        check(zoom=zoom)
        grid = {"field": "position", "precision": zoom, "size": TILES, "shard_size": EXACT}
        centre = {"centre": {"geo_centroid": {"field": "position"}}}
        found = [_tile(one) for one in self._counts(query, {"geotile_grid": grid, "aggs": centre})]
        return sorted(found, key=lambda tile: (-tile.posts, tile.key))

    def _counts(self, query: Query, counted: Mapping[str, Any]) -> list[dict[str, Any]]:
        wanted = terms(query.words)
        if _nothing(query, wanted):
            return []
        told = self._ask(query, asking.of_words(wanted), size=0, aggs={"counted": counted}, track_total_hits=False)
        buckets: list[dict[str, Any]] = told["aggregations"]["counted"]["buckets"]
        return buckets

    def _ask(self, query: Query, words: asking.Clause | None, **more: Any) -> Mapping[str, Any]:
        try:
            apart = self._apart(query)
            return self._answer(self._posts, query=asking.conditions(query, words, apart), **more)
        except FAULTS as error:
            said = str(getattr(error, "body", ""))
            if _TOO_MANY in said:
                raise ValueError("that is more than can be counted at once: take longer steps or less time") from error
            if getattr(error, "status_code", None) == 400:
                raise Unfit(reason(error)) from error
            raise Away(_EMPTY if _MISSING in said else reason(error)) from error

    def _apart(self, query: Query) -> list[str] | None:
        """The posts labelled public_order_threat, where the query asks for them or must not show them."""
        if query.cleared and query.tag != APART:
            return None
        told = self._answer(
            self._public_order, query=asking.apart(query), size=MOST_APART, source=False, track_total_hits=True,
            ignore_unavailable=True,
        )  # fmt: skip
        if told["hits"]["total"]["value"] > MOST_APART:
            raise Unfit(f"more than {MOST_APART} posts bear {APART}: only the database can tell them apart")
        return [hit["_id"] for hit in told["hits"]["hits"]]

    def _answer(self, alias: str, **asked: Any) -> Mapping[str, Any]:
        told: Mapping[str, Any] = self._client.search(
            index=alias, allow_partial_search_results=False, timeout=f"{int(self._timeout_s * 1000)}ms", **asked
        ).body
        if told["timed_out"]:
            raise Away("it did not answer in time: look at its load")
        return told


def _nothing(query: Query, wanted: Iterable[Term]) -> bool:
    """Whether something was typed that holds no word."""
    return bool(query.words.strip()) and not wanted


def _total(told: Mapping[str, Any]) -> int:
    counted = told.get("aggregations", {}).get("total", told["hits"]["total"])
    return int(counted["value"])


def _found(hit: Mapping[str, Any], sort: Sort) -> Found:
    text, copies = hit.get("_source", {}).get("text", ""), hit.get("highlight", {}).values()
    score = hit["_score"] if sort == "relevance" else None
    return Found(hit["_id"], marks(text, (one[0] for one in copies)), score)


def _tile(bucket: Mapping[str, Any]) -> Tile:
    centre = bucket["centre"]["location"]
    return Tile(bucket["key"], bucket["doc_count"], centre["lat"], centre["lon"])
