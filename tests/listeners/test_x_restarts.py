"""What survives a restart of the listener: counts, rests, refusals, and the truth about when it heard."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from random import Random
from threading import Event

import pytest
from stream_kit import BUNDLE, SMOKE, Clock, FakeX, Send, fake_x, health, holes, listening, post, take

from config.world import World
from listeners.authors import AuthorKeys
from listeners.collect import collect
from listeners.logbook import Logbook, Turn
from listeners.x_memory import Memory
from listeners.x_stream import XStream
from store import leases, state
from store.database import Busy, Database
from store.times import from_iso


def listens_for_ever(url: str, base_url: str) -> None:
    """The life of a process that will be killed."""
    db, clock = Database.open(url), Clock()
    stream = XStream("x", db, SMOKE, token=lambda: "t", base_url=base_url, clock=clock, rng=Random(), wait_seconds=0.05)
    while True:
        collect(db, SMOKE, stream.posts(), source="x", clock=clock, key=AuthorKeys.of_bytes(b"k"))
        stream.note()


def beats(x: FakeX, send: Send) -> None:
    while not x.done.wait(0.05):
        send(b"\r\n")


def test_killed_a_hundred_times_in_a_quarter_of_an_hour_it_connects_at_most_fifty_times(db: Database) -> None:
    start, ahead, at = Clock()(), timedelta(0), list[datetime]()

    def clock() -> datetime:
        return start + ahead

    def noted(x: FakeX, _: Send) -> None:
        at.append(clock())
        x.wait()

    with fake_x(noted) as x:
        for _ in range(100):
            with listening(db, x.url, clock=clock) as stream:
                take(stream, lambda: health(db).state == "on" or "50 connects" in health(db).reason)
            ahead += timedelta(seconds=9)
    assert at[-1] - at[0] < timedelta(minutes=15)
    assert 30 < x.connects == len(at) <= 50


def test_killed_for_good_it_counts_its_connects_and_tells_the_holes(db: Database, tmp_path: Path) -> None:
    kills, starts = list[datetime](), list[datetime]()
    with fake_x(beats) as x:
        for _ in range(4):
            starts.append(Clock()())
            child = get_context("fork").Process(target=listens_for_ever, args=(f"sqlite:///{tmp_path}/vigie.db", x.url))
            child.start()
            try:
                wait_until(lambda: heard_after(db, starts[-1]))
            finally:
                child.kill()
                child.join()
            kills.append(Clock()())
        with db.read() as conn:
            assert len(state.get(conn, "x_stream:x")["connects"]) == x.connects == 4
    first, *after = holes(db)
    assert first.reason == "connecting to X"
    assert [one.reason for one in after] == ["Vigie was not running"] * 3
    for one, killed, started in zip(after, kills, starts[1:], strict=False):
        assert one.ended_at is not None
        assert one.started_at < killed < started < one.ended_at


def heard_after(db: Database, moment: datetime) -> bool:
    with db.read() as conn:
        until = state.get(conn, "x_stream:x").get("heard_until")
    return health(db).state == "on" and until is not None and from_iso(until) >= health(db).since > moment


def wait_until(condition) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def test_the_reset_of_a_full_limit_is_waited_for_by_whoever_starts_meanwhile(db: Database) -> None:
    clock = Clock()
    reset = str(int(clock().timestamp()) + 300)
    with fake_x((429, {"x-rate-limit-reset": reset, "x-rate-limit-remaining": "0"}), beats) as x:
        with listening(db, x.url, clock=clock) as stream:
            take(stream, lambda: health(db).reason == "X answered 429 trouble")
        for ahead in (0, 290):
            clock.ahead = timedelta(seconds=ahead)
            with listening(db, x.url, clock=clock) as stream:
                take(stream, lambda: health(db).reason == "X answered 429 trouble")
        assert x.connects == 1
        clock.ahead = timedelta(seconds=301)
        with listening(db, x.url, clock=clock) as stream:
            take(stream, lambda: health(db).state == "on")


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_credential_is_not_tried_again_after_a_restart_until_it_or_the_configuration_changes(
    db: Database, status: int
) -> None:
    with fake_x((status, {}), (status, {}), beats) as x:
        for _ in range(3):
            with listening(db, x.url) as stream:
                take(stream, lambda: f"({status})" in health(db).reason)
        assert x.connects == 1
        with listening(db, x.url, World.from_files("v2", {"b.yaml": BUNDLE})) as stream:
            take(stream, lambda: x.connects == 2)
        with listening(db, x.url, token=lambda: "new") as stream:
            take(stream, lambda: health(db).state == "on")
            assert [one.state for one in holes(db)] == ["waiting"]  # one hole, from the first refusal on


def test_a_refused_credential_leaves_no_trace_that_could_be_guessed(db: Database) -> None:
    memory = Memory("x", db, Clock(), Random(1), None)
    memory.refuse("v1 secret-token", "no")
    with db.read() as conn:
        kept = str(state.get(conn, "x_stream:x"))
    memory.refuse("v1 secret-token", "no")
    with db.read() as conn:
        assert str(state.get(conn, "x_stream:x")) != kept
    assert "secret" not in kept
    assert memory.refused("v1 secret-token") == "no"
    assert memory.refused("v1 other") is None


def test_a_clock_set_back_by_an_hour_holds_up_no_connect_for_an_hour(db: Database) -> None:
    clock = Clock()
    memory = Memory("x", db, clock, Random(1), None)
    clock.ahead = timedelta(hours=1)
    for _ in range(50):
        memory.note_connect()
    memory.rest(clock() + timedelta(minutes=10), "X answered 429")
    clock.ahead = timedelta(0)
    assert timedelta(minutes=14) < memory.early()[0] <= timedelta(minutes=15)
    clock.ahead = timedelta(minutes=15, seconds=1)
    assert memory.early()[0] == timedelta(0)


def test_a_clock_set_back_while_nothing_is_heard_leaves_a_hole_as_long_as_the_silence(db: Database) -> None:
    clock = Clock()
    clock.ahead, stepped = timedelta(hours=1), Event()
    with (
        fake_x(lambda x, send: stepped.wait(5), (503, {}), beats) as x,
        listening(db, x.url, clock=clock, rng=Random(1)) as stream,
    ):
        take(stream, lambda: health(db).state == "on")
        clock.ahead = timedelta(0)
        stepped.set()
        take(stream, lambda: "503" in health(db).reason)
        stream._wake.set()
        take(stream, lambda: health(db).state == "on")
        hole = holes(db)[0]
    assert hole.ended_at is not None
    assert hole.ended_at < datetime.now(UTC)
    assert hole.ended_at - hole.started_at > timedelta(seconds=0.1)


def chatter(x: FakeX, send: Send) -> None:
    for number in range(1, 200):
        send(post(number))
        x.wait(0.1)


def test_a_hole_begins_where_everything_heard_was_kept(db: Database) -> None:
    with fake_x(chatter) as x:
        with listening(db, x.url) as stream:
            take(stream, lambda: health(db).state == "on" and stream._kept_until)
            before = Clock()()
            end = time.monotonic() + 5
            while not list(stream.posts()):  # given, but never kept
                assert time.monotonic() < end
        hole = holes(db)[-1]
    assert (hole.reason, hole.ended_at) == ("not listening: stopped", None)
    assert hole.started_at <= before


def test_a_process_that_lost_its_lease_writes_nothing_about_the_source(db: Database) -> None:
    clock = Clock()
    old = leases.acquire(db, "collect", "ann", clock(), ttl=timedelta(seconds=1))
    with fake_x(beats) as x, listening(db, x.url, clock=clock, lease=old) as stream:
        take(stream, lambda: health(db).state == "on")
        clock.ahead = timedelta(seconds=5)
        assert leases.acquire(db, "collect", "bob", clock())
        stream.close()
        assert (health(db).state, holes(db)[-1].reason) == ("on", "connecting to X")


def test_turns_that_the_database_did_not_take_are_written_later(db: Database, tmp_path: Path) -> None:
    start = Clock()()
    hasty = Database.open(f"sqlite:///{tmp_path}/vigie.db", patience=0.05)
    book = Logbook("x", hasty, Clock(), None)
    book.note(Turn(start, "waiting", "cut", start, filters=("smoke",)))
    with db.write(), pytest.raises(Busy):
        book.write(None, None)
    book.note(Turn(start + timedelta(seconds=3), "on", ""))
    book.write(None, None)
    hasty.close()
    assert health(db).state == "on"
    assert [one.ended_at for one in holes(db)] == [start + timedelta(seconds=3)]


def test_how_far_it_heard_is_written_every_few_seconds_at_most(db: Database) -> None:
    clock = Clock()
    book = Logbook("x", db, clock, None)
    book.note(Turn(clock(), "on", ""))
    seen = set()
    for second in range(21):
        clock.ahead = timedelta(seconds=second)
        book.write(clock(), clock())
        with db.read() as conn:
            seen.add(state.get(conn, "x_stream:x")["heard_until"])
    assert len(seen) == 5


def test_a_lease_that_ran_out_and_came_back_only_delays_the_next_connect(db: Database) -> None:
    clock = Clock()
    lease = leases.acquire(db, "collect", "ann", clock() - timedelta(seconds=5), ttl=timedelta(seconds=1))
    assert lease
    with fake_x(beats) as x, listening(db, x.url, clock=clock, lease=lease) as stream:
        end = time.monotonic() + 0.5
        take(stream, lambda: time.monotonic() > end)
        assert x.connects == 0
        leases.resume(db, lease, clock())
        take(stream, lambda: health(db).state == "on")


def test_what_was_refused_for_some_filters_is_tried_again_for_fewer(db: Database) -> None:
    two = BUNDLE.rstrip()[:-1] + ", {id: other, purpose: Hear of more, keywords: [feu], where: anywhere}]"
    with fake_x(beats) as x, listening(db, x.url, World.from_files("v1", {"b.yaml": two}), most_rules=1) as stream:
        take(stream, lambda: "the filters need 2 rules and X allows 1" in health(db).reason)
        stream.adopt(World.from_files("v1", {"b.yaml": BUNDLE}))
        take(stream, lambda: health(db).state == "on")
