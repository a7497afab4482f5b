"""Quiet or blind, on invented hours. The random ones come from a fixed seed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from desk.pulse.baseline import Baseline
from store.records import Hour

PARIS = ZoneInfo("Europe/Paris")
HOUR = timedelta(hours=1)
NOW = datetime(2027, 2, 10, 14, 0, tzinfo=UTC)  # a Wednesday
DAYS = 28


def hour(at: datetime, received: int, **changed) -> Hour:
    last = at + HOUR - timedelta(seconds=1) if received else None
    return Hour("source:x", at, received, 0, **{"listened_s": 3600.0, "last_at": last, **changed})


def past(received, *, days: int = DAYS, until: datetime = NOW) -> list[Hour]:
    """So many days of hours before ``until``; ``received`` gives the count of an hour."""
    hours = [until - n * HOUR for n in range(days * 24, 0, -1)]
    return [hour(at, received(at)) for at in hours]


def silent(minutes: float, before: list[Hour], at: datetime = NOW) -> tuple[list[Hour], datetime]:
    """The hours with a silence of so many minutes from ``at`` on, all of it listened to."""
    now, hours = at + timedelta(minutes=minutes), list(before)
    while at < now:
        listened = min(3600.0, (now - at).total_seconds())
        hours.append(hour(at, 0, listened_s=listened, silent_s=listened))
        at += HOUR
    return hours, now


def verdict(hours: list[Hour], now: datetime, **more):
    return Baseline.of([one for one in hours if one.hour < NOW], PARIS, **more).judge(hours, now, **more)


@pytest.mark.parametrize(("minutes", "state"), [(8, "heard"), (14, "deaf")])
def test_a_source_of_one_post_a_minute_is_deaf_after_about_twelve_minutes(minutes, state):
    found = verdict(*silent(minutes, past(lambda at: 60)))
    assert found.state == state


def test_deafness_says_since_when_and_how_much_was_expected():
    found = verdict(*silent(20, past(lambda at: 60)))
    assert (found.since, round(found.expected), found.received) == (NOW - timedelta(seconds=1), 20, 0)


def test_a_busy_source_is_deaf_within_seconds():
    assert verdict(*silent(0.5, past(lambda at: 3600))).state == "deaf"


def test_a_night_without_posts_is_calm_where_nights_are():
    nights = past(lambda at: 0 if at.astimezone(PARIS).hour < 6 else 60)
    midnight = datetime(2027, 2, 9, 23, 0, tzinfo=UTC)
    hours, now = silent(240, [one for one in nights if one.hour < midnight], midnight)
    assert verdict(hours, now).state == "heard"


def test_a_quiet_weekend_is_not_measured_by_working_days():
    sunday = datetime(2027, 2, 7, 11, 0, tzinfo=UTC)
    weeks = past(lambda at: 2 if at.astimezone(PARIS).weekday() >= 5 else 600, until=sunday)
    hours, now = silent(30, weeks, sunday)
    assert Baseline.of(weeks, PARIS).judge(hours, now).state == "heard"


@pytest.mark.parametrize(("days", "state"), [(6, "unknown"), (8, "deaf")])
def test_without_a_week_of_listening_there_is_no_baseline(days, state):
    assert verdict(*silent(60, past(lambda at: 60, days=days))).state == state


def test_hours_hardly_listened_to_teach_nothing():
    hours = [hour(one.hour, 60, listened_s=600.0) for one in past(lambda at: 60)]
    assert verdict(*silent(60, hours)).state == "unknown"


def test_an_exercise_does_not_teach_what_real_life_gives():
    drilled = past(lambda at: 1 if at.astimezone(PARIS).day % 3 == 0 else 60)
    drills = {one.hour for one in drilled if one.received == 1}
    assert verdict(*silent(30, drilled), drills=drills).state == "deaf"
    assert verdict(*silent(30, drilled)).state == "heard"


def test_time_in_which_vigie_did_not_listen_is_no_silence():
    hours = past(lambda at: 60, until=NOW - 3 * HOUR)
    hours.append(hour(NOW, 0, listened_s=120.0, silent_s=120.0))
    assert verdict(hours, NOW + timedelta(minutes=2)).state == "heard"


def test_a_stop_of_half_an_hour_is_no_silence_either():
    hours = past(lambda at: 60, until=NOW - HOUR)
    stopped = NOW - timedelta(minutes=30)
    hours.append(hour(NOW - HOUR, 30, listened_s=1800.0, last_at=stopped, silent_s=0.0))
    hours.append(hour(NOW, 0, listened_s=60.0, silent_s=60.0))
    assert verdict(hours, NOW + timedelta(minutes=1)).state == "heard"


def test_two_days_of_deafness_do_not_become_what_is_expected():
    since = NOW - 48 * HOUR
    hours = past(lambda at: 60 if at < since else 0)
    assert verdict(*silent(10, hours)).state == "deaf"


def test_most_rules_lost_is_deafness_although_something_comes():
    hours = past(lambda at: 120 if at < NOW - 2 * HOUR else 6)
    found = verdict(hours, NOW)
    assert (found.state, found.received) == ("deaf", 6)


def test_half_of_the_usual_is_a_quiet_day_and_not_deafness():
    assert verdict(past(lambda at: 600 if at < NOW - 12 * HOUR else 300), NOW).state == "heard"


def test_a_filter_that_seldom_gives_anything_is_never_judged_deaf():
    rare = past(lambda at: 1 if (at.day, at.hour) in {(20, 9), (3, 15)} else 0)
    assert verdict(*silent(600, rare)).state == "rare"


def test_a_few_posts_a_day_are_judged_by_the_day():
    few = past(lambda at: 2 if 8 <= at.hour < 20 and at.hour % 2 else 0)
    assert verdict(*silent(60, few)).state == "heard"
    assert verdict(*silent(24 * 60, few)).state == "deaf"


@pytest.mark.parametrize(("rate", "burst"), [(0.2, 1), (20.0, 1), (2.0, 4)])
def test_real_life_is_called_deaf_less_than_once_a_month(rate: float, burst: int):
    """Four months of arrivals that follow day and week, in bursts, looked at each minute of silence."""
    random = np.random.default_rng(20270210)
    false = sum(_false_alarms(random, rate, burst) for _ in range(4))
    assert false <= 4


def _false_alarms(random: np.random.Generator, rate: float, burst: int) -> int:
    """How many silences of one month would be called deaf; ``rate`` is posts a minute on average."""
    first = NOW - DAYS * 24 * HOUR
    minutes = np.arange(2 * DAYS * 24 * 60)
    local = (minutes / 60 + first.hour + 1) % 24
    weekend = ((first.weekday() * 24 + minutes / 60 + first.hour + 1) // 24) % 7 >= 5
    swing = (1 + 0.8 * np.sin((local - 9) / 24 * 2 * np.pi)) * np.where(weekend, 0.6, 1.0)
    days = random.lognormal(0, 0.25, 2 * DAYS + 2)[minutes // 1440]
    came = random.poisson(rate * swing * days / burst) * random.integers(1, 2 * burst, len(minutes))
    hours = came.reshape(-1, 60).sum(axis=1)
    known = [hour(first + n * HOUR, int(count)) for n, count in enumerate(hours[: DAYS * 24])]
    baseline = Baseline.of(known, PARIS)
    false, since = 0, DAYS * 24 * 60
    for arrival in [*np.flatnonzero(came[since:]) + since, len(minutes)]:
        if arrival - since > 1 and _deaf(baseline, first, since, arrival):
            false += 1
        since = int(arrival)
    return false


def _deaf(baseline: Baseline, first: datetime, since: int, until: int) -> bool:
    last, now = (first + timedelta(minutes=int(minute)) for minute in (since, until))
    at, hours = last.replace(minute=0), []
    while at < now:
        listened = (min(at + HOUR, now) - at).total_seconds()
        quiet = (min(at + HOUR, now) - max(at, last)).total_seconds()
        own = at <= last
        hours.append(hour(at, int(own) * 1000, listened_s=listened, silent_s=quiet, last_at=last if own else None))
        at += HOUR
    return baseline.judge(hours, now).state == "deaf"
