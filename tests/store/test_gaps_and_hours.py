from datetime import UTC, datetime, timedelta

import pytest

from store import gaps, hourly

NOON = datetime(2026, 3, 2, 12, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_hole_that_lasts_is_begun_once_and_keeps_its_first_reason(db):
    with db.write() as conn:
        first = gaps.begin(conn, "x", NOON, "the connection broke", ["feu"])
        assert gaps.begin(conn, "x", NOON + HOUR, "X answered 503") == first
        assert gaps.lasting(conn, "x") == first
        assert gaps.lasting(conn, "y") is None


def test_a_hole_that_ended_waits_to_be_filled(db):
    with db.write() as conn:
        gaps.begin(conn, "x", NOON, "the connection broke")
        ended = gaps.end(conn, "x", NOON + HOUR)
        assert (ended.state, ended.ended_at) == ("waiting", NOON + HOUR)
        assert gaps.in_state(conn, "waiting") == [ended]
        assert gaps.end(conn, "x", NOON + HOUR) is None


@pytest.mark.parametrize(("hours", "seen"), [(0, 1), (2, 0)])
def test_holes_are_listed_from_a_moment_on(db, hours, seen):
    with db.write() as conn:
        gaps.begin(conn, "x", NOON, "the connection broke")
        gaps.end(conn, "x", NOON + HOUR)
        assert len(gaps.since(conn, NOON + hours * HOUR)) == seen


def test_counts_of_one_hour_add_up_and_hours_stay_apart(db):
    with db.write() as conn:
        hourly.add(conn, NOON, {"source:x": (10, 3, 60.0)})
        hourly.add(conn, NOON + timedelta(minutes=5), {"source:x": (5, 1, 30.0), "filter:feu": (4, 4, 0.0)})
        hourly.add(conn, NOON + HOUR, {"source:x": (1, 1, 1.0)})
        hours = hourly.between(conn, "source:x", NOON - HOUR, NOON + 2 * HOUR)
        assert [(one.received, one.kept, one.listened_s) for one in hours] == [(15, 4, 90.0), (1, 1, 1.0)]
        assert hourly.totals(conn, "source:", NOON - HOUR, NOON + 2 * HOUR)["source:x"].received == 16


def test_when_something_came_last_outlasts_seconds_in_which_nothing_came(db):
    with db.write() as conn:
        hourly.add(conn, NOON, {"source:x": (1, 0, 5.0)})
        hourly.add(conn, NOON + timedelta(minutes=1), {"source:x": (0, 0, 60.0), "source:y": (0, 0, 60.0)})
        assert [one.last_at for one in hourly.between(conn, "source:x", NOON - HOUR, NOON + HOUR)] == [NOON]
        assert [one.silent_s for one in hourly.between(conn, "source:x", NOON - HOUR, NOON + HOUR)] == [60.0]
        totals = hourly.totals(conn, "source:", NOON - HOUR, NOON + HOUR)
        assert [totals[name].last_at for name in ("source:x", "source:y")] == [NOON, None]
