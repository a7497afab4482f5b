from dataclasses import replace
from datetime import timedelta

import pytest

from store import annotations, incidents, posts
from store.records import Geo, Location
from store.search import tiles
from store.search.embedded import Embedded
from store.search.request import Area, Count, Mark, Query

TEXTS = {
    1: "Énorme FUMÉE près de l'usine",
    2: "fumees blanches, rien de grave",
    3: "Œufs brisés sur la chaussée",
    4: "Le cœur de ville est bloqué",
    5: "tout va bien (vraiment) NEAR la gare",
}
SQUARE = Area(((47.0, -1.0), (47.0, 0.0), (48.0, 0.0), (48.0, -1.0)))


@pytest.fixture
def engine(db):
    return Embedded(db)


@pytest.fixture
def asked(engine):
    def ids(words="", **conditions):
        how = {name: conditions.pop(name) for name in ("sort", "limit", "after") if name in conditions}
        return numbers(engine.search(Query(words, **conditions), **how))

    return ids


def numbers(page):
    return [int(hit.post_id.partition(":")[2]) for hit in page.found]


@pytest.fixture
def keep(db):
    def kept(new, read=()):
        with db.write() as conn:
            posts.add(conn, new)
            annotations.put(conn, read)

    return kept


@pytest.fixture
def found(keep, make, asked):
    keep([make.post(n, text) for n, text in TEXTS.items()])
    return asked


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("fumée", [2, 1]),
        ("FUMEE", [2, 1]),
        ("fume\u0301e", [2, 1]),
        ("fum", [2, 1]),
        ("fumée usine", [1]),
        ("fum usine", []),
        ("l'usine", [1]),
        ("oeufs", [3]),
        ("œufs", [3]),
        ("COEUR", [4]),
        ("chaussee", [3]),
        ("", [5, 4, 3, 2, 1]),
        ("  ", [5, 4, 3, 2, 1]),
    ],
)
def test_words_are_found_without_accents_or_case_and_the_last_as_a_beginning(found, words, expected):
    assert found(words) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ('"', []),
        ("*", []),
        ("?!", []),
        ("🔥", []),
        ('"gare', [5]),
        ("gare*", [5]),
        ("(vraiment", [5]),
        ("vraiment) NEAR gare", [5]),
        ("NEAR(gare bien, 2)", []),
        ("gare OR usine", []),
        ("NOT gare", []),
        ("text:gare", []),
        ("^gare", [5]),
        ("gare -bien", [5]),
        ("gare; DROP TABLE posts", []),
        ("gare\0", [5]),
        ("gare\ud800", [5]),
        ("bloqué' OR 1=1 --", []),
        ("{gare} + bien", [5]),
    ],
)
def test_what_looks_like_a_query_language_is_only_words(found, words, expected):
    assert found(words) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ('"tout va"', [5]),
        ('"va tout"', []),
        ('"fumees blanches" rien', [2]),
        ('"fum"', []),
        ('"œufs brises" chauss', [3]),
        ('rien "blanch"', []),
        ('"" gar', [5]),
        ('"tout" "la gare"', [5]),
    ],
)
def test_a_phrase_is_found_as_it_is_and_its_last_word_whole(found, words, expected):
    assert found(words) == expected


@pytest.fixture
def known(keep, make):
    """Five posts, each with something that the others have not."""
    place = Location("Cholet", 0, 6, "Cholet", "commune", lat=47.06, lon=-0.88)
    doubtful = replace(place, name="Nantes", lat=1.0, confidence=0.4)
    keep(
        [
            make.post(1, "fumée"),
            make.post(2, "fumée", source="x", lang="en"),
            make.post(3, "fumée", filters=("smoke", "fire")),
            make.post(4, "fumée", geo=Geo(47.5, -0.5, None, "Angers")),
            make.post(5, "fumée", geo=Geo(45.0, -0.5)),
        ],
        [
            make.annotation(1, locations=(replace(place, role="author", lat=1.0), doubtful, place)),
            make.annotation(2, hazard=None, labels=("rumour",), lang=None, tags={"rumour": 0.8}),
            make.annotation(3, labels=("public_order_threat",), tags={"public_order_threat": 0.7}, relevance=0.2),
        ],
    )


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"tag": "rumour"}, [2]),
        ({"tag": "rumour", "least": 0.8}, [2]),
        ({"tag": "rumour", "least": 0.81}, []),
        ({"tag": "emerging_incident"}, [1]),
        ({"tag": "public_order_threat"}, [3]),
        ({"tag": "public_order_threat", "least": 0.6}, [3]),
        ({"tag": "public_order_threat", "least": 0.8}, []),
        ({"about": 0.5}, [3, 2, 1]),
        ({"relevance": 0.5}, [2, 1]),
        ({"hazard": "fire", "words": "fumee"}, [3, 1]),
        ({"source": "x"}, [2]),
        ({"filter": "fire"}, [3]),
        ({"filter": "fir"}, []),
        ({"lang": "en"}, [2]),
        ({"area": SQUARE}, [4, 1]),
        ({"cleared": False}, [5, 4, 2, 1]),
    ],
)
def test_a_condition_narrows_the_search(known, asked, conditions, expected):
    assert asked(**conditions) == expected


def test_posts_of_an_incident_are_found_by_it_until_they_are_unlinked(db, known, asked):
    with db.write() as conn:
        incidents.link(conn, "i1", ["file:3", "file:1"])
    assert asked("fumee", incident="i1") == [3, 1]
    with db.write() as conn:
        conn.exec_driver_sql("DELETE FROM incident_posts WHERE post_id = 'file:3'")
    assert asked(incident="i1") == [1]


def test_the_time_asked_for_includes_its_first_moment_and_not_its_last(known, asked, clock):
    at = clock.now
    assert asked(since=at + timedelta(seconds=2), until=at + timedelta(seconds=4)) == [3, 2]


def test_a_new_reading_moves_a_post_and_a_reading_without_place_puts_it_where_the_platform_says(db, keep, make, asked):
    away = Location("Nantes", 0, 6, "Nantes", "commune", lat=47.2, lon=-1.5)
    keep([make.post(1, geo=Geo(47.5, -0.5))], [make.annotation(1, locations=(away,))])
    assert asked(area=SQUARE) == []
    keep([], [make.annotation(1)])
    assert asked(area=SQUARE) == [1]


def test_what_was_read_in_an_edited_post_is_searched_by_no_more(db, known, asked, make):
    with db.write() as conn:
        posts.edit(conn, make.post(1, "brouillard", geo=Geo(45.0, 0.0)))
    assert (asked(hazard="fire"), asked(area=SQUARE), asked("brouillard")) == ([3], [4], [1])


def test_an_area_is_what_was_drawn_and_not_the_box_around_it(keep, make, asked):
    keep([make.post(1, geo=Geo(47.1, -0.9)), make.post(2, geo=Geo(47.9, -0.1))])
    assert asked(area=Area(((47.0, -1.0), (47.0, 0.0), (48.0, -1.0)))) == [1]


def test_an_area_across_the_date_line_is_answered(known, asked):
    assert asked(area=Area(((10.0, 170.0), (-10.0, 170.0), (-10.0, -170.0), (10.0, -170.0)))) == []


@pytest.mark.parametrize("sort", ["newest", "oldest", "relevance"])
@pytest.mark.parametrize("words", ["", "fumée"])
def test_pages_follow_each_other_without_gap_or_repeat_while_posts_come_in(keep, make, engine, sort, words):
    at = make.post(1).created_at
    keep([make.post(n, "fumée " * (n % 3 + 1), created_at=at + timedelta(seconds=n % 4)) for n in range(1, 12)])
    whole = numbers(engine.search(Query(words), sort=sort))
    pages, after = [], None
    for new in range(100, 110):
        page = engine.search(Query(words), sort=sort, limit=3, after=after)
        pages += numbers(page)
        after = page.after
        if after is None:
            break
        late = timedelta(hours=-1 if sort == "oldest" else 1)
        keep([make.post(new, "fumée fumée fumée", created_at=at + late)])
    assert [n for n in pages if n < 100] == whole
    assert len(whole) == 11


def test_the_newest_come_first_by_when_they_were_written_and_not_by_when_they_came(keep, make, asked):
    at = make.post(1).created_at
    keep([make.post(1, created_at=at), make.post(2, created_at=at - timedelta(days=1)), make.post(3, created_at=at)])
    assert asked() == [3, 1, 2]
    assert asked(sort="oldest") == [2, 1, 3]


def test_what_says_the_words_most_is_the_most_relevant(keep, make, asked):
    keep([make.post(1, "fumée"), make.post(2, "fumée fumée fumée"), make.post(3, "fumée " + "et puis rien " * 20)])
    assert asked("fumée", sort="relevance") == [2, 1, 3]


@pytest.mark.parametrize("after", [(0.5, 1), (2**64, 1)])
def test_a_page_that_never_ended_there_is_refused(engine, known, after):
    with pytest.raises(ValueError, match="page before"):
        engine.search(Query(), after=after)


def test_the_total_counts_what_the_page_does_not_show(found, engine):
    page = engine.search(Query(), limit=2)
    assert (len(page.found), page.total, page.engine) == (2, 5, "sqlite")


@pytest.mark.parametrize(
    ("text", "words", "marked"),
    [
        ("Énorme FUMÉE ici", "fumee", ["FUMÉE"]),
        ("🔥🚒 fumées", "fum", ["fumées"]),
        ("fume\u0301e", "fumee", ["fume\u0301e"]),
        ("Œufs au cœur", "oeufs coeur", ["Œufs", "cœur"]),
        ("la gare, la gare de fret", '"gare de fret"', ["gare", "de", "fret"]),
        ("gare GARE gares", "gare", ["gare", "GARE", "gares"]),
        ("gare gares", '"gare"', ["gare"]),
        ("l'usine d'eau", "l'usine", ["usine"]),
    ],
)
def test_marks_are_where_the_words_stand_in_the_text_as_it_was_written(keep, make, engine, text, words, marked):
    keep([make.post(1, text)])
    (hit,) = engine.search(Query(words)).found
    assert [text[mark.start : mark.end] for mark in hit.marks] == marked


def test_an_emoji_before_a_word_counts_as_one(keep, make, engine):
    keep([make.post(1, "🔥 feu")])
    assert engine.search(Query("feu")).found[0].marks == (Mark(2, 5),)


def test_the_histogram_holds_the_steps_without_posts(keep, make, engine):
    at = make.post(1).created_at
    keep([make.post(n, created_at=at + timedelta(hours=n)) for n in (0, 0, 3)] + [make.post(9, created_at=at)])
    keys = [f"2026-03-02T{hour}:00:00Z" for hour in (12, 13, 14, 15)]
    assert engine.histogram(Query(), "hour") == [Count(key, n) for key, n in zip(keys, (2, 0, 0, 1), strict=True)]


def test_the_histogram_of_nothing_is_empty(engine):
    assert engine.histogram(Query("rien"), "day") == []


def test_a_histogram_of_too_many_steps_is_refused(keep, make, engine):
    at = make.post(1).created_at
    keep([make.post(1), make.post(2, created_at=at + timedelta(days=30))])
    with pytest.raises(ValueError, match="take a longer one"):
        engine.histogram(Query(), "minute")


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("source", {"file": 4, "x": 1}),
        ("hazard", {"fire": 2}),
        ("labels", {"emerging_incident": 1, "rumour": 1}),
        ("filters", {"fire": 1, "smoke": 1}),
        ("lang", {"fr": 2, "en": 1}),
        ("place", {"Angers": 1, "Cholet": 1}),
        ("voice", {"unknown": 3}),
        ("need", {}),
        ("departement", {}),
        ("incident", {"i1": 2}),
    ],
)
def test_values_are_counted_those_of_most_posts_first(db, known, engine, field, expected):
    with db.write() as conn:
        incidents.link(conn, "i1", ["file:2", "file:1"])
    assert engine.top(Query("fumée"), field) == [Count(key, n) for key, n in expected.items()]


def test_who_is_not_cleared_has_no_count_that_holds_them(known, engine):
    query = Query(cleared=False)
    assert engine.search(query).total == 4
    assert engine.top(query, "hazard") == [Count("fire", 1)]
    assert sum(count.posts for count in engine.histogram(query, "day")) == 4


def test_tiles_hold_the_posts_that_lie_on_them(known, engine):
    (first, second) = engine.tiles(Query(), 6)
    assert (first.key, first.posts) == ("6/31/22", 2)
    assert (first.lat, first.lon) == pytest.approx((47.28, -0.69))
    assert (second.key, second.posts) == ("6/31/23", 1)


@pytest.mark.parametrize(
    ("lat", "lon", "zoom", "tile"),
    [
        (48.8584, 2.2945, 15, (16592, 11272)),  # a tower on the left bank
        (90.0, 180.0, 3, (7, 0)),
        (-90.0, -180.0, 3, (0, 7)),
        (0.0, 0.0, 0, (0, 0)),
    ],
)
def test_a_position_lies_on_the_tile_that_web_maps_give_it(lat, lon, zoom, tile):
    assert tiles.tile_of(lat, lon, zoom) == tile


def test_a_deleted_post_is_found_no_more(db, found):
    with db.write() as conn:
        posts.delete(conn, ["file:1"])
        conn.exec_driver_sql("INSERT INTO posts_fts (posts_fts) VALUES ('integrity-check')")
        assert conn.exec_driver_sql("SELECT count(*) FROM traits").scalar_one() == 4
    assert found("fumée") == [2]


def test_an_edited_post_is_found_by_its_new_words_only(db, found):
    with db.write() as conn:
        conn.exec_driver_sql("UPDATE posts SET text = 'brouillard' WHERE id = 'file:1'")
    assert (found("fumée"), found("brouillard")) == ([2], [1])
