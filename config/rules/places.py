"""Areas that mean something on the ground."""

from __future__ import annotations

from collections.abc import Iterator

from shapely.geometry import Polygon
from shapely.validation import explain_validity

from config.bundle import Area
from config.faults import Fault, nearest
from config.gazetteer import gazetteer
from config.load import KeyPath
from config.outlines import outlines
from config.rules.case import Case

SHAPES = ("communes", "departements", "circle", "polygon", "world")


def shapes(case: Case) -> Iterator[Fault]:
    """An area with no shape or several; a code that does not exist; a polygon that cannot be drawn."""
    for index, area in enumerate(case.bundle.areas):
        path = ("areas", index)
        given = [name for name in SHAPES if getattr(area, name)]
        if len(given) != 1:
            message = f"the area has {' and '.join(given)}" if given else "the area has no shape"
            yield case.error(path, message, f"give exactly one of {', '.join(SHAPES)}")
        yield from _codes(case, path, area)
        if area.polygon:
            yield from _polygon(case, (*path, "polygon"), area)


def _codes(case: Case, path: KeyPath, area: Area) -> Iterator[Fault]:
    for index, insee in enumerate(area.communes):
        if gazetteer().commune(insee) is None:
            yield case.error((*path, "communes", index), f'no commune has the INSEE code "{insee}"', _meant(insee))
    for index, code in enumerate(area.departements):
        if code not in outlines():
            advice = nearest(code, outlines()) if len(code) > 1 else f'write two characters, such as "0{code}"'
            yield case.error((*path, "departements", index), f'there is no département "{code}"', advice)


def _meant(code: str) -> str:
    """Advice for a wrong INSEE code: the code of the name, or of the postcode's commune."""
    found = gazetteer().lookup(code) if not code.isdigit() else gazetteer().by_postcode(code)
    known = [place for place in found if place.insee]
    if known:
        return f'did you mean "{known[0].insee}" ({known[0].name})?'
    return "write five characters, as INSEE does; a postcode is not an INSEE code"


def _polygon(case: Case, path: KeyPath, area: Area) -> Iterator[Fault]:
    ring = area.polygon
    if len(ring) < 4 or ring[0] != ring[-1]:
        advice = "give three corners or more, and repeat the first point at the end"
        yield case.error(path, "the polygon is not a closed ring", advice)
    elif not (drawn := Polygon(ring)).is_valid:
        where = explain_validity(drawn)
        yield case.error(
            path, f"the polygon crosses itself ({where})", "give the corners in order, walking along its edge"
        )
