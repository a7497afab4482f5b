"""Places: gazetteer names, homonyms, roads, streets, and words that are no place."""

import pytest

from nlp.annotate import Annotator
from nlp.context import Context
from nlp.wire import Line
from store.records import Geo, Location


@pytest.fixture(scope="module")
def places():
    annotator = Annotator()

    def find(
        text: str, lang: str | None = None, geo: Geo | None = None, home: frozenset[str] = frozenset()
    ) -> list[Location]:
        return list(annotator.annotate([Line("1", text, lang, geo)], context=Context(home))[0].locations)

    return find


@pytest.mark.parametrize(
    ("text", "written", "insee"),
    [
        ("Énorme explosion à Rouen", "Rouen", "76540"),
        ("gros feu a cholet", "cholet", "49099"),
        ("INCENDIE A ANGERS", "ANGERS", "49007"),
        ("Tout brûle #Cholet", "Cholet", "49099"),
        ("Crue au Lion-d'Angers : la rivière à Chemillé-en-Anjou monte", "Chemillé-en-Anjou", "49092"),
        ("🔥🔥 Incendie à Nice", "Nice", "06088"),
    ],
)
def test_a_commune_is_found_with_its_span(places, text: str, written: str, insee: str):
    found = {location.insee: text[location.start : location.end] for location in places(text)}
    assert found[insee] == written


@pytest.mark.parametrize(
    "text", ["Je vais à table", "sens unique ici", "une orange pressée", "le tour est joué", "un brion de folie"]
)
def test_ordinary_words_are_no_place(places, text: str):
    assert places(text) == []


def test_the_largest_homonym_comes_first_and_the_others_are_listed(places):
    (place,) = places("Incendie à Saint-Denis")
    assert len(place.alternatives) >= 2


def test_a_departement_code_decides_between_homonyms(places):
    (place,) = places("Incendie à Saint-Denis (93)")
    assert place.insee == "93066"


def test_the_posts_own_position_decides_between_homonyms(places):
    (place,) = places("Incendie à Saint-Denis", geo=Geo(48.93, 2.36))
    assert place.departement == "93"


def test_homonyms_lean_to_the_agencys_own_departements(places):
    (place,) = places("Incendie à Beaufort", home=frozenset({"34"}))
    assert place.departement == "34"


def test_a_second_place_decides_between_homonyms(places):
    first = places("Incendie à Beaufort")[0]
    near = places("Incendie à Beaufort près d'Albertville")[0]
    assert (near.departement, first.alternatives != ()) == ("73", True)


def test_en_and_the_article_name_the_departement(places):
    assert places("Inondations dans la Mayenne")[0].level == "departement"
    assert places("Inondations à Mayenne")[0].level == "commune"


def test_a_departement_number_is_read(places):
    (place,) = places("Gros orages dans le 49, inondations")
    assert (place.level, place.departement) == ("departement", "49")


def test_a_road_tells_its_spot_and_claims_no_position(places):
    road = places("Accident grave A13 sens Paris PR 112 sortie 24, 3 voitures")[0]
    assert road.level == "road"
    assert (road.road.ref, road.road.direction, road.road.pr, road.road.exit) == ("A13", "Paris", "112", "24")
    assert (road.lat, road.lon, road.radius_m) == (None, None, None)


def test_a_road_between_two_towns_names_both(places):
    road = places("Carambolage sur l'A11 entre Angers et Le Mans")[0]
    assert (road.road.from_, road.road.to) == ("Angers", "Le Mans")


def test_where_a_road_leads_is_a_direction_and_not_the_event(places):
    found = places("Accident A13 sens Paris, trois blessés")
    assert [place.role for place in found if place.name == "Paris"] == ["direction"]


def test_a_channel_and_a_paper_size_are_no_road(places):
    assert places("Ce soir sur M6 un film, imprimé en A4") == []


@pytest.mark.parametrize(
    ("text", "name", "level"),
    [
        ("Le feu rue de la Gare, fumée partout", "rue de la Gare", "street"),
        ("incendie rue bressigny", "rue bressigny", "street"),
        ("Voitures brûlées quartier Monplaisir", "quartier Monplaisir", "district"),
        ("Alerte à la bombe au lycée Jean Moulin", "lycée Jean Moulin", "poi"),
        ("Feu de forêt, forêt de Chandelais évacuée", "forêt de Chandelais", "natural"),
        ("House fire on Mill Street", "Mill Street", "street"),
    ],
)
def test_named_spots_have_a_level_and_no_position(places, text: str, name: str, level: str):
    spot = next(place for place in places(text) if place.name == name)
    assert (spot.level, spot.lat) == (level, None)


def test_offsets_count_code_points_after_ligatures_and_emoji(places):
    text = "👩‍🚒 Mon cœur bat, explosion à Rouen"
    (place,) = places(text)
    assert text[place.start : place.end] == "Rouen"
