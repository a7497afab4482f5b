from __future__ import annotations

from datetime import UTC, datetime, timedelta

from desk.pulse.hearing import Rates, hearing
from store.records import Lease, SourceHealth

NOW = datetime(2027, 2, 11, 2, 12, 40, tzinfo=UTC)


def source(
    name: str = "x-stream", state: str = "on", last: timedelta | None = timedelta(seconds=5), received: int = 0
) -> SourceHealth:
    return SourceHealth(name, state, "", NOW - timedelta(hours=1), NOW - last if last is not None else None, received)


def lease(left: timedelta) -> Lease:
    return Lease("dispatch", "here", 1, NOW + left)


def test_posts_that_arrive_are_heard():
    assert hearing([source()], NOW).state == "hearing"


def test_a_source_that_is_on_but_gives_nothing_for_five_minutes_is_silence_not_calm():
    assert hearing([source(last=timedelta(minutes=5))], NOW).state == "silent"


def test_a_source_that_never_gave_anything_is_silence():
    assert hearing([source(last=None)], NOW).state == "silent"


def test_no_source_on_is_blind_however_fresh_the_last_post():
    assert hearing([source(state="off")], NOW).state == "blind"


def test_no_source_at_all_is_blind():
    assert hearing([], NOW).state == "blind"


def test_entry_by_hand_is_not_listening():
    assert hearing([source("hand")], NOW).state == "blind"


def test_a_stage_whose_lease_ran_out_halts_alerting():
    found = hearing([source()], NOW, leases={"route": lease(timedelta(seconds=5)), "dispatch": lease(timedelta(0))})
    assert (found.state, found.stopped) == ("halted", ("dispatch",))


def test_a_listener_that_stopped_leaves_vigie_blind():
    assert hearing([source()], NOW, leases={"collect": None}).state == "blind"


def test_the_rate_counts_what_came_between_two_looks():
    rates = Rates()
    rates.see([source(received=100)], NOW - timedelta(seconds=60))
    rates.see([source(received=190)], NOW)
    assert rates.per_minute(source(received=190), NOW) == 90


def test_a_source_just_seen_has_no_rate_yet():
    rates = Rates()
    rates.see([source(received=120)], NOW)
    assert rates.per_minute(source(received=120), NOW) is None


def test_a_counter_that_fell_after_a_restart_gives_no_negative_rate():
    rates = Rates()
    rates.see([source(received=1000)], NOW - timedelta(seconds=60))
    rates.see([source(received=10)], NOW)
    later = NOW + timedelta(seconds=30)
    assert rates.per_minute(source(received=20), later) == 20
