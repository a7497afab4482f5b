"""Weekly windows on the clock of the agency, on both sides of summer time."""

from datetime import UTC, datetime, timedelta

import pytest

from alerts.directory import covers, next_start
from config.bundle import Hours

PARIS = "Europe/Paris"
NIGHT = Hours.model_validate({"days": ["fri"], "from": "20:00", "to": "08:00"})
OFFICE = Hours.model_validate({"days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "18:00"})


def at(text):
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("when", "covered"),
    [
        ("2026-03-06T19:59:00+01:00", False),
        ("2026-03-06T20:00:00+01:00", True),
        ("2026-03-07T07:59:00+01:00", True),
        ("2026-03-07T08:00:00+01:00", False),
        ("2026-03-07T20:30:00+01:00", False),
        ("2026-03-06T07:00:00+01:00", False),
    ],
)
def test_a_night_belongs_to_the_day_it_starts_on(when, covered):
    assert covers(NIGHT, at(when), PARIS) is covered


@pytest.mark.parametrize(
    ("when", "covered"),
    [
        ("2026-03-27T06:59:00+00:00", False),  # the Friday before the clocks go forward
        ("2026-03-27T07:00:00+00:00", True),
        ("2026-03-30T05:59:00+00:00", False),  # the Monday after
        ("2026-03-30T06:00:00+00:00", True),
        ("2026-10-23T06:00:00+00:00", True),  # the Friday before they go back
        ("2026-10-26T06:00:00+00:00", False),  # the Monday after
        ("2026-10-26T07:00:00+00:00", True),
    ],
)
def test_eight_in_the_morning_stays_eight_in_the_morning(when, covered):
    assert covers(OFFICE, at(when), PARIS) is covered


def test_a_whole_day_is_covered_from_midnight_to_midnight():
    assert covers(Hours(), at("2026-03-01T00:00:00+01:00"), PARIS)
    assert covers(Hours(), at("2026-03-01T23:59:59+01:00"), PARIS)


@pytest.mark.parametrize(
    ("when", "opens"),
    [
        ("2026-03-27T18:30:00+01:00", "2026-03-30T08:00:00+02:00"),  # over the week-end of the change
        ("2026-03-02T03:00:00+01:00", "2026-03-02T08:00:00+01:00"),
        ("2026-03-02T08:00:00+01:00", "2026-03-03T08:00:00+01:00"),
    ],
)
def test_the_next_shift_starts_on_the_local_clock(when, opens):
    assert next_start(OFFICE, at(when), PARIS) == at(opens)


WHOLE_NIGHT = Hours.model_validate({"days": ["sat"], "from": "22:00", "to": "06:00"})
SMALL_HOURS = Hours.model_validate({"days": ["sun"], "from": "02:00", "to": "03:00"})


@pytest.mark.parametrize(
    ("when", "covered"),
    [
        ("2026-03-28T21:00:00+00:00", True),  # 22:00, the night that has no 02:30
        ("2026-03-29T00:59:00+00:00", True),  # 01:59, then comes 03:00
        ("2026-03-29T01:00:00+00:00", True),
        ("2026-03-29T03:59:00+00:00", True),  # 05:59, after seven hours
        ("2026-03-29T04:00:00+00:00", False),
        ("2026-10-24T20:00:00+00:00", True),  # 22:00, the night that has 02:30 twice
        ("2026-10-25T00:30:00+00:00", True),  # 02:30
        ("2026-10-25T01:30:00+00:00", True),  # 02:30 again
        ("2026-10-25T04:59:00+00:00", True),  # 05:59, after nine hours
        ("2026-10-25T05:00:00+00:00", False),
    ],
)
def test_a_night_shift_ends_at_six_when_the_clocks_change_in_it(when, covered):
    assert covers(WHOLE_NIGHT, at(when), PARIS) is covered


def test_an_hour_that_the_clocks_repeat_is_covered_twice_and_one_they_skip_never():
    assert [covers(SMALL_HOURS, at(f"2026-10-25T{hour}:30:00+00:00"), PARIS) for hour in ("00", "01")] == [True, True]
    assert not any(covers(SMALL_HOURS, at(f"2026-03-29T{hour}:30:00+00:00"), PARIS) for hour in ("00", "01", "02"))


@pytest.mark.parametrize(
    ("when", "opens"),
    [
        ("2026-03-28T12:00:00+00:00", "2026-03-28T21:00:00+00:00"),
        ("2026-03-29T00:30:00+00:00", "2026-04-04T20:00:00+00:00"),  # 22:00 the Saturday after, in summer time
        ("2026-10-25T00:30:00+00:00", "2026-10-31T21:00:00+00:00"),  # and in winter time again
    ],
)
def test_the_next_night_shift_starts_at_ten_on_both_sides_of_the_change(when, opens):
    assert next_start(WHOLE_NIGHT, at(when), PARIS) == at(opens)


@pytest.mark.parametrize("night", ["2026-03-29T00:00:00+00:00", "2026-10-25T00:00:00+00:00"])
def test_a_shift_that_starts_in_the_changed_hour_starts_once_within_a_day(night):
    opens = next_start(SMALL_HOURS, at(night) - timedelta(hours=3), PARIS)
    assert at(night) <= opens <= at(night) + timedelta(hours=2)
    assert next_start(SMALL_HOURS, opens, PARIS) - opens >= timedelta(days=6, hours=22)
