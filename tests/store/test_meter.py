from datetime import UTC, datetime, timedelta

import pytest

from store import hourly, state
from store.database import Database
from store.meter import Meter, readings

NOON = datetime(2026, 3, 2, 12, 10, tzinfo=UTC)


class Hand:
    """A clock, and seconds that never go back, both moved by hand."""

    def __init__(self, db):
        self.now, self.tick = NOON, 100.0
        self.db = db
        self.meter = Meter(db, lambda: self.now, ticks=lambda: self.tick)

    def later(self, seconds):
        self.now += timedelta(seconds=seconds)
        self.tick += seconds

    def hour(self, subject):
        with self.db.read() as conn:
            found = hourly.between(conn, subject, NOON - timedelta(hours=1), NOON + timedelta(hours=1))
        return [(one.received, one.listened_s) for one in found]

    def reading(self, stage):
        with self.db.read() as conn:
            return readings(conn)[stage]


@pytest.fixture
def hand(db):
    return Hand(db)


def test_a_stage_says_at_its_first_turn_that_it_lives(hand):
    assert hand.meter.note({"annotate": 0}) == 0
    assert (hand.reading("annotate").at, hand.reading("annotate").moved_at) == (NOON, None)


def test_what_a_stage_dealt_with_is_written_every_few_seconds_and_not_at_each_turn(hand):
    hand.meter.note({"annotate": 0})
    hand.later(1)
    hand.meter.note({"annotate": 7})
    assert hand.reading("annotate").total == 0
    hand.later(5)
    hand.meter.note({"annotate": 3})
    assert (hand.reading("annotate").total, hand.reading("annotate").moved_at) == (10, hand.now)
    assert hand.hour("stage:annotate") == [(10, 6.0)]


def test_a_stage_that_turns_without_work_keeps_when_it_last_moved(hand):
    hand.meter.note({"route": 1})
    hand.later(60)
    hand.meter.note({"route": 0})
    assert (hand.reading("route").at, hand.reading("route").moved_at) == (hand.now, NOON)


def test_the_total_goes_on_after_a_restart(hand, db):
    hand.meter.note({"detect": 4})
    Meter(db, lambda: hand.now).note({"detect": 2})
    assert hand.reading("detect").total == 6


def test_the_rate_of_a_steady_stage_comes_near_what_it_does_a_second(hand):
    for _ in range(60):
        hand.meter.note({"annotate": 50})
        hand.later(5)
    assert 9 < hand.reading("annotate").rate <= 10.1


def test_hours_of_an_exercise_are_marked_by_whoever_listens(hand):
    hand.meter.note({"collect": 1}, "Exercise")
    hand.later(6)
    hand.meter.note({"collect": 1}, "Exercise")
    assert hand.hour("status:Exercise") == [(0, 6.0)]
    assert hand.hour("status:Actual") == []


def test_counts_that_cannot_be_written_now_are_written_later(tmp_path):
    db = Database.open(f"sqlite:///{tmp_path / 'vigie.db'}", patience=0.05)
    hand = Hand(db)
    with db.write() as conn:
        state.put(conn, "other", {"held": True})
        hand.meter.note({"annotate": 5})
    hand.later(6)
    hand.meter.note({"annotate": 1})
    assert hand.reading("annotate").total == 6
    db.close()
