"""The outlines of the French départements (IGN, simplified)."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

import orjson
from shapely import make_valid
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

_FILE = Path(__file__).parent / "data" / "departements.geojson.gz"


@dataclass(frozen=True, slots=True)
class Outline:
    """One département: code (49, 2A, 971), name, and shape in degrees (longitude, latitude)."""

    code: str
    name: str
    shape: BaseGeometry


@cache
def outlines() -> Mapping[str, Outline]:
    """Every département by its code, read once."""
    features = orjson.loads(gzip.decompress(_FILE.read_bytes()))["features"]
    known = ((f["properties"]["code"], f["properties"]["nom"], make_valid(shape(f["geometry"]))) for f in features)
    return MappingProxyType({code: Outline(code, name, drawn) for code, name, drawn in known})
