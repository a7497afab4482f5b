"""The map: outlines of départements and incidents as marks, drawn here, without tiles from anywhere."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from shapely import Polygon, box
from shapely.geometry.base import BaseGeometry

from config.bundle import Bundle
from config.outlines import outlines
from desk.web.board import SEVERITIES
from store.records import Incident, Place

WIDTH, HEIGHT = 360.0, 300.0
MARGIN = 10.0
FRANCE = (-5.2, 41.3, 9.6, 51.1)
KM_PER_DEGREE = 111.32
TOUCHING = 15.0


@dataclass(frozen=True, slots=True)
class Outline:
    """A département as an SVG path; ``ours`` where the bundle declares something in it."""

    name: str
    path: str
    ours: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """Incidents at one spot: their numbers, the worst severity, the circle their place covers (pixels)."""

    numbers: str
    name: str
    severity: str
    x: float
    y: float
    radius: float
    left: bool


@dataclass(frozen=True, slots=True)
class Spot:
    """One numbered incident where its place lies in the viewBox."""

    number: int
    incident: Incident
    place: Place
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Chart:
    """The map and what could not be drawn on it."""

    outlines: tuple[Outline, ...]
    marks: tuple[Mark, ...]
    unplaced: tuple[int, ...]
    outside: tuple[int, ...]
    scale_km: int
    scale_px: float


@dataclass(frozen=True, slots=True)
class View:
    """Equirectangular projection of a window (west, south, east, north, in degrees) onto the viewBox."""

    west: float
    north: float
    px_per_degree: float
    shrink: float

    def at(self, lat: float, lon: float) -> tuple[float, float]:
        """The pixel of a position."""
        x = MARGIN + (lon - self.west) * self.shrink * self.px_per_degree
        return x, MARGIN + (self.north - lat) * self.px_per_degree

    def pixels(self, metres: float) -> float:
        """A distance on the ground in pixels."""
        return metres / 1000 / KM_PER_DEGREE * self.px_per_degree


def draw(bundle: Bundle, numbered: Sequence[tuple[int, Incident]]) -> Chart:
    """The map of the bundle's own départements with the numbered incidents."""
    ours = departements(bundle)
    view = view_of(bounds(ours))
    marks, unplaced, outside = _marks(view, numbered)
    scale = _scale(view)
    return Chart(background(ours), tuple(marks), unplaced, outside, scale, view.pixels(scale * 1000))


def departements(bundle: Bundle) -> frozenset[str]:
    """Codes of the départements that the bundle's areas name or lie in; none for a bundle that covers the world."""
    if any(area.world for area in bundle.areas):
        return frozenset()
    named = {code for area in bundle.areas for code in area.departements}
    communes = {_departement(insee) for area in bundle.areas for insee in area.communes}
    return frozenset((named | communes) & outlines().keys())


def bounds(codes: Iterable[str]) -> tuple[float, float, float, float]:
    """West, south, east, north of the départements; metropolitan France where there are none."""
    boxes = [outlines()[code].shape.bounds for code in codes]
    if not boxes:
        return FRANCE
    west, south, east, north = zip(*boxes, strict=True)
    return min(west), min(south), max(east), max(north)


def view_of(window: tuple[float, float, float, float]) -> View:
    """The projection that fits ``window`` into the viewBox, centred."""
    west, south, east, north = window
    shrink = math.cos(math.radians((south + north) / 2))
    wide, high = (east - west) * shrink, north - south
    scale = min((WIDTH - 2 * MARGIN) / wide, (HEIGHT - 2 * MARGIN) / high)
    spare_x = ((WIDTH - 2 * MARGIN) / scale - wide) / 2 / shrink
    spare_y = ((HEIGHT - 2 * MARGIN) / scale - high) / 2
    return View(west - spare_x, north + spare_y, scale, shrink)


@cache
def background(ours: frozenset[str]) -> tuple[Outline, ...]:
    """The outlines that show in the view of ``ours``, cut to it."""
    view = view_of(bounds(ours))
    east, south = view.west + WIDTH / view.px_per_degree / view.shrink, view.north - HEIGHT / view.px_per_degree
    frame = box(view.west - 1, south - 1, east + 1, view.north + 1)
    drawn = []
    for code, outline in outlines().items():
        if outline.shape.intersects(frame):
            shape = outline.shape.intersection(frame).simplify(0.6 / view.px_per_degree)
            drawn.append(Outline(outline.name, path(view, shape), code in ours))
    return tuple(sorted(drawn, key=lambda one: one.ours))


def path(view: View, shape: BaseGeometry) -> str:
    """The outer rings of a shape as SVG path data."""
    rings = [part.exterior.coords for part in getattr(shape, "geoms", [shape]) if isinstance(part, Polygon)]
    return "".join("M" + "L".join("{:.1f} {:.1f}".format(*view.at(y, x)) for x, y in ring) + "Z" for ring in rings)


def _marks(view: View, numbered: Sequence[tuple[int, Incident]]) -> tuple[list[Mark], tuple[int, ...], tuple[int, ...]]:
    clusters: list[list[Spot]] = []
    unplaced, outside = [], []
    for number, incident in numbered:
        place = incident.place
        if place is None or place.lat is None or place.lon is None:
            unplaced.append(number)
            continue
        spot = Spot(number, incident, place, *view.at(place.lat, place.lon))
        if not (0 <= spot.x <= WIDTH and 0 <= spot.y <= HEIGHT):
            outside.append(number)
        elif near := next((c for c in clusters if math.hypot(c[0].x - spot.x, c[0].y - spot.y) < TOUCHING), None):
            near.append(spot)
        else:
            clusters.append([spot])
    return _labelled([_mark(view, cluster) for cluster in clusters]), tuple(unplaced), tuple(outside)


def _mark(view: View, cluster: Sequence[Spot]) -> Mark:
    first = cluster[0]
    worst = min(cluster, key=lambda spot: SEVERITIES.index(spot.incident.severity)).incident.severity
    metres = max((spot.place.radius_m for spot in cluster if spot.place.radius_m), default=0.0)
    numbers = ",".join(str(spot.number) for spot in cluster)
    name = shortest((spot.place.name for spot in cluster), 22)
    return Mark(numbers, name, worst, first.x, first.y, view.pixels(metres), left=first.x > WIDTH * 0.62)


def _labelled(marks: Sequence[Mark]) -> list[Mark]:
    """The marks, without the names that would lie on another's: the numbers lead to the list all the same."""
    kept: list[Mark] = []
    for mark in marks:
        clash = any(other.name and abs(other.y - mark.y) < 13 and abs(other.x - mark.x) < 130 for other in kept)
        kept.append(replace(mark, name="") if clash else mark)
    return kept


def shortest(names: Iterable[str], limit: int) -> str:
    """The shortest of the names, cut to ``limit`` characters."""
    name = min(names, key=len)
    return name if len(name) <= limit else name[: limit - 1].rstrip() + "…"


def _scale(view: View) -> int:
    steps: Mapping[int, float] = {km: view.pixels(km * 1000) for km in (1, 2, 5, 10, 20, 50, 100, 200, 500)}
    return max((km for km, px in steps.items() if px <= WIDTH / 3), default=1)


def _departement(insee: str) -> str:
    return insee[:3] if insee.startswith("97") else insee[:2]
