"""What the database says that each panel should show, counted without the index, by the name of the panel's title.

A panel's rows are given as figures: the values of its splitting columns → the name of each number → the number. Rows of
nothing but zeros are left out. Percentiles are a range: Elasticsearch's are near, and lie between two of the values.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import asinh, ceil, floor, pi, radians, tan
from statistics import fmean
from typing import Any
from zoneinfo import ZoneInfo

from desk.kibana.panels.facts import Decided, Delivered, Facts, Known, Read
from desk.kibana.panels.intervals import duration, interval
from desk.kibana.panels.scope import iso
from desk.kibana.say import Say

Key = tuple[Hashable, ...]
Figures = dict[Key, dict[str, Any]]
UNREAL = ("Exercise", "Test")
ZOOM = 7  # of a map that opens on its data: level 5, and 2 finer for a coarse grid


@dataclass(frozen=True, slots=True)
class Near:
    """A number that is right when it lies between two others."""

    low: float
    high: float


def percentile(values: Sequence[float], percent: float) -> Near | None:
    """Between which of the values a percentile lies, one more on each side; None of nothing.

    TDigest interpolates between its centroids, each of which is one value as long as there are few.
    """
    if not values:
        return None
    ranked, place = sorted(values), percent / 100 * (len(values) - 1)
    return Near(ranked[max(0, floor(place) - 1)], ranked[min(len(ranked) - 1, ceil(place) + 1)])


def top(counts: Mapping[Any, float], size: int) -> list[Any]:
    """The keys with the highest numbers; among equals those that come first."""
    return sorted(counts, key=lambda key: (-counts[key], key))[:size]


def _number(many: Iterable[Any]) -> Figures:
    return {(): {"value": sum(1 for _ in many)}}


def _live(facts: Facts) -> list[Known]:
    return [one for one in facts.incidents if one.state != "closed"]


def _to_take(facts: Facts) -> list[Known]:
    return [one for one in _live(facts) if not one.acknowledged_by and one.alerts]


def _bar(facts: Facts, asked: str) -> Callable[[Any], int]:
    """When the bar begins in which a time lies, in milliseconds since 1970: whole lengths of the reader's own clock."""
    told, zone = interval(asked, facts.scope.end - facts.scope.start), ZoneInfo(facts.scope.zone)
    if (unit := told.get("calendar_interval", "")[-1:]) in _FIRSTS:
        return lambda at: _calendar(at.astimezone(zone), unit)
    length = int(duration(next(iter(told.values()))).total_seconds() * 1000)

    def begins(at: Any) -> int:
        ahead = int(at.astimezone(zone).utcoffset().total_seconds() * 1000)
        return (int(at.timestamp() * 1000) + ahead) // length * length - ahead

    return begins


def _calendar(local: datetime, unit: str) -> int:
    """When the day, week, month or year begins on the reader's calendar, in milliseconds since 1970."""
    first = _FIRSTS[unit](local).replace(hour=0, minute=0, second=0, microsecond=0)
    return int(first.timestamp() * 1000)


_FIRSTS: Mapping[str, Callable[[datetime], datetime]] = {
    "d": lambda local: local,
    "w": lambda local: local - timedelta(days=local.weekday()),
    "M": lambda local: local.replace(day=1),
    "y": lambda local: local.replace(month=1, day=1),
}


def _tags(posts: Sequence[Read], facts: Facts) -> Figures:
    shown, bar = top(Counter(label for one in posts for label in one.labels), 5), _bar(facts, "auto")
    pairs = Counter((label, bar(one.created_at)) for one in posts for label in one.labels if label in shown)
    return {pair: {"posts": number} for pair, number in pairs.items()}


def _heat(posts: Sequence[Read]) -> Figures:
    spots = [one.position for one in posts if one.position and "emerging_incident" in one.labels]
    return {(tile,): {"count": number} for tile, number in Counter(_tile(*spot) for spot in spots).items()}


def _tile(lat: float, lon: float) -> str:
    """The map tile of a position, as every web map cuts the world."""
    many = 2**ZOOM
    x, y = floor((lon + 180) / 360 * many), floor((1 - asinh(tan(radians(lat))) / pi) / 2 * many)
    return f"{ZOOM}/{x}/{y}"


def _ms(at: datetime | None) -> int | None:
    return int(at.timestamp() * 1000) if at else None


def _title(one: Known, say: Say) -> str:
    """As the desk's page calls an incident of that nature, and where it is."""
    words = say.hazards()[one.hazard] if one.hazard else "Incident"
    return f"{words} – {one.place}" if one.place else words


def _spots(known: Iterable[Known], say: Say) -> Figures:
    return {
        (one.id,): {
            "posts": one.posts, "severity": one.severity, "lead": one.lead, "acknowledged": one.acknowledged,
            "id": one.id, f"title.{say.lang}": _title(one, say), "place.name": one.place,
            "updated_at": iso(one.updated_at),
            "position": {"type": "Point", "coordinates": [one.position[1], one.position[0]]},
        }
        for one in known
        if one.position
    }  # fmt: skip


def _listed(known: Iterable[Known], say: Say) -> Figures:
    return {
        (one.id,): {
            "posts": one.posts, "severity": one.severity, "status": one.status, "state": one.state, "lead": one.lead,
            "support": one.support, "acknowledged": one.acknowledged, "acknowledged_by": one.acknowledged_by,
            "acknowledged_at": iso(one.acknowledged_at) if one.acknowledged_at else None, "id": one.id,
            f"title.{say.lang}": _title(one, say),
        }
        for one in known
    }  # fmt: skip


def _story(decided: Iterable[Decided]) -> Figures:
    return {
        (one.id,): {
            "voices": one.voices, "status": one.status, "event": one.event, "hazard": one.hazard, "lead": one.lead,
            "support": one.support, "paged": one.paged, "severity": one.severity, "place.name": one.place,
            "incident": one.incident,
        }
        for one in decided
    }  # fmt: skip


def _hazards(facts: Facts) -> Figures:
    placed = [one for one in facts.incidents if one.place]
    found: Figures = {}
    for place in top(Counter(one.place for one in placed), 20):
        there = Counter(one.hazard for one in placed if one.place == place and one.hazard)
        found |= {(place, hazard): {"incidents": there[hazard]} for hazard in top(there, 5)}
    return found


def _rumours(facts: Facts, say: Say) -> Figures:
    told = [one for one in facts.incidents if "rumour" in one.tags]
    newest = sorted(sorted(told, key=lambda one: one.id), key=lambda one: one.updated_at, reverse=True)[:20]
    return {
        (one.id,): {
            "voices": one.voices, "verification": one.verification, "title": _title(one, say),
            "updated": _ms(one.updated_at),
        }
        for one in newest
    }  # fmt: skip


def _hearing(facts: Facts) -> Figures:
    return {
        (one.source,): {
            "received": one.received, "state": one.state, "reason": one.reason or None, "since": _ms(one.since),
            "last_post": _ms(one.last_post_at),
        }
        for one in facts.sources
    }  # fmt: skip


def _hourly(facts: Facts, kind: str, counted: str, name: str, size: int = 12) -> Figures:
    hours = [one for one in facts.hours if one.kind == kind]
    sums: Counter[str] = Counter()
    for one in hours:
        sums[one.subject] += getattr(one, counted)
    found: dict[Key, dict[str, Any]] = defaultdict(lambda: {name: 0})
    bar, shown = _bar(facts, "1h"), top(sums, size)
    for one in hours:
        if one.subject in shown:
            found[one.subject, bar(one.hour)][name] += getattr(one, counted)
    return dict(found)


def _counted(facts: Facts, kind: str) -> Figures:
    found: dict[Key, dict[str, Any]] = defaultdict(lambda: {"read": 0, "kept": 0, "listened": 0.0})
    for one in facts.hours:
        if one.kind == kind:
            sums = found[(one.subject,)]
            sums["read"] += one.received
            sums["kept"] += one.kept
            sums["listened"] += one.listened_s
    return dict(found)


def _times(sent: Sequence[Delivered]) -> Figures:
    """Of first messages; nobody waits for what follows them."""
    found: Figures = {}
    first = [one for one in sent if one.event == "new"]
    for agency in top(Counter(one.agency for one in first), 20):
        mine = [one for one in first if one.agency == agency]
        alert = [one.to_alert_s for one in mine if one.to_alert_s is not None]
        taken = [one.to_acknowledge_s for one in mine if one.to_acknowledge_s is not None]
        found[(agency,)] = {
            "deliveries": len(mine), "acknowledged": len(taken),
            "alert_median": percentile(alert, 50), "alert_p95": percentile(alert, 95),
            "ack_median": percentile(taken, 50), "ack_p95": percentile(taken, 95),
        }  # fmt: skip
    return found


def _useful(facts: Facts) -> Figures:
    found: Figures = {}
    for name in top(Counter(filter for one in facts.posts for filter in one.filters), 20):
        mine = [one for one in facts.posts if name in one.filters]
        read = [one.relevance for one in mine if one.relevance is not None]
        found[(name,)] = {
            "posts": len(mine),
            "useful": sum(1 for value in read if value >= 0.5),
            "relevance": fmean(read) if read else None,
            "incidents": len({one.incident for one in mine if one.incident}),
        }
    return found


def _overlap(facts: Facts) -> Figures:
    """Every pair of filters that wanted the same post, each with itself included."""
    shown = top(Counter(name for one in facts.posts for name in one.filters), 20)
    pairs = Counter((a, b) for one in facts.posts for a in one.filters for b in one.filters if a in shown)
    return {pair: {"posts": number} for pair, number in pairs.items()}


def _precision(facts: Facts, say: Say) -> Figures:
    verdicts = {verdict: say(f"col.{verdict}") for verdict in ("confirmed", "refuted")}
    pairs = Counter(
        (verdicts[one.verification], name)
        for one in facts.incidents
        if one.verification in verdicts
        for name in one.filters
    )
    return {pair: {"incidents": number} for pair, number in pairs.items()}


def _decided(facts: Facts) -> Figures:
    found: Figures = {}
    for name in top(Counter(filter for one in facts.incidents for filter in one.filters), 50):
        told = Counter(one.verification for one in facts.incidents if name in one.filters)
        done = {"confirmed": told["confirmed"], "refuted": told["refuted"]}
        found[(name,)] = {"incidents": told.total(), **done, "unchecked": told.total() - sum(done.values())}
    return found


def _gaps(facts: Facts) -> Figures:
    found: dict[Key, dict[str, Any]] = defaultdict(lambda: {"seconds": 0.0, "found": 0})
    for one in facts.gaps:
        sums = found[one.source, one.state]
        sums["seconds"] += one.seconds or 0.0
        sums["found"] += one.found
    return dict(found)


def _pairs(pairs: Iterable[Key], name: str) -> Figures:
    return {pair: {name: number} for pair, number in Counter(pairs).items()}


def _timeline(facts: Facts) -> Figures:
    bar = _bar(facts, "auto")
    return _pairs(((one.event, bar(one.at)) for one in facts.alerts if one.status in UNREAL), "decisions")


def _unreal(of: Iterable[Any]) -> list[Any]:
    return [one for one in of if one.status in UNREAL]


_PANELS: Mapping[str, Callable[[Facts, Say], Sequence[Figures]]] = {
    "watch.open": lambda facts, _: [_number(_live(facts))],
    "watch.unacknowledged": lambda facts, _: [_number(_to_take(facts))],
    "watch.posts": lambda facts, _: [_number(one for one in facts.posts if (one.relevance or 0) >= 0.5)],
    "watch.deaf": lambda facts, _: [_number(one for one in facts.sources if one.state != "on")],
    "watch.map": lambda facts, say: [_heat(facts.posts), _spots(_live(facts), say)],
    "watch.tags": lambda facts, _: [_tags(facts.posts, facts)],
    "watch.incidents": lambda facts, say: [_listed(_live(facts), say)],
    "watch.hazards": lambda facts, _: [_hazards(facts)],
    "watch.rumours": lambda facts, say: [_rumours(facts, say)],
    "watch.hearing": lambda facts, _: [_hearing(facts)],
    "watch.received": lambda facts, _: [_hourly(facts, "source", "received", "received")],
    "watch.times": lambda facts, _: [_times(facts.deliveries)],
    "analysts.kept": lambda facts, _: [_hourly(facts, "filter", "kept", "posts")],
    "analysts.received": lambda facts, _: [_hourly(facts, "filter", "received", "posts")],
    "analysts.yield": lambda facts, _: [_counted(facts, "filter")],
    "analysts.useful": lambda facts, _: [_useful(facts)],
    "analysts.overlap": lambda facts, _: [_overlap(facts)],
    "analysts.precision": lambda facts, say: [_precision(facts, say)],
    "analysts.decided": lambda facts, _: [_decided(facts)],
    "analysts.cost": lambda facts, _: [_counted(facts, "source")],
    "analysts.gaps": lambda facts, _: [_gaps(facts)],
    "exercise.incidents": lambda facts, _: [_number(_unreal(facts.incidents))],
    "exercise.unacknowledged": lambda facts, _: [_number(_unreal(_to_take(facts)))],
    "exercise.decisions": lambda facts, _: [_number(_unreal(facts.alerts))],
    "exercise.sent": lambda facts, _: [_number(one for one in _unreal(facts.deliveries) if one.state == "sent")],
    "exercise.timeline": lambda facts, _: [_timeline(facts)],
    "exercise.deliveries": lambda facts, _: [
        _pairs(((one.state, one.agency) for one in _unreal(facts.deliveries)), "deliveries")
    ],
    "exercise.times": lambda facts, _: [_times(_unreal(facts.deliveries))],
    "exercise.story": lambda facts, _: [_story(_unreal(facts.alerts))],
    "exercise.map": lambda facts, say: [_heat(_unreal(facts.posts)), _spots(_unreal(facts.incidents), say)],
    "exercise.posts": lambda facts, _: [_tags(_unreal(facts.posts), facts)],
    "exercise.table": lambda facts, say: [_listed(_unreal(facts.incidents), say)],
}


def figures(panel: str, facts: Facts, say: Say) -> Sequence[Figures]:
    """The figures of each layer of the panel whose title is ``panel`` in ``strings.yaml``.

    KeyError for a panel whose numbers nobody can tell: none goes out like that."""
    return _PANELS[panel](facts, say)
