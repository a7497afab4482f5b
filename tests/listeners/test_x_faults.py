"""What X does wrong, byte by byte: the stream goes on, and the hole is told."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta

import pytest
from stream_kit import SMOKE, Clock, FakeX, Send, fake_x, health, holes, listening, post, take

from config.secrets import MissingSecret
from config.world import World
from listeners.incoming import Gone, Incoming
from listeners.x_client import Client
from store import hourly, state
from store.database import Database

ENDED = (
    '{"errors": [{"title": "operational-disconnect", "type": "https://api.x.com/2/problems/operational-disconnect"}]}'
)


def ids(came: list[Incoming | Gone]) -> list[str]:
    return [one.native_id for one in came]


def stays(*lines: bytes):
    def play(x: FakeX, send: Send) -> None:
        for line in lines:
            send(line)
        x.wait()

    return play


def ends(*lines: bytes):
    def play(_: FakeX, send: Send) -> None:
        for line in lines:
            send(line)

    return play


def drips(x: FakeX, send: Send) -> None:
    send(b'{"data": {"id": "1", "text": "')
    while not x.done.wait(0.02):
        send(b"x")


def told(db: Database, reason: str) -> bool:
    return any(reason in hole.reason for hole in holes(db))


def test_a_closed_stream_is_a_hole_from_the_last_line_to_the_next_connect(db: Database) -> None:
    with fake_x(ends(post(1)), stays(post(2))) as x, listening(db, x.url) as stream:
        came = take(stream, lambda: len(holes(db)) == 2 and health(db).state == "on")
        take(stream, lambda: len(came) == 2, came)
    assert ids(came) == ["1", "2"]
    first, cut = holes(db)[:2]
    assert (first.reason, cut.reason, cut.filters) == ("connecting to X", "X closed the stream", ("smoke",))
    assert first.ended_at is not None
    assert cut.ended_at is not None
    assert timedelta(0) < cut.ended_at - cut.started_at < timedelta(seconds=2)
    assert (first.state, cut.state) == ("waiting", "waiting")


def test_a_connection_reset_in_mid_line_is_a_hole_and_no_post(db: Database) -> None:
    def breaks(_: FakeX, send: Send) -> None:
        send(post(1) + post(2)[:30])
        raise ConnectionResetError

    with fake_x(breaks, stays()) as x, listening(db, x.url) as stream:
        assert ids(take(stream, lambda: told(db, "broke or went silent"))) == ["1"]


def test_a_line_that_never_ends_counts_as_silence(db: Database) -> None:
    with fake_x(drips, stays()) as x, listening(db, x.url, stall_seconds=0.4) as stream:
        start = time.monotonic()
        take(stream, lambda: told(db, "a line without end"))
        assert 0.4 < time.monotonic() - start < 2
        take(stream, lambda: x.connects == 2)


def test_a_head_that_never_ends_counts_as_silence(db: Database) -> None:
    with fake_x(b"HTTP/1.1 200 OK\r\nX: ", stays()) as x, listening(db, x.url, stall_seconds=0.4) as stream:
        take(stream, lambda: x.connects == 2)
        take(stream, lambda: health(db).state == "on")
        assert holes(db)
        assert all(hole.ended_at is not None for hole in holes(db))


def test_keep_alives_are_no_silence_and_are_heard(db: Database) -> None:
    def beats(x: FakeX, send: Send) -> None:
        while not x.done.wait(0.05):
            send(b"\r\n")

    with fake_x(beats) as x, listening(db, x.url, stall_seconds=0.4) as stream:
        end = time.monotonic() + 1.0
        take(stream, lambda: time.monotonic() > end)
        assert x.connects == 1
        with db.read() as conn:
            assert state.get(conn, "x_stream:x")["heard_until"] > (datetime.now(UTC) - timedelta(seconds=6)).isoformat()


def test_a_line_of_five_megabytes_is_left_out_and_the_stream_goes_on(
    db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    long = post(1, "x" * 5_000_000)
    with fake_x(stays(long, post(2))) as x, listening(db, x.url) as stream, caplog.at_level(logging.WARNING):
        came: list[Incoming | Gone] = []
        take(stream, lambda: came, came)
        assert (ids(came), stream.bad_lines, x.connects) == (["2"], 1, 1)
    assert "is too long: left out" in caplog.text
    assert "xxx" not in caplog.text


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"null",
        b"[]",
        b'{"data": null}',
        b'{"data": {"id": "1"}}',
        b'{"data": {"id": 1, "text": "a", "created_at": "2031-05-04T00:00:00Z"}}',
        b'{"data": {"id": "1", "text": "a", "created_at": "soon"}}',
        b'{"data": {"id": "1", "text": "a", "created_at": "2031-05-04T00:00:00"}}',
        b'{"data": {"id": "1", "text": "a", "created_at": "2031-05-04T00:00:00Z"}, "includes": [3]}',
        b'{"data": {"delete": 3}}',
        b'{"data": {"delete": {"tweet": {"id": "1"}, "event_at": "soon"}}}',
        b'{"errors": [{"title": "SomethingElse"}]}',
        b'{"errors": 3}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_a_line_that_holds_no_post_ends_nothing(db: Database, line: bytes) -> None:
    with listening(db, "http://127.0.0.1:1") as stream:
        client = Client(stream, "t", "http://127.0.0.1:1", stall_seconds=1)
        client.running = True
        client.on_data(line)
        client.on_data(post(7))
        assert client.running
        assert [one.native_id for one in stream._queue.queue] == ["7"]


def test_lines_that_cannot_be_read_are_one_short_hole_while_the_stream_goes_on(db: Database) -> None:
    garbage = post(2)[:40] + b"\r\n"
    with fake_x(stays(post(1), garbage, garbage, post(3), garbage, post(4))) as x, listening(db, x.url) as stream:
        came: list[Incoming | Gone] = []
        take(stream, lambda: len(came) == 3 and told(db, "could not be read"), came)
        (hole,) = [one for one in holes(db) if "could not be read" in one.reason]
        assert (health(db).state, x.connects, hole.state, hole.filters) == ("on", 1, "waiting", ("smoke",))
        assert hole.ended_at is not None
        assert hole.ended_at - hole.started_at < timedelta(seconds=1)


@pytest.mark.parametrize(
    "more",
    [
        {"matching_rules": [{"id": "1"}]},
        {"matching_rules": [{"id": "1", "tag": None}, 3]},
        {"matching_rules": 3},
    ],
)
def test_a_rule_without_a_tag_costs_no_post(db: Database, more: dict[str, object]) -> None:
    with fake_x(stays(post(1, **more))) as x, listening(db, x.url) as stream:
        came: list[Incoming | Gone] = []
        take(stream, lambda: came, came)
    assert ids(came) == ["1"]


def test_a_post_names_the_filters_that_sought_it(db: Database) -> None:
    def tagged(x: FakeX, send: Send) -> None:
        send(post(1, matching_rules=[{"id": "1", "tag": x.tags[0]}, {"id": "2", "tag": "unknown"}]))
        x.wait()

    with fake_x(tagged) as x, listening(db, x.url) as stream:
        came: list[Incoming | Gone] = []
        take(stream, lambda: came, came)
    assert isinstance(came[0], Incoming)
    assert came[0].sought == ("smoke",)


def test_a_deletion_is_given_beside_the_posts(db: Database) -> None:
    notice = (
        b'{"data": {"delete": {"tweet": {"id": "5", "author_id": "7"}, "event_at": "2031-05-04T12:00:00.000Z"}}}\r\n'
    )
    with fake_x(stays(notice, post(6))) as x, listening(db, x.url) as stream:
        came: list[Incoming | Gone] = []
        take(stream, lambda: len(came) == 2, came)
    assert came[0] == Gone("x", "5", datetime(2031, 5, 4, 12, tzinfo=UTC))
    assert came[1].native_id == "6"


def test_an_announced_disconnect_is_not_waited_for(db: Database) -> None:
    with fake_x(stays(ENDED.encode() + b"\r\n"), stays(post(1))) as x, listening(db, x.url) as stream:
        take(stream, lambda: x.connects == 2)
        take(stream, lambda: told(db, "X announced the end of the stream: operational-disconnect"))


def test_an_answer_about_rules_that_is_none_is_told_and_tried_again(db: Database) -> None:
    with fake_x(stays(post(1))) as x, listening(db, x.url) as stream:
        x.rules_answer = [1]
        take(stream, lambda: "strange" in health(db).reason)
        x.rules_answer = {"meta": {}}
        take(stream, lambda: health(db).state == "on")


def test_a_backlog_of_more_than_one_batch_comes_whole_and_in_order(db: Database) -> None:
    lines = b"".join(post(number) for number in range(1, 1302))
    with fake_x(stays(lines)) as x, listening(db, x.url) as stream:
        came: list[Incoming | Gone] = []
        take(stream, lambda: len(came) >= 1301, came)
    assert ids(came) == [str(number) for number in range(1, 1302)]


def test_what_was_given_and_not_kept_is_given_again(db: Database) -> None:
    with fake_x(stays(post(1), post(2))) as x, listening(db, x.url) as stream:
        end = time.monotonic() + 5
        while len(list(stream.posts())) < 2:
            assert time.monotonic() < end
        assert ids(list(stream.posts())) == ["1", "2"]
        stream.note()
        assert list(stream.posts()) == []


@pytest.mark.parametrize("waits", [drips, stays()])
def test_closing_is_quick_while_a_line_is_awaited(db: Database, waits) -> None:
    with fake_x(waits) as x, listening(db, x.url) as stream:
        take(stream, lambda: x.connects == 1 and health(db).state == "on")
        start, thread = time.monotonic(), stream._thread
        stream.close()
        assert time.monotonic() - start < 0.5
        assert not thread.is_alive()


def test_closing_is_quick_while_x_does_not_answer(db: Database) -> None:
    def mute(x: FakeX, _: Send) -> None:
        x.wait()

    with fake_x(mute) as x, listening(db, x.url) as stream:
        x.rules_answer = None
        take(stream, lambda: x.requests)
        start = time.monotonic()
        stream.close()
        assert time.monotonic() - start < 2


def test_new_rules_that_x_does_not_take_leave_the_stream_on_the_old_ones(db: Database) -> None:
    changed = World.from_files("v2", {"b.yaml": BUNDLE_TWO})
    with fake_x(stays()) as x, listening(db, x.url) as stream:
        take(stream, lambda: health(db).state == "on")
        x.rules_answer = [1]
        stream.adopt(changed)
        take(stream, lambda: "the new rules are not in force" in health(db).reason)
        assert (health(db).state, x.connects, holes(db)[-1].state) == ("on", 1, "waiting")


BUNDLE_TWO = """
name: {fr: a, en: b}
default_lead: p
agencies: [{id: p, name: {fr: a, en: b}, kind: prefecture}]
filters: [{id: quake, purpose: Hear of earthquakes, keywords: [séisme], where: anywhere}]
"""


def test_a_missing_credential_is_a_hole_until_it_comes(db: Database) -> None:
    given = list[str]()

    def token() -> str:
        if not given:
            raise MissingSecret("X_BEARER_TOKEN is not set")
        return given[0]

    with fake_x(stays()) as x, listening(db, x.url, token=token) as stream:
        take(stream, lambda: health(db).state == "off")
        assert [hole.ended_at for hole in holes(db)] == [None]
        given.append("token")
        take(stream, lambda: health(db).state == "on")
        assert [hole.state for hole in holes(db)] == ["waiting"]


def test_nobody_who_wants_to_hear_is_no_hole(db: Database) -> None:
    nobody = World.from_files("v0", {"b.yaml": BUNDLE_TWO.replace("where: anywhere", "where: anywhere, stream: false")})
    with fake_x(stays()) as x, listening(db, x.url, nobody) as stream:
        take(stream, lambda: "no filter wants the stream" in health(db).reason)
        assert holes(db) == []
        stream.adopt(SMOKE)
        take(stream, lambda: health(db).state == "on")
        (hole,) = holes(db)
        assert hole.ended_at is not None


def test_seconds_listened_are_counted_by_the_hour(db: Database) -> None:
    def beats(x: FakeX, send: Send) -> None:
        while not x.done.wait(0.02):
            send(b"\r\n")

    clock = Clock()
    with fake_x(beats) as x, listening(db, x.url, clock=clock) as stream:
        take(stream, lambda: health(db).state == "on")
        clock.ahead = timedelta(seconds=30)
        end = time.monotonic() + 0.2
        take(stream, lambda: time.monotonic() > end)
    with db.read() as conn:
        (hour, *_) = hourly.totals(conn, "source:x", datetime(2020, 1, 1, tzinfo=UTC), clock() + timedelta(1)).values()
    assert 30 < hour.listened_s < 33
