import orjson
import pytest

from config.settings import ROOT
from desk.kibana import check, pack, views
from desk.kibana.say import LANGS, strings

SHIPPED = ROOT / "docker" / "kibana"


def plain(lang):
    return [one.plain() for one in pack.objects(lang)]


@pytest.mark.parametrize("lang", LANGS)
def test_every_object_is_what_kibana_9_2_takes(lang):
    assert check.faults(plain(lang), lang) == []


@pytest.mark.parametrize("lang", LANGS)
def test_the_shipped_file_is_what_the_code_makes_now(lang):
    made = pack.lines(pack.objects(lang))
    stale = f"run: vigie kibana export --lang {lang} -o docker/kibana/vigie-{lang}.ndjson, without VIGIE_ settings"
    assert (SHIPPED / f"vigie-{lang}.ndjson").read_bytes() == made, stale


def test_the_two_languages_show_the_same_panels_in_the_same_places():
    def places(lang):
        boards = [one for one in plain(lang) if one["type"] == "dashboard"]
        panels = [orjson.loads(board["attributes"]["panelsJSON"]) for board in boards]
        return [[{**panel["gridData"], "i": ""} for panel in board] for board in panels]

    assert places("fr") == places("en")


def test_no_object_of_one_language_has_the_id_of_the_other():
    assert not {one["id"] for one in plain("fr")} & {one["id"] for one in plain("en")}


def test_nothing_shows_the_public_order_results():
    assert "public-order" not in pack.lines(pack.both()).decode()


def test_every_text_is_there_in_both_languages_and_differs_where_it_should():
    assert all(set(text) == set(LANGS) and all(text.values()) for text in strings().values())


def test_every_field_that_has_a_name_is_a_field_of_some_family():
    named = {key.removeprefix("field.") for key in strings() if key.startswith("field.")}
    assert named <= {field for family in views.SHOWN for field in views.fields(family.name)}


def test_links_lead_to_the_page_of_the_incident_at_the_desk():
    made = pack.objects("fr", desk_url="https://desk.example.org")
    incidents = next(one for one in made if one.id == "vigie-incidents-fr")
    link = orjson.loads(incidents.attributes["fieldFormatMap"])["id"]
    assert link["params"]["urlTemplate"] == "https://desk.example.org/incidents/{{value}}"


def test_another_prefix_moves_the_indices_and_keeps_the_ids():
    ours, theirs = pack.objects("fr"), pack.objects("fr", prefix="crise")
    assert [one.id for one in ours] == [one.id for one in theirs]
    assert {one.attributes["title"] for one in theirs if one.type == "index-pattern"} >= {"crise-posts", "crise-hours"}
