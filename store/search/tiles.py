"""Tiles of the usual web map: ``zoom/x/y``, counted from the north-west corner of a square world."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable

from store.search.request import Tile

NORTHMOST = 85.05112877980659
"""Where the square ends; what lies beyond is on the last tile. atan(sinh(π)) in degrees."""


def tiles(positions: Iterable[tuple[float, float]], zoom: int) -> list[Tile]:
    """The tiles of these positions (lat, lon) with how many there are on each and where on average, most first."""
    sums: dict[tuple[int, int], list[float]] = defaultdict(lambda: [0, 0.0, 0.0])
    for lat, lon in positions:
        one = sums[tile_of(lat, lon, zoom)]
        one[0] += 1
        one[1] += lat
        one[2] += lon
    found = [Tile(f"{zoom}/{x}/{y}", int(n), lat / n, lon / n) for (x, y), (n, lat, lon) in sums.items()]
    return sorted(found, key=lambda tile: (-tile.posts, tile.key))


def tile_of(lat: float, lon: float, zoom: int) -> tuple[int, int]:
    """Column and row of the tile in which a position lies. OpenStreetMap wiki, *Slippy map tilenames*."""
    across = 1 << zoom
    bounded = math.radians(max(-NORTHMOST, min(NORTHMOST, lat)))
    x, y = (lon + 180) / 360, (1 - math.asinh(math.tan(bounded)) / math.pi) / 2
    return min(across - 1, max(0, int(x * across))), min(across - 1, max(0, int(y * across)))
