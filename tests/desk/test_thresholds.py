"""`vigie thresholds`: the operating point for a number of pages a night."""

import json

import pytest
from click.testing import CliRunner

from desk.cli import main
from desk.commands.thresholds import SCORES, within
from nlp.detect.again import Outcome


def nightly(*counts: int) -> list[Outcome]:
    return [Outcome(score, count, count, 0, 0, 0, 0) for score, count in zip(SCORES, counts, strict=False)]


@pytest.mark.parametrize(
    ("budget", "kept"),
    [(2, SCORES[1]), (1.9, SCORES[2]), (0.1, SCORES[3]), (0, None), (9, SCORES[0])],
)
def test_the_lowest_score_from_which_on_the_budget_is_kept(budget: float, kept: float | None):
    assert within(nightly(90, 20, 19, 1), budget, 10) == kept


def test_a_dip_below_the_budget_is_not_taken():
    assert within(nightly(10, 30, 10), 1, 10) == SCORES[2]


def test_the_command_prints_every_score_and_what_is_in_force(tmp_path, monkeypatch):
    monkeypatch.setenv("VIGIE_HOME", str(tmp_path))
    done = CliRunner().invoke(main, ["thresholds", "--pages-a-night", "2"], catch_exceptions=False)
    assert done.exit_code == 0
    assert done.output.count(" of 0") == 2 * len(SCORES)
    assert "in force: gate.min_score: 0.5" in done.output
    assert f"at most 2 a night: gate.min_score: {SCORES[0]:g}" in done.output
    told = json.loads(CliRunner().invoke(main, ["thresholds", "--json"], catch_exceptions=False).stdout)
    assert (told["min_score"], len(told["points"])) == (SCORES[0], len(SCORES))
