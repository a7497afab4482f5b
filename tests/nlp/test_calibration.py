"""How far probabilities can be believed."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from nlp.heads import BINARY
from nlp.training.calibration import TIMES, reliabilities
from nlp.training.prior import PRIOR
from store.records import TAGS


def made(p: float):
    return SimpleNamespace(about=p, relevance=p, tags=dict.fromkeys(TAGS, p))


def post(harm: bool):
    return SimpleNamespace(about=int(harm), relevance=int(harm), tags=TAGS if harm else ())


def found(told: list[tuple[bool, float]], ordinary: list[float]):
    read = [(post(harm), made(p)) for harm, p in told]
    return {(one.head, one.times): one for one in reliabilities(read, [made(p) for p in ordinary], "fr")}


def test_what_is_so_as_often_as_said_has_no_error():
    every = found([(True, 0.99)] * 50 + [(False, 0.01)] * 50, [0.01] * 400)
    assert {head for head, _ in every} == set(BINARY)
    assert all(one.error < 0.02 for (_, times), one in every.items() if times == 1)


def test_certainty_about_what_is_not_so_is_an_error():
    one = found([(True, 0.99)] * 50, [0.99] * 50)["about", 1.0]
    assert one.error == pytest.approx(0.99 - PRIOR["about"], abs=0.15)
    assert one.n == 100


def test_at_half_the_share_of_crises_the_odds_are_halved():
    one = found([(True, 0.6)] * 50, [0.01] * 50)["relevance", TIMES[1]]
    prior = PRIOR["relevance"]
    odds = 0.6 / 0.4 * (prior / 2 / (1 - prior / 2)) / (prior / (1 - prior))
    assert one.points[0][0] == pytest.approx(odds / (1 + odds), abs=0.01)


def test_less_likely_posts_do_not_count():
    assert found([(True, 0.2)] * 10, [0.1] * 10)["about", 1.0].n == 0
