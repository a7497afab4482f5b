"""Tiles of the usual web map: ``zoom/x/y``, counted from the north-west corner of a square world."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from store.search.request import Tile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NORTHMOST = 85.05112877980659
"""Where the square ends; what lies beyond is on the last tile. atan(sinh(π)) in degrees."""


def tiles(positions: Sequence[tuple[float, float]], zoom: int) -> list[Tile]:
    """The tiles of these positions (lat, lon) with how many there are on each and where on average, most first."""
    import numpy as np  # takes a tenth of a second, and most searches draw no map

    if not positions:
        return []
    lat, lon = np.array(positions, dtype=float).T
    x, y = _columns(lon, zoom), _rows(lat, zoom)
    keys, which = np.unique(x * (1 << zoom) + y, return_inverse=True)
    posts = np.bincount(which)
    lats, lons = (np.bincount(which, weights=values) / posts for values in (lat, lon))
    found = [
        Tile(f"{zoom}/{key >> zoom}/{key & ((1 << zoom) - 1)}", n, mean_lat, mean_lon)
        for key, n, mean_lat, mean_lon in zip(*(values.tolist() for values in (keys, posts, lats, lons)), strict=True)
    ]
    return sorted(found, key=lambda tile: (-tile.posts, tile.key))


def tile_of(lat: float, lon: float, zoom: int) -> tuple[int, int]:
    """Column and row of the tile in which a position lies. OpenStreetMap wiki, *Slippy map tilenames*."""
    import numpy as np

    return int(_columns(np.array([lon]), zoom)[0]), int(_rows(np.array([lat]), zoom)[0])


def _columns(lon: NDArray[np.float64], zoom: int) -> NDArray[np.int64]:
    return _within((lon + 180) / 360, zoom)


def _rows(lat: NDArray[np.float64], zoom: int) -> NDArray[np.int64]:
    import numpy as np

    bounded = np.radians(np.clip(lat, -NORTHMOST, NORTHMOST))
    return _within((1 - np.arcsinh(np.tan(bounded)) / np.pi) / 2, zoom)


def _within(share: NDArray[np.float64], zoom: int) -> NDArray[np.int64]:
    """Shares of the square's side as numbers of tiles."""
    import numpy as np

    found: NDArray[np.int64] = np.clip((share * (1 << zoom)).astype(np.int64), 0, (1 << zoom) - 1)
    return found
