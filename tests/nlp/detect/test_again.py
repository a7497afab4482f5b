"""What other gates would have opened in the days gone by, and missed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from nlp.detect.again import outcomes
from store import incidents

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
LATER = START + timedelta(hours=6)


def happened(street, fire, verdict: str) -> None:
    """An incident of three voices, and the desk's verdict on it."""
    for number, text in enumerate(fire[:3]):
        street.say(text, author=f"author-{number}")
    street.look()
    with street.db.write() as conn:
        (one,) = incidents.recent(conn, 2)
        incidents.put(conn, [replace(one, verification=verdict, revision=one.revision + 1)])


def told(street, *scores: float, days: float = 1):
    return list(outcomes(street.db, street.world, scores, LATER - timedelta(days=days), LATER))


def test_a_stricter_gate_opens_less_and_misses_what_the_desk_confirmed(street, fire):
    happened(street, fire, "confirmed")
    lax, strict = told(street, 0.5, 0.95)
    assert (lax.opened, lax.confirmed, lax.found) == (1, 1, 1)
    assert (strict.opened, strict.confirmed, strict.found) == (0, 1, 0)


def test_what_the_desk_refuted_counts_as_mistaken(street, fire):
    happened(street, fire, "refuted")
    lax, strict = told(street, 0.5, 0.95)
    assert [(one.refuted, one.mistaken) for one in (lax, strict)] == [(1, 1), (1, 0)]


@pytest.mark.parametrize(("minute", "night"), [(0, 0), (-480, 1), (-30, 0), (-70, 1)])
def test_the_night_is_that_of_the_clock_on_the_wall(street, fire, minute: int, night: int):
    for number, text in enumerate(fire[:3]):
        street.say(text, author=f"author-{number}", at=minute + number)
    (one,) = told(street, 0.5)
    assert (one.opened, one.at_night) == (1, night)


def test_nothing_is_written_and_older_posts_do_not_count(street, fire):
    for number, text in enumerate(fire[:3]):
        street.say(text, author=f"author-{number}")
    assert [one.opened for one in told(street, 0.5, days=0.1)] == [0]
    assert [one.opened for one in told(street, 0.5)] == [1]
    with street.db.read() as conn:
        assert incidents.recent(conn, 1) == []
