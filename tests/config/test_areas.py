from pathlib import Path

import pytest

from config.areas import Areas
from config.load import load

GOOD = (Path(__file__).parent / "good.yaml").read_text(encoding="utf-8")
MORE = """
areas:
  - {id: departement, name: {fr: Maine-et-Loire, en: Maine-et-Loire}, departements: ["49"]}
  - {id: cholet, name: {fr: Cholet, en: Cholet}, communes: ["49099"]}
  - {id: zone, name: {fr: Zone, en: Zone}, circle: {lat: 47.04, lon: -0.87, radius_km: 1.5}}
  - {id: carre, name: {fr: Carré, en: Square}, polygon: [[-1, 47], [-0.8, 47], [-0.8, 47.1], [-1, 47.1], [-1, 47]]}
  - {id: world, name: {fr: Monde, en: World}, world: true}
"""


@pytest.fixture(scope="module")
def areas() -> Areas:
    return Areas(load({"a.yaml": GOOD, "b.yaml": MORE}))


def test_the_areas_that_hold_a_position_come_smallest_first(areas: Areas) -> None:
    assert areas.holding(47.041, -0.871) == ["zone", "cholet", "carre", "departement", "world"]


def test_a_known_commune_decides_before_the_position(areas: Areas) -> None:
    assert areas.holding(47.041, -0.871, insee="49007") == ["zone", "angers", "carre", "departement", "world"]


def test_a_commune_without_position_is_placed_by_its_code(areas: Areas) -> None:
    assert areas.holding(None, None, insee="49007") == ["angers", "departement", "world"]


def test_a_departement_alone_is_in_the_areas_that_name_it(areas: Areas) -> None:
    assert areas.holding(None, None, departement="49") == ["departement", "world"]


def test_what_is_elsewhere_is_in_no_local_area(areas: Areas) -> None:
    assert areas.holding(48.85, 2.35) == ["world"]


def test_a_position_far_from_every_commune_is_in_none(areas: Areas) -> None:
    assert not areas.contains("cholet", 40.0, -30.0)


def test_sizes_are_in_square_kilometres(areas: Areas) -> None:
    assert areas.size_km2("departement") == pytest.approx(7_172, rel=0.02)
    assert areas.size_km2("zone") == pytest.approx(7.07, rel=0.01)
    assert areas.size_km2("carre") == pytest.approx(11.12 * 15.2, rel=0.02)
    assert areas.size_km2("angers") < areas.size_km2("departement") < areas.size_km2("world")


def test_a_drawn_area_knows_its_communes(areas: Areas) -> None:
    assert "Cholet" in [place.name for place in areas.communes("carre")]
    assert len(areas.communes("departement")) > 150
    assert areas.communes("world") == ()


def test_an_area_inside_another_is_known_as_such(areas: Areas) -> None:
    assert areas.inside("zone", "departement")
    assert not areas.inside("departement", "carre")
