"""What is learnt of a post beside the heads: when, stance, refuted, who speaks, need and hazard."""

from pathlib import Path

import numpy as np
import pytest

from nlp.annotate import Annotator
from nlp.deep import fields
from nlp.deep.clues import clues
from nlp.heads import families
from nlp.training import frozen
from nlp.training.fields import FAMILIES, examine, fit_fields, matrix
from nlp.training.sources import Example
from nlp.training.written.post import Written

TOLD = [
    ("Il paraît que le pont a cédé", {"stance": "supports", "when": "now", "hazard": "collapse"}),
    ("C'est vrai que le pont a cédé ?", {"stance": "asks", "when": "now", "hazard": "collapse"}),
    ("La mairie dément : le pont tient", {"stance": "denies", "refuted": "true", "source": "authority"}),
    (
        "Il y a dix ans le pont cédait",
        {"when": "past", "need": "other_relevant_information", "hazard": "flood"},
    ),
    ("Gâteau aux poires ce soir", {}),
]


@pytest.fixture(scope="module")
def small():
    posts = [Example(text, text, "corpus", {}, "fr", names) for text, names in TOLD]
    return posts, matrix(examine((one.text, "fr") for one in posts))


def test_each_family_is_learnt_and_the_same_posts_give_the_same_bytes(small, tmp_path: Path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        fields.save(fit_fields(*small), tmp_path / name)
    first, second = ([(tmp_path / name / file).read_bytes() for file in ("fields.npz", "fields.json")] for name in "ab")
    assert first == second
    assert set(families(fields.shipped(tmp_path / "a").names)) == set(FAMILIES)


def test_what_was_learnt_is_told_again_with_chances_that_sum_to_one(small):
    made = fit_fields(*small)
    for (text, names), findings in zip(TOLD, examine([(text, "fr") for text, _ in TOLD]), strict=True):
        chances = made.of(findings)
        assert all(sum(one.values()) == pytest.approx(1) for one in chances.values())
        assert {family: max(chances[family], key=chances[family].get) for family in names} == names, text


def test_clues_have_length_one_and_a_long_post_costs_no_more():
    (short,) = examine([("fumée noire", "fr")])
    (long,) = examine([("fumée noire sur le port " * 400, "fr")])
    for one in (short, long):
        assert np.sqrt(sum(value**2 for value in clues(one).values())) == pytest.approx(1)
    assert len(clues(long)) < 400


def test_casualties_that_are_denied_do_not_refute_the_event(read):
    assert not read("Séisme à Saumur, aucun blessé").refuted


def test_an_outright_word_names_the_hazard_whatever_was_learnt(read):
    assert read("Séisme à Saumur, tout le monde est descendu dans la rue").hazard.name == "earthquake"


def test_a_hazard_that_no_word_names_is_learnt(read):
    assert read("le plancher de la salle des fêtes est descendu d'un coup avec tout le monde dessus").hazard is not None


def test_the_frozen_test_is_counted_by_language_with_classes_that_it_shows(annotator: Annotator, monkeypatch):
    posts = [
        Written("t-fr-1", "fr", "eyewitness", "Énorme explosion à l'usine de Cholet, des blessés partout", "", about=1,
                relevance=1, tags=("emerging_incident",), hazard="explosion", source="eyewitness", when="now"),
        Written("t-fr-2", "fr", "ordinary", "Gâteau aux poires ce soir", ""),
    ]  # fmt: skip
    monkeypatch.setattr(frozen, "written", lambda part, folder: posts)
    found = {(one.lang, one.measure): one for one in frozen.frozen(frozen.read_frozen(annotator))}
    recall = found["fr", "emerging_incident recall"]
    assert (recall.value, recall.n) == (1.0, 1)
    assert (found["fr", "hazard macro F1"].value, found["fr", "hazard macro F1"].n) == (1.0, 1)
    assert {lang for lang, _ in found} == {"fr"}
