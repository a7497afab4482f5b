from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from desk.web.evidence import LONGEST, evidence, link, marked, readable
from store.records import Post

AT = datetime(2027, 2, 11, tzinfo=UTC)


def post(id: str, text: str = "") -> Post:
    return Post(id, "x-stream", text, AT, AT)


def test_the_words_that_decided_are_marked_whatever_their_accents_and_case():
    assert marked("Une FUMEE noire monte", ["fumée noire"]) == [
        ("Une ", False),
        ("FUMEE noire", True),
        (" monte", False),
    ]


def test_a_word_inside_another_is_not_marked():
    assert marked("parfumée", ["fumée"]) == [("parfumée", False)]


def test_the_longest_of_two_overlapping_terms_is_marked():
    assert ("fumée noire", True) in marked("fumée noire", ["fumée", "fumée noire"])


def test_a_ligature_at_the_edge_of_a_term_is_kept_whole():
    assert marked("au cœur", ["coeur"]) == [("au ", False), ("cœur", True)]


def test_the_pieces_together_are_the_text():
    text = "🔥é\u202ea fumée\u0301 x"
    assert "".join(piece for piece, _ in marked(text, ["fumée", "x"])) == text


@pytest.mark.parametrize("bad", ["\0", "\ud83d", "\x1b", "\x9b"])
def test_what_no_screen_can_show_becomes_the_replacement_character(bad: str):
    assert readable(f"a{bad}b") == "a\ufffdb"


def test_a_very_long_post_is_cut_and_says_so():
    shown = evidence(post("x:1", "a" * 100_000), None)
    assert (shown.cut, len(shown.parts[0][0])) == (True, LONGEST)


def test_a_post_of_x_links_to_x():
    assert link(post("x:1900000000000000001")) == "https://x.com/i/web/status/1900000000000000001"


@pytest.mark.parametrize("id", ["file:12", "x:javascript", "x:1/../2", "x:٣"])
def test_nothing_else_is_made_a_link(id: str):
    assert link(post(id)) is None


def test_a_post_of_a_drill_is_no_link_to_the_platform():
    assert link(replace(post("x:1900000000000000001"), status="Exercise")) is None
