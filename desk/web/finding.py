"""Everything that the search page shows of one request, asked of one engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from desk.web.asking import Asked
from store.search.request import Count, Engine, Field, Page, Query, Step, Tile
from store.times import from_iso

PAGE = 50
BARS = 72
"""Of the histogram, at most: as many as can be told apart on a telephone."""
FEW_HOURS = 6
"""Up to so many are counted by minutes."""
TOPS: tuple[Field, ...] = ("hazard", "place", "filters", "source")
VALUES = 8
STEPS: Mapping[Step, timedelta] = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
}


@dataclass(frozen=True, slots=True)
class Bar:
    """Posts from ``since`` on and before ``until`` (UTC)."""

    since: datetime
    until: datetime
    posts: int


@dataclass(frozen=True, slots=True)
class Counts:
    """What the posts have in common. ``bars`` is None where they lie too far apart to be drawn."""

    bars: tuple[Bar, ...] | None
    tops: Mapping[Field, tuple[Count, ...]]
    tiles: tuple[Tile, ...]


@dataclass(frozen=True, slots=True)
class Results:
    """One page; its counts come with the first page alone."""

    page: Page
    counts: Counts | None


def find(engine: Engine, asked: Asked, zoom: int) -> Results:
    """What ``engine`` gives for the request, tiles at ``zoom``. Raises Away, ValueError."""
    page = engine.search(asked.query, sort=asked.sort, limit=PAGE, after=asked.after)
    if asked.after is not None or not page.total:
        return Results(page, None)
    tops = {field: tuple(engine.top(asked.query, field, VALUES)) for field in TOPS}
    return Results(page, Counts(bars(engine, asked.query), tops, tuple(engine.tiles(asked.query, zoom))))


def bars(engine: Engine, query: Query) -> tuple[Bar, ...] | None:
    """The histogram in steps that suit it, gathered into :data:`BARS` at most; None where even days are too many."""
    counted = _steps(engine, query, "hour")
    if counted is None:
        counted, step = _steps(engine, query, "day"), STEPS["day"]
    elif len(counted) <= FEW_HOURS:
        counted, step = _steps(engine, query, "minute"), STEPS["minute"]
    else:
        step = STEPS["hour"]
    return None if counted is None else gathered(counted, step)


def gathered(counted: Sequence[Count], step: timedelta) -> tuple[Bar, ...]:
    """Neighbouring steps put together, so that at most :data:`BARS` are left."""
    each = -(-len(counted) // BARS) or 1
    return tuple(
        Bar(since := from_iso(counted[at].key), since + each * step, sum(one.posts for one in counted[at : at + each]))
        for at in range(0, len(counted), each)
    )


def _steps(engine: Engine, query: Query, step: Step) -> list[Count] | None:
    try:
        return engine.histogram(query, step)
    except ValueError:  # more than can be counted: a longer step may do
        return None
