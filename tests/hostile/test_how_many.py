"""The numbers that the bench of hostile input prints are of cases that ran."""

import json

import pytest
from click.testing import CliRunner
from hostile_kit import Door, cases, tally
from hypothesis import assume, given
from hypothesis import strategies as st

from desk.bench import hostile
from desk.cli import main


def test_only_cases_that_ran_are_counted() -> None:
    ran = []

    @cases("a door", 100, each=3)
    @given(number=st.integers(0, 1000))
    def knock(number: int) -> None:
        assume(number % 2)
        ran.append(number)

    knock()
    assert tally.pop("a door").cases == 3 * len(ran) > 0


def test_a_case_that_fails_is_counted_as_failed() -> None:
    @cases("a door", 100)
    @given(number=st.integers(0, 1000))
    def knock(number: int) -> None:
        raise ValueError(number)

    with pytest.raises(ValueError, match="0"):
        knock()
    seen = tally.pop("a door")
    assert seen.failed == seen.cases > 0


def test_the_bench_runs_a_door_and_says_what_came_to_it() -> None:
    done = CliRunner().invoke(main, ["bench", "hostile", "--only", "yaml", "--share", "0.02", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert {door: one["cases"] for door, one in told["doors"].items()} == {"YAML, mutated": 18, "YAML, anything": 10}
    assert all(one["slowest_s"] and 10 < one["peak_mb"] < 1500 and not one["failed"] for one in told["doors"].values())
    assert told["cases"] == 28


def test_the_bench_is_not_content_with_fewer_than_ten_thousand_cases_nor_with_a_failure() -> None:
    assert hostile.content([vars(Door(cases=9_999))], whole=True) is False
    assert hostile.content([vars(Door(cases=9_000)), vars(Door(cases=1_000))], whole=True) is True
    assert hostile.content([vars(Door(cases=1))], whole=False) is True
    assert hostile.content([vars(Door(cases=10_000, failed=1))], whole=True) is False
