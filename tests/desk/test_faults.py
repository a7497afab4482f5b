"""``vigie bench faults``: its table tells the truth, also when something is lost."""

import json
from random import Random

import pytest
from click.testing import CliRunner

from desk.bench import faults
from desk.cli import main
from desk.trials import writers
from desk.trials.registry import trials
from desk.trials.trial import Outcome, Trial


def harmless(draw, work):
    return Outcome("nothing", 3, 3, said=f"drew {draw.random():.6f}")


def test_a_trial_draws_the_same_from_the_same_seed_whatever_runs_beside_it():
    alone = dict(faults.measured([Trial("b", harmless)], 7))
    after_another = dict(faults.measured([Trial("a", harmless), Trial("b", harmless)], 7))
    other_seed = dict(faults.measured([Trial("b", harmless)], 8))
    told = [run[Trial("b", harmless)].said for run in (alone, after_another, other_seed)]
    assert told[0] == told[1] != told[2]


@pytest.mark.parametrize(
    "outcome", [Outcome("f", 2, 1), Outcome("f", 2, 2, lost=1), Outcome("f", 2, 2, doubled=1)], ids=str
)
def test_whatever_is_lost_doubled_or_not_survived_is_not_good(outcome):
    assert not outcome.good


def test_a_trial_that_breaks_has_survived_nothing_and_says_why(tmp_path):
    def breaks(draw, work):
        raise ValueError("no such tool")

    outcome = faults.settled(Trial("x", breaks), Random(1), tmp_path)
    assert (outcome.survived, outcome.good) == (0, False)
    assert "no such tool" in outcome.said


def test_the_command_prints_the_seed_first_and_a_row_for_the_trial():
    done = CliRunner().invoke(main, ["bench", "faults", "--seed", "7", "--only", "read-then-update"])
    assert done.exit_code == 0, done.output
    seed, head, row = done.output.splitlines()
    assert (seed, head.split()[0]) == ("seed 7", "fault")
    assert row.endswith("0 of 900 transactions failed")


def test_a_name_that_is_no_trial_is_refused_with_those_that_are():
    done = CliRunner().invoke(main, ["bench", "faults", "--only", "nonesuch"])
    assert done.exit_code == 2
    assert "read-then-update" in done.output


def test_the_names_of_trials_are_told_apart():
    names = [trial.name for trial in trials(5)]
    assert len(set(names)) == len(names)


def test_writers_that_flood_the_store_lose_no_post(tmp_path):
    outcome = writers.flood(Random(1), tmp_path, seconds=1.0, writers=3, readers=1, rate=300)
    assert (outcome.lost, outcome.survived) == (0, outcome.tried)
    assert outcome.tried > 0


def test_the_outcome_is_json_for_other_programs():
    done = CliRunner().invoke(main, ["bench", "faults", "--seed", "7", "--only", "read-then-update", "--json"])
    result = json.loads(done.output)
    assert (result["seed"], result["good"], result["trials"][0]["lost"]) == (7, True, 0)
