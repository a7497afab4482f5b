"""What a server that is not X's may answer to a search: a page, or a state of the source that says so."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stream_kit import fake_x

from config.world import World
from listeners import x_wire
from listeners.authors import AuthorKeys
from listeners.collect import collect
from listeners.x_search import XSearch
from store import sources, state
from store.database import Database

ONE = """
name: {fr: a, en: b}
default_lead: p
agencies: [{id: p, name: {fr: a, en: b}, kind: prefecture}]
filters: [{id: smoke, purpose: Hear of smoke anywhere, keywords: [fumée], where: anywhere}]
"""
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=12))
NAMES = st.text(max_size=8)
ANYTHING = st.recursive(
    SCALARS, lambda some: st.lists(some, max_size=3) | st.dictionaries(NAMES, some, max_size=3), max_leaves=8
)
IDS = st.one_of(SCALARS, st.sampled_from(["1", "2125013648123363328", "9999999999999999999", "-1", "٣"]))
KNOWN_META = {"newest_id": IDS, "oldest_id": IDS, "next_token": SCALARS, "result_count": IDS}
META = st.one_of(ANYTHING, st.fixed_dictionaries({}, optional=KNOWN_META))
KNOWN = {"data": ANYTHING, "meta": META, "includes": ANYTHING, "errors": ANYTHING, "title": ANYTHING}
ANSWERS = st.one_of(ANYTHING, st.fixed_dictionaries({}, optional=KNOWN))
STEADY = settings(
    deadline=None, derandomize=True, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class Server(ThreadingHTTPServer):
    status, body, asked = 200, b"{}", 0
    headers: Mapping[str, str] = {}


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        self.server.asked += 1
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as started:
        threading.Thread(target=started.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield started
        started.shutdown()


def clock() -> datetime:
    return datetime.now(UTC)


def round_of(db: Database, world: World, server: Server) -> tuple[str, str]:
    """One round of searches: the state of the source afterwards, and its reason."""
    url = f"http://127.0.0.1:{server.server_address[1]}"
    one = XSearch("s", db, world, token=lambda: "token", base_url=url, clock=clock)
    collect(db, world, one.posts(), source="s", clock=clock, key=AuthorKeys.of_bytes(b"test"), mark=one.mark)
    with db.read() as conn:
        (health,) = sources.all(conn)
    return health.state, health.reason


@STEADY
@given(status=st.sampled_from([200, 200, 200, 400, 404, 429, 500]), answer=ANSWERS)
def test_whatever_is_answered_the_round_ends_and_the_source_has_a_state(
    db: Database, server: Server, status: int, answer: Any
) -> None:
    with db.write() as conn:
        state.put(conn, "x_search:s", {"rest_until": None})
    server.status, server.body, server.asked = status, json.dumps(answer).encode(), 0
    assert round_of(db, World.from_files("v1", {"b.yaml": ONE}), server)[0] in ("on", "waiting")
    assert server.asked < 60


def test_pages_that_never_end_are_left(db: Database, world: World, server: Server) -> None:
    server.body = json.dumps({"data": [], "meta": {"next_token": "again", "oldest_id": "2125013648123363328"}}).encode()
    assert round_of(db, world, server) == ("waiting", "X answered: its pages do not go on")


def test_an_id_from_the_future_does_not_make_the_search_deaf(db: Database, world: World, server: Server) -> None:
    server.body = json.dumps({"data": [], "meta": {"newest_id": "9999999999999999999"}}).encode()
    round_of(db, world, server)
    with db.read() as conn:
        assert not [key for key in state.get(conn, "x_search:s") if key.startswith("since:")]


def test_a_query_that_x_cannot_read_stops_no_other(db: Database, world: World, server: Server) -> None:
    fault = {"parameters": {"query": ["?"]}, "message": "no viable alternative at character '?'"}
    server.status, server.body = 400, json.dumps({"errors": [fault]}).encode()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    one = XSearch("s", db, world, token=lambda: "token", base_url=url, clock=clock)
    assert list(one.posts()) == []
    asked = server.asked
    assert asked > 1
    assert list(one.posts()) == []
    assert server.asked == asked, "a refused query is left out for a day"
    assert one.refused(one.memory(), clock() + timedelta(days=1)) == frozenset()


@pytest.mark.parametrize("reset", ["soon", "", "-1", "1e9", "9" * 5000])
def test_a_reset_that_is_no_number_rests_as_long_as_x_counts(
    db: Database, world: World, server: Server, reset: str
) -> None:
    server.status, server.headers = 429, {"x-rate-limit-reset": reset}
    state_of, reason = round_of(db, world, server)
    assert (state_of, "allows no more searches until" in reason) == ("waiting", True)


def test_an_answer_whose_head_never_ends_is_left(monkeypatch: pytest.MonkeyPatch, db: Database, world: World) -> None:
    adapter = partial(x_wire.BaseUrl, connect_seconds=0.2, read_seconds=0.3)
    monkeypatch.setattr(x_wire, "BaseUrl", adapter)
    with fake_x(b"HTTP/1.1 200 OK\r\nX: ") as x:
        one = XSearch("s", db, world, token=lambda: "token", base_url=x.url, clock=clock)
        began = time.monotonic()
        assert list(one.posts()) == []
        assert time.monotonic() - began < 5
    with db.read() as conn:
        assert "cannot be reached" in sources.all(conn)[0].reason
