from __future__ import annotations

from datetime import UTC, datetime, timedelta

from desk.pulse.baseline import Verdict
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


def test_silence_as_usual_needs_a_source_that_is_compared_and_hears():
    quiet = source(last=timedelta(minutes=9))
    assert hearing([quiet], NOW, verdicts={"source:x-stream": Verdict("heard")}).state == "quiet"
    assert hearing([quiet], NOW, verdicts={"source:x-stream": Verdict("rare")}).state == "silent"
    assert hearing([quiet], NOW, verdicts={"source:x-stream": Verdict("unknown")}).state == "silent"


def test_a_source_that_is_off_is_not_called_deaf_too():
    deaf = Verdict("deaf", NOW - timedelta(hours=1), 20.0, 0)
    others = [source("x-other"), source(state="off")]
    assert hearing(others, NOW, verdicts={"source:x-stream": deaf}).deaf == ()


def test_what_has_been_deaf_longest_is_named_first():
    verdicts = {
        "filter:feu": Verdict("deaf", NOW - timedelta(hours=1), 20.0, 0),
        "source:x-stream": Verdict("deaf", NOW - timedelta(hours=2), 50.0, 1),
    }
    found = hearing([source()], NOW, verdicts=verdicts)
    assert (found.state, found.verdict, [one.id for one in found.deaf]) == ("blind", "deaf", ["x-stream", "feu"])
