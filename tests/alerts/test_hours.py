"""Weekly windows on the clock of the agency, on both sides of summer time."""

from datetime import UTC, datetime

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
