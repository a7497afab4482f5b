"""A server that speaks just enough of X's stream for one test, byte by byte as the test wants; and a listener on it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any

from config.world import World
from listeners.incoming import Gone, Incoming
from listeners.x_stream import XStream
from store import gaps, sources
from store.database import Database
from store.records import Gap, SourceHealth

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
BUNDLE = """
name: {fr: a, en: b}
default_lead: p
agencies: [{id: p, name: {fr: a, en: b}, kind: prefecture}]
filters: [{id: smoke, purpose: Hear of smoke anywhere, keywords: [fumée], where: anywhere}]
"""
SMOKE = World.from_files("smoke", {"b.yaml": BUNDLE})

Send = Callable[[bytes], None]
Play = Callable[["FakeX", Send], None]


class FakeX:
    """``plays`` are what successive connects to the stream get, the last one again and again: a function that sends
    bytes as HTTP chunks until it returns, a status with headers, or the beginning of a head that never ends.
    ``connects`` counts them, ``tags`` are those of the rules that were added; ``rules_answer`` is what a look at the
    rules gets, nothing at all where it is None."""

    def __init__(self, *plays: Play | tuple[int, dict[str, str]] | bytes) -> None:
        self.plays = plays
        self.connects = 0
        self.tags: list[str] = []
        self.requests: list[str] = []
        self.rules_answer: object = {"meta": {}}
        self.done = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.server.daemon_threads = True
        self.server.fake = self  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def wait(self, seconds: float = 30.0) -> None:
        """Keeps a connection open until the test is over."""
        self.done.wait(seconds)


@contextmanager
def fake_x(*plays: Play | tuple[int, dict[str, str]] | bytes) -> Iterator[FakeX]:
    """A FakeX that serves meanwhile."""
    fake = FakeX(*plays)
    threading.Thread(target=fake.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield fake
    finally:
        fake.done.set()
        fake.server.shutdown()
        fake.server.server_close()


def post(native_id: int | str, text: str = "fumée", **more: Any) -> bytes:
    """A line with one post."""
    data = {"id": str(native_id), "text": text, "created_at": "2031-05-04T12:00:00.000Z"}
    return json.dumps({"data": data, **more}).encode() + b"\r\n"


class Clock:
    """The present, or as much later as ``ahead`` says."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@contextmanager
def listening(db: Database, url: str, world: World = SMOKE, **more: Any) -> Iterator[XStream]:
    """A listener named x, closed at the end."""
    given = {"token": lambda: "token", "clock": Clock(), "look": timedelta(seconds=0.05), "rng": Random(1)}
    stream = XStream("x", db, world, base_url=url, wait_seconds=0.02, **given | more)
    try:
        yield stream
    finally:
        stream.close()


def take(
    stream: XStream, until: Callable[[], Any], came: list[Incoming | Gone] | None = None, seconds: float = 8.0
) -> list[Incoming | Gone]:
    """Takes what comes, into ``came`` where given, until it happened."""
    end, came = time.monotonic() + seconds, [] if came is None else came
    while not until():
        assert time.monotonic() < end, f"it did not happen in time; what came is {came[:5]}"
        came += stream.posts()
        stream.note()
    return came


def health(db: Database) -> SourceHealth:
    """How the source does, by what the store says."""
    with db.read() as conn:
        return next(iter(sources.all(conn)), SourceHealth("x", "waiting", "nothing is known", LONG_AGO))


def holes(db: Database) -> list[Gap]:
    """The holes in the ledger, the oldest first."""
    with db.read() as conn:
        return gaps.since(conn, LONG_AGO)[::-1]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        added = json.loads(self.rfile.read(int(self.headers["Content-Length"]))).get("add", [])
        if "dry_run" not in self.path:
            self.fake.tags += [rule["tag"] for rule in added]
        self._json({"meta": {}})

    def do_GET(self) -> None:
        fake = self.fake
        if "/rules" in self.path:
            if fake.rules_answer is None:
                return fake.wait()
            return self._json(fake.rules_answer)
        play = fake.plays[min(fake.connects, len(fake.plays) - 1)]
        fake.connects += 1
        if isinstance(play, bytes):
            return self._drip(play)
        if isinstance(play, tuple):
            return self._json({"title": "trouble"}, *play)
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.close_connection = True
        try:
            play(fake, self._chunk)
            self.wfile.write(b"0\r\n\r\n")
        except ConnectionError:
            return None

    @property
    def fake(self) -> FakeX:
        self.server.fake.requests.append(self.path)  # type: ignore[attr-defined]
        return self.server.fake  # type: ignore[attr-defined,no-any-return]

    def _drip(self, head: bytes) -> None:
        with suppress(ConnectionError):
            self.wfile.write(head)
            while not self.fake.done.wait(0.05):
                self.wfile.write(b"x")
        self.close_connection = True

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def _json(self, body: object, status: int = 200, headers: dict[str, str] | None = None) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(content))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
