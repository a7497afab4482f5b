import pytest

from store.search import words
from store.search.words import Term


def word(*some):
    return tuple(Term((one,)) for one in some)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", ()),
        ("  ?! 🔥 * _ ", ()),
        ('"', ()),
        ('""', ()),
        ("fumée", (Term(("fumée",), True),)),
        ("fumée usine", (*word("fumée"), Term(("usine",), True))),
        ("usine usine fumée", (*word("usine"), Term(("fumée",), True))),
        ("usine usine", (*word("usine"), Term(("usine",), True))),
        ('"fumée noire"', (Term(("fumée", "noire")),)),
        ('feu "fumée noire" usi', (*word("feu"), Term(("fumée", "noire")), Term(("usi",), True))),
        ("feu « fumée noire »", (*word("feu"), Term(("fumée", "noire")))),
        ("“fumée noire”", (Term(("fumée", "noire")),)),
        ('"gare', (Term(("gare",), True),)),
        ('bien "gare', (*word("bien"), Term(("gare",), True))),
        ("fume\u0301e", (Term(("fumée",), True),)),
        ("q\u0301", (Term(("q",), True),)),
        ("cœur", (Term(("coeur",), True),)),
        ("gare_routière", (*word("gare"), Term(("routière",), True))),
        ("text:gare AND (NOT x*)", (*word("text", "gare", "AND", "NOT"), Term(("x",), True))),
        ("l'usine", (Term(("usine",), True),)),
        ("jusqu’à l’usine", (*word("à"), Term(("usine",), True))),
        ('"de l\'usine"', (Term(("de", "l", "usine")),)),
        ("hôtel's", (*word("hôtel"), Term(("s",), True))),
        ("火事", (Term(("火事",), True),)),
    ],
)
def test_what_is_typed_is_read_as_words_and_phrases(typed, expected):
    assert words.terms(typed) == expected


def test_a_text_that_is_too_long_is_refused_with_the_limit():
    with pytest.raises(ValueError, match="at most 2000 characters"):
        words.terms("a" * 2001)


def test_too_many_words_are_refused_with_the_limit():
    with pytest.raises(ValueError, match="at most 64 words"):
        words.terms(" ".join(str(n) for n in range(65)))
