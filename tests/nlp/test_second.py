"""The second look: where the fast path is in doubt, what a post means decides with its words."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from nlp.annotate import DEEP_FLOOR, LOOKS, TOGETHER, Annotator
from nlp.fast import FastPath
from nlp.heads import BINARY
from nlp.second import Second, in_doubt, save, second
from nlp.training import fit
from nlp.training.second import Doubt, Learnt, fit_second, lesson, read_doubt
from nlp.training.sources import Example
from nlp.training.tuning import teach

VEILED = "On est une douzaine assis dans le noir entre deux étages, ça ne répond plus et il fait très chaud"
WORDS = ("flou", "net", "gris", *("" for _ in range(29)))
ORDINARY = "Trop hâte de voir la suite de la série ce week-end"


def reading(text: str):
    return FastPath().read([post(text)])[0]


def post(text: str, name: str = "1"):
    return SimpleNamespace(id=name, text=text, lang=None, geo=None)


def test_what_the_fast_path_rules_out_is_not_looked_at_again():
    assert not in_doubt(reading(ORDINARY))
    assert in_doubt(reading("Explosion à l'usine, des blessés"))
    assert not in_doubt(reading("Это пожар на заводе"))


def test_a_look_decides_anew_and_says_what_the_post_means():
    one = reading("Explosion à l'usine, des blessés")
    before = dict(one.odds)
    second().look(one)
    assert one.odds != before
    assert one.meant is not None
    assert all(sum(chances.values()) == pytest.approx(1, abs=1e-5) for chances in one.meant.values())


def test_jests_in_the_words_of_harm_are_judged_lower_than_harm():
    annotator = Annotator()
    pairs = (
        (
            "Le balcon est tombé sur la terrasse du café, il y a des gens dessous",
            "Mort de rire sur la terrasse du café",
        ),
        ("The ceiling of the gym came down on the kids, send help", "The kids brought the gym down with that dance"),
    )
    for harm, jest in pairs:
        true, false = annotator.annotate([post(harm), post(jest)])
        assert true.tags["emerging_incident"] > 0.5 > 0.1 > false.tags["emerging_incident"]


def test_where_there_are_more_than_time_for_the_most_relevant_are_looked_at_and_the_others_say_so():
    texts = [f"Explosion à l'usine numéro {number}, des blessés" for number in range(TOGETHER)]
    made = Annotator().annotate([post(text, str(number)) for number, text in enumerate(texts)])
    assert [one.depth for one in made].count("full") == LOOKS
    assert [one.depth for one in Annotator().annotate([post(text) for text in texts[:LOOKS]])] == ["full"] * LOOKS


def test_under_a_floor_what_is_said_of_a_post_does_not_hang_on_what_comes_along():
    texts = [f"Explosion à l'usine numéro {number}, des blessés" for number in range(LOOKS + 2)]
    together = Annotator().annotate([post(text) for text in texts], floor=DEEP_FLOOR)
    assert together == [Annotator().annotate([post(text)], floor=DEEP_FLOOR)[0] for text in texts]


def test_with_words_alone_nothing_is_looked_at_again_and_what_was_in_doubt_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Second, "look", lambda *_: pytest.fail("looked again"))
    crisis, calm = Annotator().annotate([post("Explosion à l'usine, des blessés"), post(ORDINARY)], "words")
    assert (crisis.depth, crisis.when) == ("fast", "now")
    assert calm.depth == "full"


def test_the_fast_depth_never_looks_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Second, "look", lambda *_: pytest.fail("looked again"))
    assert Annotator().annotate([post("Explosion à l'usine, des blessés")], "fast")[0].depth == "fast"


class Told:
    """An encoder whose lower layers say whether a text holds a word of a list, and whose upper ones say nothing yet."""

    def states(self, texts):
        return [np.repeat([[word in text for word in WORDS]], 2, axis=0).astype("f2") for text in texts]

    def layers(self):
        inner = {"fi.w": (64, 32), "fi.b": (64,), "fo.w": (32, 64)}
        shapes = {f"{name}.{part}": (32, 32)[: 1 + (part == "w")] for name in ("q", "k", "v", "ao") for part in "wb"}
        found = {name: np.zeros(shape, "f4") for name, shape in (shapes | inner).items()}
        ones = {"aln.w": np.ones(32, "f4"), "oln.w": np.ones(32, "f4")}
        return [found | ones | {name: np.zeros(32, "f4") for name in ("fo.b", "aln.b", "oln.b")}]


def small() -> tuple[fit.Data, dict[str, fit.Array]]:
    """Forty posts of the corpus and forty ordinary ones, of which a half is in doubt."""
    rows = []
    for number in range(40):
        harm = number // 2 % 2 == 0
        labels = dict.fromkeys(BINARY, int(harm))
        names = {"hazard": "fire" if number % 2 else "flood", "refuted": "false" if harm else "true"}
        names |= {"when": "now", "stance": "asks", "source": "media", "need": "water"} if number % 3 else {}
        text = "flou" if harm else "net"
        rows.append(Example(f"{text} {number}", f"corpus:{number % 8}", "corpus", labels, "fr", names))
        rows.append(Example(f"gris {number}", f"b:{number % 5}", "background_fr", dict.fromkeys(BINARY, 0), "fr"))
    langs, groups = np.array(["fr", "fr", "en", "en"] * 20), np.array([one.group for one in rows])
    data = fit.Data(rows, csr_matrix((80, 4)), langs, groups)
    odds = {head: np.array([0.0 if i % 4 != 1 else -6.0 for i in range(80)]) for head in BINARY}
    return data, odds


@pytest.fixture(scope="module")
def learnt() -> tuple[fit.Data, dict[str, fit.Array], Doubt, Learnt]:
    """What is learnt of the small data, told apart in two parts."""
    data, odds = small()
    read = read_doubt(data, odds, Told())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nlp.training.second.FOLDS", 2)
        return data, odds, read, fit_second(data, read, odds, Told().layers())


def test_only_the_corpus_and_what_is_in_doubt_is_read_and_what_is_not_keeps_its_odds(learnt):
    data, odds, read, made = learnt
    calm = odds["about"] < -5
    harm = np.array([one.labels["about"] == 1 for one in data.examples])
    assert len(read.rows) == 60
    assert made.second.names[: len(BINARY)] == BINARY
    assert np.array_equal(made.odds["about"][calm], odds["about"][calm])
    assert made.odds["about"][harm].mean() > made.odds["about"][~harm & ~calm].mean() + 3


def test_the_same_posts_give_the_same_bytes(learnt, tmp_path):
    data, _, read, made = learnt
    again = teach(Told().layers(), lesson(data, read), np.arange(len(read.rows)))
    for name, head in (("one", made.second), ("two", replace(made.second, weights=again.weights, bias=again.bias))):
        (tmp_path / name).mkdir()
        save(head, tmp_path / name)
    for name in ("second.npz", "second.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert second(tmp_path / "one").names == second(tmp_path / "two").names
    assert all(np.array_equal(made.layers[0][name], again.layers[0][name]) for name in again.layers[0])
    assert not np.array_equal(again.layers[0]["fo.b"], Told().layers()[0]["fo.b"])
