"""The shipped gazetteer: French communes, départements and régions, countries, and cities of the world, offline.

Names are looked up by key (:func:`config.text.key`), so that accents, case, hyphens, apostrophes and ``St`` for
``Saint`` do not matter. Sources and licences: ``config/data/README.md``.
"""

from __future__ import annotations

import gzip
import math
from collections.abc import Iterable
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from shapely import STRtree
from shapely.geometry import Point

from config.outlines import outlines
from config.text import key

EARTH_M = 6_371_008.8
KM_PER_DEGREE = 111.195
OFFSHORE_DEGREES = 0.05
_PLACES = Path(__file__).parent / "data" / "places.tsv.gz"


class Toponym(NamedTuple):
    """One place. ``lat`` and ``lon`` in degrees, ``radius_m`` of the disc that stands for it.

    ``level``: country, region, departement, commune (a city abroad too) or district. ``admin1`` is the INSEE code of
    the région in France, GeoNames' code elsewhere; ``departement``, ``insee`` and ``postcodes`` are French.
    """

    name: str
    level: str
    lat: float
    lon: float
    radius_m: float
    population: int
    country: str
    admin1: str | None
    departement: str | None
    insee: str | None
    postcodes: tuple[str, ...]


class Gazetteer:
    """All places, by name, by code and by position. Rows are read at once, toponyms are made when asked for."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._made: dict[int, Toponym] = {}
        self._rows: dict[str, list[int]] = {}
        for row, line in enumerate(lines):
            for name in line[: line.index("\t")].split("|"):
                self._rows.setdefault(name, []).append(row)

    def names(self) -> Iterable[str]:
        """Every key that :meth:`lookup` knows, in no useful order."""
        return self._rows.keys()

    def lookup(self, name: str) -> tuple[Toponym, ...]:
        """The places of that name, folded or not, the most populous first; () where there is none."""
        return tuple(self._toponym(row) for row in self._rows.get(key(name), ()))

    def keys_of(self, toponyms: Iterable[Toponym]) -> set[str]:
        """Every key under which French communes or arrondissements are found."""
        rows = (self._by_insee[t.insee] for t in toponyms if t.insee)
        return {name for row in rows for name in self._lines[row].partition("\t")[0].split("|")}

    def commune(self, insee: str) -> Toponym | None:
        """The commune (or arrondissement of Paris, Lyon, Marseille) of that INSEE code, or None."""
        row = self._by_insee.get(insee)
        return None if row is None else self._toponym(row)

    def communes(self, departement: str) -> tuple[Toponym, ...]:
        """The communes of a département, the most populous first; () where there is no such code."""
        return tuple(self._toponym(row) for row in self._by_departement.get(departement, ()))

    def departement(self, code: str) -> Toponym | None:
        """The département of that code (49, 2A, 971), or None."""
        return next((t for t in self.lookup(f"departement {code}") if t.level == "departement"), None)

    def by_postcode(self, postcode: str) -> tuple[Toponym, ...]:
        """The communes that share a French postcode, the most populous first."""
        return tuple(self._toponym(row) for row in self._by_postcode.get(postcode, ()))

    def departement_at(self, lat: float, lon: float) -> str | None:
        """The code of the département at a position, up to about 5 km off its simplified outline; None elsewhere."""
        codes, tree = _tree()
        point = Point(lon, lat)
        inside = tree.query(point, predicate="intersects")
        if len(inside):
            return codes[int(inside[0])]
        near = tree.query(point, predicate="dwithin", distance=OFFSHORE_DEGREES)
        if not len(near):
            return None
        return codes[int(min(near, key=lambda i: tree.geometries[i].distance(point)))]

    def nearest_commune(self, lat: float, lon: float) -> Toponym:
        """The French commune whose centroid is nearest to a position, however far that is."""
        places, rows = self._positions
        return self._toponym(rows[int((places @ _on_sphere([lat], [lon])[0]).argmax())])

    def communes_within(self, lat: float, lon: float, radius_m: float) -> tuple[Toponym, ...]:
        """The French communes whose centroid lies within ``radius_m`` of a position, in no useful order."""
        places, rows = self._positions
        close = places @ _on_sphere([lat], [lon])[0] >= math.cos(min(radius_m / EARTH_M, math.pi))
        return tuple(self._toponym(rows[i]) for i in np.flatnonzero(close))

    def _toponym(self, row: int) -> Toponym:
        made = self._made.get(row)
        if made is None:
            made = self._made[row] = _parse(self._lines[row])
        return made

    @cached_property
    def _french(self) -> list[tuple[int, list[str]]]:
        """Row and fields of every commune and arrondissement of France."""
        split = ((row, line.split("\t")) for row, line in enumerate(self._lines) if line[-1] != "\t")
        return [(row, fields) for row, fields in split if fields[10]]

    @cached_property
    def _by_insee(self) -> dict[str, int]:
        return {fields[10]: row for row, fields in self._french}

    @cached_property
    def _by_departement(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for row, fields in self._french:
            if fields[2] == "commune":
                found.setdefault(fields[9], []).append(row)
        return found

    @cached_property
    def _by_postcode(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for row, fields in self._french:
            for postcode in fields[11].split():
                found.setdefault(postcode, []).append(row)
        return found

    @cached_property
    def _positions(self) -> tuple[NDArray[np.float64], list[int]]:
        communes = [(row, fields) for row, fields in self._french if fields[2] == "commune"]
        lats, lons = ([float(fields[column]) for _, fields in communes] for column in (3, 4))
        return _on_sphere(lats, lons), [row for row, _ in communes]


@cache
def gazetteer() -> Gazetteer:
    """The shipped gazetteer, read once."""
    return Gazetteer(gzip.decompress(_PLACES.read_bytes()).decode().split("\n"))


def distance_m(lat: float, lon: float, lat2: float, lon2: float) -> float:
    """Metres between two positions in degrees, on a sphere (haversine)."""
    a, b, turn = math.radians(lat), math.radians(lat2), math.radians(lon2 - lon)
    h = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(turn / 2) ** 2
    return 2 * EARTH_M * math.asin(min(1.0, math.sqrt(h)))


def _parse(line: str) -> Toponym:
    _, name, level, lat, lon, radius, population, country, admin1, departement, insee, codes = line.split("\t")
    position = (float(lat), float(lon), float(radius), int(population))
    return Toponym(
        name, level, *position, country, admin1 or None, departement or None, insee or None, tuple(codes.split())
    )


def _on_sphere(lats: list[float], lons: list[float]) -> NDArray[np.float64]:
    lat, lon = np.radians(lats), np.radians(lons)
    return np.column_stack((np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)))


@cache
def _tree() -> tuple[list[str], STRtree]:
    known = outlines()
    return list(known), STRtree([outline.shape for outline in known.values()])
