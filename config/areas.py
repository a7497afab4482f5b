"""What the areas of a bundle cover."""

from __future__ import annotations

import math
from functools import cached_property

from shapely import prepare
from shapely.geometry import Point, Polygon

from config.bundle import Area, Bundle
from config.gazetteer import KM_PER_DEGREE, Toponym, distance_m, gazetteer
from config.outlines import outlines

WORLD_KM2 = 510_065_622.0


class Areas:
    """The areas of one bundle. A commune is known by its centroid, so a position belongs to the nearest one."""

    def __init__(self, bundle: Bundle) -> None:
        self._areas = {area.id: _Shape(area) for area in bundle.areas}

    def contains(self, area_id: str, lat: float, lon: float) -> bool:
        """Whether a position in degrees lies in the area. Raises KeyError for an unknown area."""
        return self._areas[area_id].holds(lat, lon)

    def holding(
        self, lat: float | None, lon: float | None, *, insee: str | None = None, departement: str | None = None
    ) -> list[str]:
        """The areas that hold a place, smallest first; known codes decide before the position does."""
        commune = gazetteer().commune(insee) if insee else None
        if commune is not None:
            departement = departement or commune.departement
            lat, lon = (commune.lat, commune.lon) if lat is None or lon is None else (lat, lon)
        held = [i for i, known in self._areas.items() if known.holds(lat, lon, insee=insee, departement=departement)]
        return sorted(held, key=self.size_km2)

    def size_km2(self, area_id: str) -> float:
        """The size of an area; a commune counts as the mean of its département. Raises KeyError if unknown."""
        return self._areas[area_id].km2

    def inside(self, inner: str, outer: str) -> bool:
        """Whether an area lies in another, as far as its centre and the centroids of its communes tell."""
        if inner == outer or self._areas[outer].area.world:
            return True
        points = self._areas[inner].points
        return bool(points) and all(
            self._areas[outer].holds(lat, lon, insee=i, departement=d) for lat, lon, i, d in points
        )

    def communes(self, area_id: str) -> tuple[Toponym, ...]:
        """The French communes of an area, by centroid for a circle or polygon; () for the world."""
        return self._areas[area_id].members

    def departements(self, area_id: str) -> tuple[str, ...]:
        """The codes of the départements that the area names whole."""
        return self._areas[area_id].area.departements


class _Shape:
    """One area, worked out when first needed."""

    def __init__(self, area: Area) -> None:
        self.area = area
        self._insee = frozenset(area.communes)

    def holds(
        self, lat: float | None, lon: float | None, *, insee: str | None = None, departement: str | None = None
    ) -> bool:
        area = self.area
        if area.world:
            return True
        if self._insee and (insee in self._insee or (insee is None and self._nearest(lat, lon) in self._insee)):
            return True
        if area.departements:
            if departement is None and lat is not None and lon is not None:
                departement = gazetteer().departement_at(lat, lon)
            return departement in area.departements
        return lat is not None and lon is not None and self._drawn(lat, lon)

    def _nearest(self, lat: float | None, lon: float | None) -> str | None:
        if lat is None or lon is None:
            return None
        near = gazetteer().nearest_commune(lat, lon)
        return near.insee if distance_m(lat, lon, near.lat, near.lon) < max(15_000, 2 * near.radius_m) else None

    def _drawn(self, lat: float, lon: float) -> bool:
        circle = self.area.circle
        if circle:
            return distance_m(lat, lon, circle.lat, circle.lon) <= circle.radius_km * 1000
        return bool(self.area.polygon) and self._polygon.intersects(Point(lon, lat))

    @cached_property
    def _polygon(self) -> Polygon:
        polygon = Polygon(self.area.polygon)
        prepare(polygon)
        return polygon

    @cached_property
    def km2(self) -> float:
        """Square kilometres."""
        if self.area.world:
            return WORLD_KM2
        if self.area.circle:
            return math.pi * self.area.circle.radius_km**2
        if self.area.polygon:
            lat = self._polygon.centroid.y
            return float(self._polygon.area) * KM_PER_DEGREE**2 * math.cos(math.radians(lat))
        communes = sum(_mean_commune_km2(insee) for insee in self.area.communes)
        return communes + sum(_departement_km2(code) for code in self.area.departements)

    @cached_property
    def points(self) -> tuple[tuple[float, float, str | None, str | None], ...]:
        """Latitude, longitude, INSEE and département of what stands for the area; () for the world."""
        area = self.area
        if area.circle:
            return ((area.circle.lat, area.circle.lon, None, None),)
        if self.members:
            return tuple((place.lat, place.lon, place.insee, place.departement) for place in self.members)
        return tuple((lat, lon, None, None) for lon, lat in area.polygon)

    @cached_property
    def members(self) -> tuple[Toponym, ...]:
        """The communes."""
        area, known = self.area, gazetteer()
        named = [commune for insee in area.communes if (commune := known.commune(insee))]
        named += [commune for code in area.departements for commune in known.communes(code)]
        if area.circle:
            named += known.communes_within(area.circle.lat, area.circle.lon, area.circle.radius_km * 1000)
        if area.polygon:
            middle = self._polygon.centroid
            reach = 1000 * KM_PER_DEGREE * middle.hausdorff_distance(self._polygon)
            near = known.communes_within(middle.y, middle.x, reach)
            named += [commune for commune in near if self._polygon.intersects(Point(commune.lon, commune.lat))]
        return tuple(named)


def _departement_km2(code: str) -> float:
    outline = outlines().get(code)
    if outline is None:
        return 0.0
    return float(outline.shape.area * KM_PER_DEGREE**2 * math.cos(math.radians(outline.shape.centroid.y)))


def _mean_commune_km2(insee: str) -> float:
    commune = gazetteer().commune(insee)
    if commune is None or not commune.departement:
        return 0.0
    if commune.level == "district":
        return math.pi * (commune.radius_m / 1000) ** 2
    return _departement_km2(commune.departement) / max(1, len(gazetteer().communes(commune.departement)))
