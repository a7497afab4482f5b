"""The search page asks for all that the search can, says who answered, and what it does not understand."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from desk.web.asking import area
from desk.web.evidence import LONGEST, evidence
from desk.web.sketch import corners
from store import annotations
from store.index.cluster import Cluster
from store.records import Geo, Post, Scored
from store.search.either import Either
from store.search.request import Away, Mark
from store.search.tiles import tile_of

AT = datetime(2027, 2, 11, tzinfo=UTC)
AWAY = "nothing answers at that address: start Elasticsearch there, or look at VIGIE_ELASTICSEARCH"


@pytest.fixture
def known(desk):
    """Three posts, each with something that the others have not."""
    desk.incident()
    desk.post("x:1", "grosse fumée <b>noire</b>", "inc-1", geo=Geo(47.06, -0.88, 500.0, "Cholet"), filters=("feu",))
    desk.post("x:2", "la fumée est partie", source="x-recherche", labels=("rumour",), lang="fr")
    early = desk.now - timedelta(days=3)
    desk.post("x:3", "smoke over the harbour", created_at=early, lang="en", geo=Geo(47.26, -0.08))
    with desk.db.write() as conn:
        read = annotations.get(conn, ["x:3"])["x:3"]
        annotations.put(
            conn, [replace(read, lang="en", hazard=Scored("flood", 0.9), tags={"rumour": 0.7}, relevance=0.2)]
        )
    return desk


def shown(desk, query: str) -> list[str]:
    page = desk.client.get("/search?" + query)
    assert page.status_code == 200
    return re.findall(r"grosse|partie|harbour", page.text.partition('class="posts"')[2].partition("</ol>")[0])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sort=newest", ["partie", "grosse", "harbour"]),
        ("sort=oldest", ["harbour", "grosse", "partie"]),
        ("q=fum%C3%A9e&sort=relevance", ["partie", "grosse"]),
        ("q=%22fum%C3%A9e+est%22", ["partie"]),
        ("hazard=flood", ["harbour"]),
        ("tag=rumour", ["partie"]),
        ("tag=rumour&least=0,7", ["harbour"]),
        ("relevance=0.5", ["partie", "grosse"]),
        ("incident=inc-1", ["grosse"]),
        ("source=x-recherche", ["partie"]),
        ("filter=feu", ["grosse"]),
        ("language=en", ["harbour"]),
        ("since=2027-02-10T00:00", ["partie", "grosse"]),
        ("until=2027-02-10", ["harbour"]),
        ("area=47,-1 47.1,-0.8", ["grosse"]),
        ("area=47,-1;47.5,-1;47.5,0;47,0", ["grosse", "harbour"]),
    ],
)
def test_each_field_of_the_form_narrows_the_search(known, query: str, expected: list[str]):
    assert sorted(shown(known, query)) == sorted(expected)
    assert shown(known, query)[-1] == expected[-1]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("q=" + "x" * 2001, "au plus 2000 caractères"),
        ("q=" + "+".join(f"m{n}" for n in range(65)), "64 mots"),
        ("tag=fire", "« fire » n’est pas une étiquette"),
        ("least=0.5", "demande de choisir l’étiquette"),
        ("tag=rumour&least=2", "un nombre de 0 à 1"),
        ("about=nan", "un nombre de 0 à 1"),
        ("hazard=fireworks", "n’est pas une nature connue"),
        ("source=" + "x" * 300, "trop long"),
        ("since=hier", "une date et une heure"),
        ("since=0001-01-01T00:00", "une date et une heure"),
        ("since=2027-02-11&until=2027-02-10", "la fin doit être après le début"),
        ("area=47,-1", "au moins trois|deux pour un rectangle"),
        ("area=47,-1 48,0 47,0 48,-1", "ne se croise pas"),
        ("area=97,-1 48,0", "latitude,longitude"),
        ("area=a,b c,d", "pas « a,b c,d »"),
        ("sort=best", "n’est pas un ordre"),
        ("after=1,2", "reprendre à la première"),
        ("after=a,b&by=sqlite", "reprendre à la première"),
        ("after=1,2&by=oracle", "n’est pas un moteur"),
        ("area=<script>", "&lt;script&gt;"),
    ],
)
def test_what_is_not_understood_is_said_and_what_was_typed_stays(known, query: str, said: str):
    page = known.client.get("/search?" + query)
    assert page.status_code == 400
    assert re.search(said, page.text)
    assert "not understood" in known.client.get(f"/search?{query}&lang=en").text
    assert 'class="posts"' not in page.text


def test_what_was_found_is_marked_and_escaped(known):
    assert "grosse <mark>fumée</mark> &lt;b&gt;noire&lt;/b&gt;" in known.text("/search?q=fumee")


def test_marks_stand_where_the_words_stand_also_far_down_and_after_what_no_screen_can_show():
    text = "  \x00🔥 " + "rien " * 1000 + "fumée"
    at = text.index("fumée")
    found = evidence(Post("x:1", "x", text, AT, AT), None, [Mark(at, at + 5)])
    assert found.parts[-1] == ("fumée", True)
    assert found.parts[0] == ("… ", False)
    assert sum(len(piece) for piece, _ in found.parts) <= LONGEST + 2


def test_a_search_that_finds_nothing_says_so_and_still_has_a_map_to_draw_on(known):
    page = known.text("/search?q=zzz")
    assert "Aucun post ne répond" in page
    assert 'id="sketch"' in page


def test_frequent_values_bars_and_spots_lead_to_narrower_searches(known):
    page = known.text("/search?q=fumee&sort=oldest").replace("&amp;", "&")
    assert "/search?q=fumee&source=x-recherche&sort=oldest" in page
    assert "/search?q=fumee&filter=feu&sort=oldest" in page
    bar = re.search(r'/search\?q=fumee&since=[^"]+', page).group()
    assert known.client.get(bar).status_code == 200
    spot = re.search(r'/search\?q=fumee&area=[^"]+', page).group()
    assert shown(known, spot.partition("?")[2]) == ["grosse"]


def test_the_area_of_a_tile_holds_what_lies_on_the_tile():
    x, y = tile_of(47.06, -0.88, 9)
    ring = area(corners(f"9/{x}/{y}")).ring
    assert min(lat for lat, _ in ring) < 47.06 < max(lat for lat, _ in ring)
    assert min(lon for _, lon in ring) < -0.88 < max(lon for _, lon in ring)


def away(desk) -> None:
    class Gone:
        name = "elasticsearch"

        def search(self, *_, **__):
            raise Away(AWAY)

    search = Either(desk.db, Cluster(("http://127.0.0.1:9",)), engine=lambda *_: Gone())
    desk.app.state.desk = replace(desk.app.state.desk, search=search)


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("fr", "Elasticsearch n’a pas répondu : rien ne répond à cette adresse"),
        ("en", "Elasticsearch did not answer: nothing answers at that address"),
    ],
)
def test_who_answered_and_why_not_the_other_is_said_in_both_languages(known, lang: str, said: str):
    away(known)
    page = known.text(f"/search?q=fumee&lang={lang}")
    assert said in page
    assert "<mark>fumée</mark>" in page


def test_pages_that_elasticsearch_began_lead_back_to_the_first_where_it_is_away(known):
    away(known)
    page = known.client.get("/search?q=fumee&after=5,5&by=elasticsearch")
    assert page.status_code == 503
    assert "reprendre à la première page" in page.text
    assert 'href="/search?q=fumee"' in page.text


def test_without_a_cluster_nothing_is_said_to_be_missing(known):
    page = known.text("/search?q=fumee")
    assert "Réponse de la base de Vigie" in page
    assert "n’a pas répondu" not in page
