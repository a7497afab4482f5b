import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.text import camel_parts, fold, folded_with_offsets, hashtag_words, key


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Fumée NOIRE", "fumee noire"),
        ("L’Œuvre d’Hervé", "l'oeuvre d'herve"),
        ("Straße", "strasse"),
        ("İstanbul", "istanbul"),
        ("fu\u200bmée", "fumee"),
        ("e\u0301vacue\u0301", "evacue"),
        ("𝐅𝐞𝐮", "feu"),
        ("\u202eabc", "abc"),
    ],
)
def test_folding_takes_away_what_does_not_matter(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text(st.characters(exclude_categories=()), max_size=80))
def test_folding_never_fails_and_every_folded_character_has_its_origin(text: str) -> None:
    folded, offsets = folded_with_offsets(text)
    assert folded == fold(text)
    assert len(offsets) == len(folded)
    assert offsets == sorted(offsets)
    assert all(0 <= offset < len(text) for offset in offsets)


@given(st.text(max_size=80))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize("name", ["St-Denis", "SAINT DENIS", "saint-denis", "St. Denis", "Saint—Denis"])
def test_a_key_is_the_same_for_every_spelling_of_a_saint(name: str) -> None:
    assert key(name) == "saint denis"


def test_the_words_inside_hashtags_are_found() -> None:
    assert hashtag_words("au secours #IncendieCholet #feu49 #SDIS49") == "Incendie Cholet feu 49 SDIS 49"
    assert hashtag_words("rien") == ""


def test_words_run_together_are_parted_in_any_alphabet() -> None:
    assert camel_parts("ÉvacuationEnCours_Žižkov") == ["Évacuation", "En", "Cours", "Žižkov"]
