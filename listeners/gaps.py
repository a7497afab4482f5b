"""Filling holes: what of a hole was not asked for yet, in which order it is asked, and what never can be.

A hole is filled once every query of the filters that were deaf was asked for all of its time, and 10 s on both sides.
Order: filters with an open incident in their areas by its severity, then filters whose topics an open incident has, by
severity and urgency, then the others as they are declared; smaller places come last. A hole that lasts is filled as it
grows, so that a deaf stream does not leave the desk blind.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from listeners import x_queries
from listeners.incoming import Incoming
from listeners.spans import Span, missing, union
from listeners.x_asking import NEWEST, REACH, Ask
from listeners.x_search import XSearch, covered, pace
from store import gaps, incidents, posts, sources, state
from store.database import Database
from store.records import Gap, GapState, Incident

if TYPE_CHECKING:
    from config.bundle import Filter
    from config.world import World

MARGIN = timedelta(seconds=10)
TOGETHER = timedelta(minutes=1)
LASTING = timedelta(seconds=30)
"""What of a hole that lasts is asked at once, at least: each ask is a request."""

SEVERITIES = ("Extreme", "Severe", "Moderate", "Minor", "Unknown")
URGENCIES = ("Immediate", "Expected", "Future", "Unknown", "Past")
NO_SEARCH = "waits: no source of kind x_search is enabled"
TOO_OLD = "what is older than 7 days cannot be searched any more"
NOT_X = "no query can ask for what this source missed"

Keep = Callable[[Iterable[Incoming], Callable[[Connection], None]], int]
"""Keeps posts and calls the mark in the transaction that keeps the last of them; gives how many were new and kept."""


@dataclass(frozen=True, slots=True)
class Need:
    """What one hole still needs: each query with the spans not asked yet; ``asked`` of ``queries`` are done.

    ``never`` says in sentences what no search can give; ``later`` whether some of it is too young to be asked for.
    """

    gap: Gap
    missing: Mapping[x_queries.Query, tuple[Span, ...]]
    queries: int
    never: tuple[str, ...]
    lost: bool
    later: bool

    @property
    def settled(self) -> bool:
        """Whether nothing more will come."""
        return self.gap.ended_at is not None and not self.later and not self.missing


def fill(search: XSearch, names: Collection[str], keep: Keep) -> int:
    """Ask for what the holes of the sources ``names`` lack, and write down what became of them; posts new and kept."""
    with search.db.read() as conn:
        if not _holes(conn, names):
            return 0
    filling = _Filling(search, names)
    kept = 0
    for page in search.asked(filling.asks()):
        kept += keep(page.posts, partial(search.note, page))
    filling.write_down()
    return kept


def fillers(db: Database, world: World) -> dict[str, str]:
    """Source with a hole → the search that fills it: itself, one with the same credential, or the first there is."""
    declared = {one.id: one for one in world.bundle.sources if one.enabled}
    searches = [one for one in declared.values() if one.kind == "x_search"]
    found: dict[str, str] = {}
    with db.read() as conn:
        holes = gaps.in_state(conn, "open", "waiting")
    for name in {gap.source for gap in holes}:
        source = declared.get(name)
        if searches and (source is None or source.kind in ("x_stream", "x_search")):
            alike = [one for one in searches if source and one.secrets == source.secrets]
            found[name] = name if source in searches else (*alike, *searches)[0].id
    return found


def give_up(db: Database, world: World, filled: Collection[str], now: datetime) -> None:
    """Say of the holes that no search fills (those of other sources than ``filled``) why not."""
    kinds = {one.id: one.kind for one in world.bundle.sources if one.enabled}
    with db.write() as conn:
        for gap in gaps.in_state(conn, "open", "waiting"):
            if gap.source in filled:
                continue
            if kinds.get(gap.source, "x_stream") in ("x_stream", "x_search"):
                old = gap.ended_at is not None and gap.ended_at < now - REACH
                told = _settled(gap, "lost", now, TOO_OLD) if old else replace(gap, note=NO_SEARCH)
            else:
                told = _settled(gap, "lost", now, NOT_X) if gap.ended_at else gap
            if told != gap:
                gaps.put(conn, told)


def ranks(filters: Sequence[Filter], active: Sequence[Incident], world: World) -> dict[str, tuple[int, int, int, int]]:
    """Filter → where it comes in the order of this module: the smaller the sooner."""
    held = {one.id: _areas(one, world) for one in active}
    found: dict[str, tuple[int, int, int, int]] = {}
    for order, one in enumerate(filters):
        near = [i for i in active if not held[i.id].isdisjoint(one.areas)]
        alike = [i for i in active if {i.hazard, *i.tags} & set(one.topics)]
        area = min((SEVERITIES.index(i.severity) for i in near), default=len(SEVERITIES))
        topic = min(
            ((SEVERITIES.index(i.severity), URGENCIES.index(i.urgency)) for i in alike),
            default=(len(SEVERITIES), len(URGENCIES)),
        )
        found[one.id] = (area, *topic, order)
    return found


def _areas(incident: Incident, world: World) -> set[str]:
    place = incident.place
    if place is None:
        return set()
    return set(world.areas.holding(place.lat, place.lon, insee=place.insee, departement=place.departement))


class _Filling:
    """One run over the holes of some sources: what each needs is worked out from the store whenever it is asked for."""

    def __init__(self, search: XSearch, names: Collection[str]) -> None:
        self.search, self.world, self.names = search, search.world, names
        self.slowed = search.slowed(search.clock())
        rounds = x_queries.compiled(self.world)[0]
        queries = (*rounds, *x_queries.smaller_places(self.world))
        self.every = pace(len(rounds))
        self.refused = search.refused(search.memory(), search.clock())
        self.queries = [query for query in queries if not set(query.filters) <= self.slowed]

    def asks(self) -> list[Ask]:
        """What is to be asked now, the most urgent first."""
        with self.search.db.read() as conn:
            needs = self._needs(conn)
            rank = ranks(self.world.bundle.filters, incidents.active(conn), self.world)
        wanted: dict[x_queries.Query, list[Span]] = {}
        for need in needs:
            least = max(LASTING, self.every) if need.gap.ended_at is None else timedelta(0)
            for query, spans in need.missing.items():
                wanted.setdefault(query, []).extend(span for span in spans if span.length >= least)
        asks = [
            Ask(query, self._longer(span)) for query, spans in wanted.items() for span in union(spans, within=TOGETHER)
        ]
        return sorted(asks, key=lambda ask: (ask.query.shared, min(rank[name] for name in ask.query.filters), ask.span))

    def _longer(self, span: Span) -> Span:
        """Up to now where the next round would soon ask for it: one request does for both."""
        now = self.search.clock() - NEWEST
        return Span(span.start, now) if now - span.end < self.every else span

    def write_down(self) -> None:
        """What became of each hole, or how far filling it has come."""
        now = self.search.clock()
        with self.search.db.read() as conn:
            told = {need.gap: self._told(conn, need, now) for need in self._needs(conn)}
        with self.search.db.write() as conn:
            for known in _holes(conn, self.names):
                if told.get(known, known) != known:  # one that changed meanwhile is told of by the next run
                    gaps.put(conn, told[known])

    def _told(self, conn: Connection, need: Need, now: datetime) -> Gap:
        gap = replace(need.gap, found=max(need.gap.found, self._brought(conn, need, now)))
        if not need.settled:
            return replace(gap, note="; ".join((*self._progress(conn, need), *need.never)))
        outcome: GapState = "lost" if need.lost else "partly" if need.never else "filled"
        return _settled(gap, outcome, now, "; ".join(need.never))

    def _brought(self, conn: Connection, need: Need, now: datetime) -> int:
        until = (need.gap.ended_at or now) + MARGIN
        return posts.brought(conn, self.search.source, need.gap.started_at - MARGIN, until, need.gap.filters)

    def _progress(self, conn: Connection, need: Need) -> Iterable[str]:
        health = next((one for one in sources.all(conn) if one.source == self.search.source), None)
        if health and health.state != "on" and need.missing:
            yield f"waits for {self.search.source}: {health.reason}"
        elif need.gap.ended_at and need.missing:
            yield f"{need.queries - len(need.missing)} of {need.queries} queries done"

    def _needs(self, conn: Connection) -> list[Need]:
        memory, now = state.get(conn, self.search.stage), self.search.clock()
        return [self._need(gap, memory, now) for gap in _holes(conn, self.names)]

    def _need(self, gap: Gap, memory: Mapping[str, Any], now: datetime) -> Need:
        deaf = set(gap.filters) or {one.id for one in self.world.bundle.filters if one.stream}
        wanted = [query for query in self.queries if not deaf.isdisjoint(query.filters)]
        mine = [query for query in wanted if query.key not in self.refused]
        margin = timedelta(0) if gap.source == self.search.source else MARGIN
        end, oldest = gap.ended_at or now, now - REACH
        whole = Span(gap.started_at - margin, min(end + margin, now - NEWEST))
        left = {query: missing(whole, covered(memory, query.key)) for query in mine}
        within = {query: tuple(_clipped(spans, oldest, now)) for query, spans in left.items()}
        asked = {query: spans for query, spans in within.items() if spans}
        beyond = _clipped((span for spans in left.values() for span in spans), gap.started_at, min(end, oldest))
        never = [*_unasked(deaf, self.world, {name for query in wanted for name in query.filters}, self.slowed)]
        never += [f"X refuses a query of filter {name}" for name in self._names_refused(wanted) if name in deaf]
        if not mine and not never:
            never.append(NOT_X)
        if beyond:
            never.append(TOO_OLD)
        lost = not mine or (not asked and all(spans == [whole] for spans in left.values()))
        return Need(gap, asked, len(mine), tuple(never), lost, end + margin > now - NEWEST)

    def _names_refused(self, queries: Iterable[x_queries.Query]) -> list[str]:
        return sorted({name for query in queries if query.key in self.refused for name in query.filters})


def _holes(conn: Connection, names: Collection[str]) -> list[Gap]:
    return [gap for gap in gaps.in_state(conn, "open", "waiting") if gap.source in names]


def _clipped(spans: Iterable[Span], start: datetime, end: datetime) -> list[Span]:
    """What of the spans lies between, in the fewest spans."""
    return union(Span(max(span.start, start), min(span.end, end)) for span in spans)


def _unasked(deaf: set[str], world: World, asked: set[str], slowed: frozenset[str]) -> Iterable[str]:
    """A sentence for each filter that no query stands for."""
    declared = {one.id: one for one in world.bundle.filters}
    for name in sorted(deaf - asked):
        if name not in declared:
            yield f"filter {name} is no longer declared"
        elif not declared[name].search:
            yield f"filter {name} is not searched (search: false)"
        elif name in slowed:
            yield f"filter {name} is slowed: it had its share of the month's budget"
        else:
            yield f"filter {name} has a term too long for a search"


def _settled(gap: Gap, outcome: GapState, now: datetime, note: str) -> Gap:
    return replace(gap, state=outcome, settled_at=now, note=note)
