"""What is going on, beside a post: its names make the posts that give them likelier to be about it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from nlp.annotate import Annotator
from nlp.context import RAISED, Context
from nlp.fast import FastPath

HOT = Context(hot=frozenset({"Saint-Mesmin", "#AlerteOrage", "Lys"}))


def post(text: str, lang: str | None = None):
    return SimpleNamespace(id="1", text=text, lang=lang, geo=None)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Tout le monde va bien à saint-mesmin ?", True),
        ("Pensées pour SAINT-MESMIN ce soir", True),
        ("On attend des nouvelles #saintmesmin", True),
        ("Quelle nuit #PrayForSaintMesmin", True),
        ("Encore #alerteorage chez nous", True),
        ("Saint-Mesminois de coeur", False),
        ("Trois lettres ne disent rien : lys", False),
        ("Rien à voir", False),
    ],
)
def test_a_name_is_found_as_a_word_or_inside_a_hashtag(text: str, named: bool):
    assert HOT.names_what_goes_on(FastPath().read([post(text)])[0]) is named


def test_without_anything_going_on_nothing_changes():
    assert not Context().names_what_goes_on(FastPath().read([post("Saint-Mesmin")])[0])


def test_a_post_that_names_the_place_is_likelier_to_be_about_it_and_no_likelier_to_be_an_incident():
    text = "Une pensée pour tout le monde à Saint-Mesmin"
    (calm,), (hot,) = (Annotator().annotate([post(text)], "fast", context=one) for one in (Context(), HOT))
    assert hot.about > calm.about
    assert hot.relevance > calm.relevance
    assert hot.tags == calm.tags
    assert RAISED["about"] > RAISED["relevance"]


def test_a_language_that_is_not_scored_stays_without_scores():
    assert Annotator().annotate([post("Что случилось в городе Saint-Mesmin")], context=HOT)[0].about is None
