"""The search page's pictures: where the posts lie and which area was drawn, and when they were written."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from config.bundle import Bundle
from desk.web import chart
from desk.web.finding import Bar
from store.search.request import Area, Tile

TILE_PX = 24.0
SMALLEST, LARGEST = 3.0, 13.0
WIDE, HIGH = 600.0, 80.0


@dataclass(frozen=True, slots=True)
class Spot:
    """Posts that lie together, at a pixel, with the area that holds them all, as it is typed."""

    x: float
    y: float
    radius: float
    posts: int
    area: str


@dataclass(frozen=True, slots=True)
class Sketch:
    """The map. ``drawn`` is the path of the area asked for; ``outside`` counts the posts that lie off the map."""

    view: chart.View
    outlines: tuple[chart.Outline, ...]
    spots: tuple[Spot, ...]
    drawn: str
    outside: int


@dataclass(frozen=True, slots=True)
class Column:
    """One bar as a rectangle."""

    bar: Bar
    x: float
    y: float
    width: float
    height: float


def zoom_of(bundle: Bundle) -> int:
    """The zoom whose tiles are about :data:`TILE_PX` wide on the bundle's map."""
    view = chart.view_of(chart.bounds(chart.departements(bundle)))
    return max(0, min(20, round(math.log2(360 * view.shrink * view.px_per_degree / TILE_PX))))


def sketch(bundle: Bundle, tiles: Sequence[Tile], area: Area | None) -> Sketch:
    """The map of the bundle's own départements with these tiles and this area."""
    ours = chart.departements(bundle)
    view = chart.view_of(chart.bounds(ours))
    most = max((tile.posts for tile in tiles), default=1)
    spots = [_spot(view, tile, most) for tile in tiles]
    shown = tuple(one for one in spots if 0 <= one.x <= chart.WIDTH and 0 <= one.y <= chart.HEIGHT)
    outside = sum(one.posts for one in spots) - sum(one.posts for one in shown)
    return Sketch(view, chart.background(ours), shown, _path(view.at, area), outside)


def columns(bars: Sequence[Bar]) -> tuple[Column, ...]:
    """The histogram, in a box of :data:`WIDE` by :data:`HIGH`; what is not nothing is seen."""
    most, wide = max((bar.posts for bar in bars), default=1), WIDE / max(1, len(bars))
    heights = [max(2.0, HIGH * bar.posts / most) if bar.posts else 0.0 for bar in bars]
    return tuple(
        Column(bar, at * wide, HIGH - high, max(1.0, wide - 1), high)
        for at, (bar, high) in enumerate(zip(bars, heights, strict=True))
    )


def corners(key: str) -> str:
    """The south-west and the north-east corner of a tile, as an area is typed."""
    zoom, x, y = (int(part) for part in key.split("/"))
    across = 1 << zoom
    south, north = (math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * row / across)))) for row in (y + 1, y))
    west, east = (column / across * 360 - 180 for column in (x, x + 1))
    return f"{south:.5f},{west:.5f} {north:.5f},{east:.5f}"


def _spot(view: chart.View, tile: Tile, most: int) -> Spot:
    x, y = view.at(tile.lat, tile.lon)
    radius = SMALLEST + (LARGEST - SMALLEST) * math.sqrt(tile.posts / most)
    return Spot(x, y, radius, tile.posts, corners(tile.key))


def _path(at: Callable[[float, float], tuple[float, float]], area: Area | None) -> str:
    if area is None:
        return ""
    return "M" + "L".join("{:.1f} {:.1f}".format(*at(lat, lon)) for lat, lon in area.ring) + "Z"
