from datetime import timedelta

import pytest

from store import annotations, incidents, posts
from store.search import embedded

TEXTS = {
    1: "Énorme FUMÉE près de l'usine",
    2: "fumees blanches, rien de grave",
    3: "Œufs brisés sur la chaussée",
    4: "Le cœur de ville est bloqué",
    5: "tout va bien (vraiment) NEAR la gare",
}


@pytest.fixture
def found(db, make):
    with db.write() as conn:
        posts.add(conn, [make.post(n, text) for n, text in TEXTS.items()])

    def ids(words="", **conditions):
        with db.read() as conn:
            return [int(hit.post.native_id) for hit in embedded.search(conn, words, **conditions)]

    return ids


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


def test_conditions_narrow_the_search(db, make, clock):
    with db.write() as conn:
        posts.add(conn, [make.post(n, "fumée", source="x" if n == 2 else "file") for n in range(1, 6)])
        annotations.put(conn, [make.annotation(1), make.annotation(2, hazard=None, labels=("rumour",))])
        incidents.link(conn, "i1", ["file:3", "file:1"])

    def ids(**conditions):
        with db.read() as conn:
            return [int(hit.post.native_id) for hit in embedded.search(conn, **conditions)]

    assert ids(tag="rumour") == [2]
    assert ids(hazard="fire", words="fumee") == [1]
    assert ids(source="x") == [2]
    assert ids(incident="i1", words="fumee") == [3, 1]
    assert ids(since=clock.now + timedelta(seconds=2), until=clock.now + timedelta(seconds=4)) == [3, 2]


def test_pages_follow_each_other_without_gap_or_repeat(found):
    first = found(limit=2)
    second = found(limit=2, before=f"file:{first[-1]}")
    third = found(limit=2, before=f"file:{second[-1]}")
    assert [first, second, third] == [[5, 4], [3, 2], [1]]


def test_a_hit_has_the_annotation_where_there_is_one(db, make):
    with db.write() as conn:
        posts.add(conn, [make.post(1), make.post(2)])
        annotations.put(conn, [make.annotation(1)])
        hits = embedded.search(conn)
    assert hits == [embedded.Hit(make.post(2), None), embedded.Hit(make.post(1), make.annotation(1))]


def test_an_unknown_tag_is_refused_with_the_tags_there_are(db):
    with db.read() as conn, pytest.raises(ValueError, match="rumour, public_order_threat, emerging_incident"):
        embedded.search(conn, tag="%")


def test_a_deleted_post_is_found_no_more(db, found):
    with db.write() as conn:
        posts.delete(conn, ["file:1"])
        conn.exec_driver_sql("INSERT INTO posts_fts (posts_fts) VALUES ('integrity-check')")
    assert found("fumée") == [2]


def test_an_edited_post_is_found_by_its_new_words_only(db, found):
    with db.write() as conn:
        conn.exec_driver_sql("UPDATE posts SET text = 'brouillard' WHERE id = 'file:1'")
    assert (found("fumée"), found("brouillard")) == ([2], [1])
