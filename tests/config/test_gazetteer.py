from pathlib import Path

import pytest

from config.gazetteer import distance_m, gazetteer
from config.outlines import outlines

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("name", "insee"),
    [
        ("Cholet", "49099"),
        ("Le Havre", "76351"),
        ("au Havre", "76351"),
        ("du Mans", "72181"),
        ("aux Sables-d'Olonne", "85194"),
        ("les ponts de cé", "49246"),
        ("SAINT BARTHELEMY D’ANJOU", "49267"),
        ("St-Barthélemy-d'Anjou", "49267"),
        ("Beaupréau", "49023"),
        ("Chemillé-en-Anjou", "49092"),
        ("paris 15e", "75115"),
        ("15ème arrondissement de Paris", "75115"),
        ("Marseille 1er", "13201"),
        ("Lyon 3e", "69383"),
    ],
)
def test_a_french_place_is_found_however_it_is_written(name: str, insee: str) -> None:
    assert gazetteer().lookup(name)[0].insee == insee


@pytest.mark.parametrize(
    ("name", "level", "country"),
    [
        ("Maine-et-Loire", "departement", "FR"),
        ("département 49", "departement", "FR"),
        ("Pays de la Loire", "region", "FR"),
        ("PACA", "region", "FR"),
        ("Allemagne", "country", "DE"),
        ("Germany", "country", "DE"),
        ("Côte d’Ivoire", "country", "CI"),
        ("Londres", "commune", "GB"),
        ("Montreal", "commune", "CA"),
    ],
)
def test_larger_places_and_the_world_are_found_in_french_and_english(name: str, level: str, country: str) -> None:
    found = gazetteer().lookup(name)[0]
    assert (found.level, found.country) == (level, country)


def test_the_most_populous_of_a_name_comes_first() -> None:
    communes = [place for place in gazetteer().lookup("Saint-Denis") if place.level == "commune"]
    assert len(communes) > 3
    assert [p.population for p in communes] == sorted((p.population for p in communes), reverse=True)


def test_a_number_alone_is_no_place() -> None:
    assert gazetteer().lookup("49") == ()
    assert gazetteer().lookup("") == ()


def test_a_position_gives_its_departement_and_nearest_commune() -> None:
    assert gazetteer().departement_at(47.06, -0.88) == "49"
    assert gazetteer().nearest_commune(47.06, -0.88).name == "Cholet"


def test_a_position_at_sea_or_abroad_has_no_departement() -> None:
    assert gazetteer().departement_at(45.0, -8.0) is None
    assert gazetteer().departement_at(52.52, 13.4) is None


def test_codes_lead_to_communes() -> None:
    commune = gazetteer().commune("49007")
    assert commune is not None
    assert (commune.name, commune.departement, commune.admin1) == ("Angers", "49", "52")
    assert gazetteer().commune("49999") is None
    assert "Cholet" in [place.name for place in gazetteer().by_postcode("49300")]


def test_every_departement_has_its_outline_and_its_name() -> None:
    assert len(outlines()) == 101
    assert all(gazetteer().departement(code) for code in outlines())
    assert all(outline.shape.is_valid for outline in outlines().values())


def test_the_distance_from_angers_to_cholet_is_about_52_kilometres() -> None:
    assert distance_m(47.474, -0.552, 47.046, -0.874) == pytest.approx(53_400, rel=0.03)
