"""Areas in the words of X: boxes for where a post comes from, names of communes for what it speaks of."""

from __future__ import annotations

from math import ceil, cos, radians
from typing import TYPE_CHECKING

from config.bundle import Area, Filter
from config.filters import SHORTEST_PLACE
from config.gazetteer import gazetteer
from config.lexicon import common_words
from config.text import key
from listeners.x_text import spellings

if TYPE_CHECKING:
    from config.world import World

MAX_NAMES = 200
"""Names that one filter asks X for, départements first, then communes by their people; of smaller ones only posts that
bear a position come."""

MAX_BOXES = 60
"""Boxes for one filter; an area that needs more is asked for by country, and we sort out what comes."""

BOX_KM = 39.0
_KM_PER_DEGREE = 111.32
_SAMPLES = 9


def places(
    one: Filter, world: World, *, accents: bool, most_names: int = MAX_NAMES, most_boxes: int = MAX_BOXES
) -> list[str]:
    """The terms of which one must match for the geography of a filter; empty where it wants the whole world."""
    areas = [area for area in world.bundle.areas if area.id in one.areas]
    if not areas or one.where == "anywhere" or any(area.world for area in areas):
        return []
    found: list[str] = []
    if one.where in ("named", "either"):
        found += names(areas, world, accents=accents, most=most_names)
    if one.where in ("tagged", "either"):
        found += boxes(areas, world, most=most_boxes)
    return found


def names(areas: list[Area], world: World, *, accents: bool, most: int = MAX_NAMES) -> list[str]:
    """Names of the areas and those inside, whole départements, communes by their people: at most ``most``."""
    communes = {one.insee: one for area in areas for one in world.areas.communes(area.id)}
    largest = sorted(communes.values(), key=lambda one: (-one.population, one.name))
    wholes = [gazetteer().departement(code) for area in areas for code in world.areas.departements(area.id)]
    inner = [one for area in areas for one in world.bundle.areas if world.areas.inside(one.id, area.id)]
    labels = [label for one in inner for label in (one.name.fr, one.name.en, *one.also)]
    chosen = [*labels, *(one.name for one in wholes if one), *(one.name for one in largest if _telling(one.name))]
    return [form for name in list(dict.fromkeys(chosen))[:most] for form in spellings(name, accents=accents)]


def _telling(name: str) -> bool:
    return len(key(name)) >= SHORTEST_PLACE and key(name) not in common_words()


def boxes(areas: list[Area], world: World, *, most: int = MAX_BOXES) -> list[str]:
    """``bounding_box`` operators, each within X's 25 miles, that cover the areas; their countries where that takes
    more than ``most``: what comes too much, the local matcher sorts out."""
    found: dict[str, None] = {}
    for area in areas:
        found |= dict.fromkeys(_circle(area) or _tiles(area, world))
        if len(found) > most:
            return [f"place_country:{code}" for code in _countries(areas, world)]
    return list(found)


def _countries(areas: list[Area], world: World) -> list[str]:
    return sorted({one.country for area in areas for one in world.areas.communes(area.id)} or {"FR"})


def _circle(area: Area) -> list[str]:
    circle = area.circle
    if circle is None or circle.radius_km > BOX_KM:
        return []
    return [f"point_radius:[{circle.lon:.4f} {circle.lat:.4f} {circle.radius_km:g}km]"]


def _tiles(area: Area, world: World) -> list[str]:
    west, south, east, north = _extent(area, world)
    rows = max(1, ceil((north - south) * _KM_PER_DEGREE / BOX_KM))
    found: list[str] = []
    for row in range(rows):
        low, high = (south + (north - south) * (row + step) / rows for step in (0, 1))
        widest = cos(radians(min(abs(low), abs(high))))
        columns = max(1, ceil((east - west) * _KM_PER_DEGREE * widest / BOX_KM))
        for column in range(columns):
            if len(found) > MAX_BOXES:
                return found
            left, right = (west + (east - west) * (column + step) / columns for step in (0, 1))
            if _touches(area, world, left, low, right, high):
                found.append(f"bounding_box:[{left:.4f} {low:.4f} {right:.4f} {high:.4f}]")
    return found


def _touches(area: Area, world: World, west: float, south: float, east: float, north: float) -> bool:
    steps = [step / (_SAMPLES - 1) for step in range(_SAMPLES)]
    return any(
        world.areas.contains(area.id, south + (north - south) * y, west + (east - west) * x)
        for y in steps
        for x in steps
    )


def _extent(area: Area, world: World) -> tuple[float, float, float, float]:
    """West, south, east, north of an area in degrees, with a margin for the size of its communes."""
    if area.circle:
        points = [(area.circle.lat, area.circle.lon, area.circle.radius_km * 1000)]
    elif area.polygon:
        points = [(lat, lon, 0.0) for lon, lat in area.polygon]
    else:
        points = [(one.lat, one.lon, one.radius_m + 5000) for one in world.areas.communes(area.id)]
    margins = [
        (lat, lon, m / 1000 / _KM_PER_DEGREE, m / 1000 / _KM_PER_DEGREE / cos(radians(lat))) for lat, lon, m in points
    ]
    return (
        min(lon - dx for _, lon, _, dx in margins),
        min(lat - dy for lat, _, dy, _ in margins),
        max(lon + dx for _, lon, _, dx in margins),
        max(lat + dy for lat, _, dy, _ in margins),
    )
