"""The learning curve is measured on what the heads did not learn from, and drawn."""

import struct

import numpy as np
import pytest
from click.testing import CliRunner
from written_kit import corpus, crisis, ordinary

from desk.commands.corpus import command
from desk.draw import HEIGHT, WIDTH, Canvas, Curve, chart
from nlp.language import languages
from nlp.training import fit, sources
from nlp.training.sources import NOTHING, Example
from nlp.training.written import card, curve, real

PLACES = ("pont", "quai", "garage", "gymnase", "moulin", "préau", "marché", "canal", "stade", "silo")
HARM = ("est sous les eaux", "brûle encore", "vient de tomber", "est plein de fumée")
CALM = ("est ouvert samedi", "fait des crêpes", "a repeint sa porte", "cherche un pianiste")


def texts(endings, prefix):
    return [f"{prefix} le {place} {ending}" for place in PLACES for ending in endings]


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> curve.Material:
    posts = [
        crisis(id=f"t-fr-{i}a", neighbour=f"t-fr-{i}b", text=text, hazard="avalanche" if i % 2 else "fire")
        for i, text in enumerate(texts(HARM, "regardez"))
    ] + [ordinary(id=f"t-fr-{i}b", neighbour=f"t-fr-{i}a", text=text) for i, text in enumerate(texts(CALM, "regardez"))]
    test = corpus(tmp_path_factory.mktemp("curve"), test=tuple(posts)).part("test")
    harm = {"about": 1, "relevance": 1, "emerging_incident": 1}
    rows = [
        ("base", "crisislex_t26", dict(NOTHING), CALM, "ici"),
        ("base", "background_fr", dict(NOTHING), CALM, "hein"),
        ("base", "crisislex_t26", {"about": 1, "relevance": 1}, HARM, "là"),
        ("r01", "corpus", harm, HARM, "alors"),
        ("background", "background_fr", dict(NOTHING), CALM, "hier"),
    ]
    told = [
        (Example(text, f"{source}{i % 12}", source, labels, "fr"), origin)
        for origin, source, labels, endings, prefix in rows
        for i, text in enumerate(texts(endings, prefix))
    ]
    told += [(sources.example(one, f"test:{one.id}"), "test") for one in test]
    data = fit.prepare([one for one, _ in told], languages())
    assert len(data.examples) == len(told)
    return curve.Material(data, np.array([origin for _, origin in told]), tuple(test), ("r01",))


def test_a_round_that_shows_harm_raises_recall_on_hazards_it_does_not_show(made):
    rounds = list(made.rows("r01"))
    assert rounds
    (point,) = curve.curve(made, [1])
    told = {(one.task, one.measure): one.value for one in point.figures}
    assert point.posts == len(rounds)
    assert told["test, unseen hazards", "emerging_incident recall"] > 0.8
    assert told["test, ordinary", "emerging_incident false alarms"] < 0.2


def test_no_head_learns_from_the_test_part(made):
    learnt = made.rows("base", "r01")
    assert not set(learnt) & set(made.rows("test", "background"))


def test_telling_written_from_real_is_measured_with_its_interval(made):
    told = real.measured(made)
    assert 0.5 < told.auc <= 1
    assert told.low <= told.helped - told.plain <= told.high


def test_stories_and_rounds_are_told_by_the_name_of_the_file(tmp_path):
    corpus(tmp_path, crisis())
    assert curve.round_of(corpus(tmp_path, crisis()).posts[0]) == "r01"


def test_a_chart_is_a_png_of_its_size_with_the_colour_of_its_curve():
    png = chart("Recall", "posts", [Curve("fr", ((0, 0.1), (100, 0.9)))])
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", png[16:24]) == (WIDTH, HEIGHT)
    assert png != chart("Recall", "posts", [])


def test_letters_are_drawn_where_they_are_asked_for():
    canvas = Canvas(20, 20)
    canvas.text(2, 3, "I", size=1)
    dark = np.argwhere(canvas.pixels.sum(axis=2) < 300)
    assert (dark.min(axis=0).tolist(), dark.max(axis=0).tolist()) == ([3, 3], [9, 5])


def test_kept_figures_of_an_earlier_state_say_so_on_the_card(tmp_path):
    corpus(tmp_path, crisis(), ordinary())
    (tmp_path / "CARD.md").write_text("<!-- curve -->\n<!-- end -->\n<!-- sizes -->\n<!-- end -->\n")
    point = curve.Point(("r01",), 2, (curve.share("test", "fr", "recall", 1, 4),))
    card.keep_curve([point], tmp_path)
    assert "earlier" not in card.card(tmp_path)
    assert "| test | fr | recall | 0.250 | 4 |" in card.card(tmp_path)
    corpus(tmp_path, crisis(), ordinary(text="autre chose"))
    assert "earlier state" in card.card(tmp_path)


def test_the_command_checks_a_corpus_and_fails_where_it_is_faulty(tmp_path, monkeypatch):
    monkeypatch.setenv("VIGIE_SHARED_DATA", str(tmp_path / "nowhere"))
    corpus(tmp_path, crisis(hazard="fires"), ordinary())
    done = CliRunner().invoke(command, ["check", "--corpus", str(tmp_path)])
    assert done.exit_code == 1
    assert "train/r01-a.jsonl:1: error: hazard" in done.output
    assert "Not compared with real posts" in done.output
