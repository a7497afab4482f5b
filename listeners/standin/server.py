"""The stand-in itself: HTTP on this machine, in X's words, for the unmodified tweepy."""

from __future__ import annotations

import errno
import select
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson

from listeners.standin import playback, recent
from listeners.standin.limits import Limit, Seats
from listeners.standin.rules import Rules
from listeners.standin.tweet import Tweet
from listeners.standin.wire import PROBLEMS, Fields, Problem, envelope, stamp
from store import times

STATUS_HEADER = "x-vigie-status"
_MAX_BODY = 4_000_000
_LOOK_SECONDS = 0.25


class PortInUse(RuntimeError):
    """Another program listens on the port; the message says what to do."""


@dataclass(frozen=True)
class Options:
    """How a stand-in behaves. Times are in seconds; the tokens ``rejected`` and ``forbidden`` get 401 and 403."""

    host: str = "127.0.0.1"
    port: int = 8712
    speed: float = 1.0
    at_once: bool = False
    loop: bool = False
    keep_alive: float = 20.0
    connections: int = 1
    connects: int = 50
    searches: int = 450
    rules: int = 1000
    rejected: str = "rejected"
    forbidden: str = "forbidden"


class StandIn:
    """X on this machine. Use as a context manager, or call :meth:`start` and :meth:`close`.

    ``posts`` are played from the first stream connect, or at once with that option. Every answer bears the header
    ``x-vigie-status: Exercise``, so that nothing that comes from here is taken for the real thing.
    """

    def __init__(
        self, posts: list[playback.Draft], options: Options = Options(), *, clock: Callable[[], datetime] = times.now
    ) -> None:
        self.options = options
        self.clock = clock
        self.rules = Rules(at_most=options.rules)
        self.seats = Seats(options.connections)
        self.connects = Limit(options.connects, self.clock)
        self.searches = Limit(options.searches, self.clock)
        self.play = playback.Playback(posts, self._publish, clock=self.clock, speed=options.speed, loop=options.loop)
        self.closing = Event()
        self.delivered = self.requests = 0
        self._streams: set[SimpleQueue[Tweet]] = set()
        self._server = _bind(self)

    @classmethod
    def of_file(cls, path: Path, options: Options = Options(), *, clock: Callable[[], datetime] = times.now) -> StandIn:
        """A stand-in that plays a file. Raises playback.FileFault, PortInUse, OSError."""
        return cls(playback.read(path), options, clock=clock)

    @property
    def url(self) -> str:
        """Where it listens, to be given as the base URL of X."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def start(self) -> StandIn:
        """Serves in a thread of its own."""
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="standin", daemon=True).start()
        if self.options.at_once:
            self.play.start()
        return self

    def close(self) -> None:
        """Ends the play, the streams and the server."""
        self.closing.set()
        self.play.stop()
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> StandIn:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def subscribe(self) -> SimpleQueue[Tweet]:
        """A queue that gets every post from now on; the first one starts the play."""
        queue: SimpleQueue[Tweet] = SimpleQueue()
        self._streams = self._streams | {queue}
        self.play.start()
        return queue

    def unsubscribe(self, queue: SimpleQueue[Tweet]) -> None:
        """Ends what subscribe began."""
        self._streams = self._streams - {queue}

    def status(self) -> dict[str, Any]:
        """How the play stands, for the desk: counts, the start (UTC) or None, and whether all is played."""
        start = self.play.started_at
        return {
            "status": "Exercise",
            "connected": self.seats.taken,
            "connects_in_window": self.connects.used,
            "rules": len(self.rules),
            "posts": len(self.play.drafts),
            "played": len(self.play.played),
            "delivered": self.delivered,
            "requests": self.requests,
            "started_at": stamp(start) if start else None,
            "speed": self.options.speed,
            "finished": bool(start) and not self.options.loop and len(self.play.played) >= len(self.play.drafts),
        }

    def _publish(self, tweet: Tweet) -> None:
        for queue in self._streams:
            queue.put(tweet)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    standin: StandIn

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are everyday; anything else is shown as usual."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


def _bind(standin: StandIn) -> _Server:
    options = standin.options
    try:
        server = _Server((options.host, options.port), _Handler)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise PortInUse(
            f"port {options.port} on {options.host} is in use: stop the program that listens there, or choose another "
            "port with --port (and set VIGIE_X_BASE_URL to it)"
        ) from error
    server.standin = standin
    return server


class _Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    server_version = "vigie-standin"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: the status path tells how it stands."""

    def do_GET(self) -> None:
        self._serve({
            "/2/tweets/search/stream": self._stream,
            "/2/tweets/search/stream/rules": self._list_rules,
            "/2/tweets/search/recent": self._recent,
        })  # fmt: skip

    def do_POST(self) -> None:
        self._serve({"/2/tweets/search/stream/rules": self._change_rules})

    def _serve(self, routes: dict[str, Callable[[dict[str, str]], None]]) -> None:
        self.standin = self.server.standin
        parts = urlsplit(self.path)
        if parts.path == "/health":
            return self._answer(200, self.standin.status())
        self.standin.requests += 1
        try:
            self.raw = self._body()
            self._check_bearer()
            if parts.path not in routes:
                raise Problem(404, "Not Found", f"Nothing is at {parts.path}")
            routes[parts.path](dict(parse_qsl(parts.query)))
        except Problem as problem:
            self._answer(problem.status, problem.body, problem.headers)

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > _MAX_BODY:
            self.close_connection = True
            raise Problem(413, "Payload Too Large", f"A body may hold {_MAX_BODY} bytes")
        return self.rfile.read(int(length))

    def _check_bearer(self) -> None:
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        options = self.standin.options
        if scheme != "Bearer" or not token or token == options.rejected:
            raise Problem(401, "Unauthorized", "Unauthorized", status=401)
        if token == options.forbidden:
            detail = "You must use keys and tokens from a developer App that is attached to a Project."
            raise Problem(403, "Client Forbidden", detail, f"{PROBLEMS}/client-forbidden", reason="client-not-enrolled")

    def _answer(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        content = orjson.dumps(body)
        self._head(status, {"Content-Length": str(len(content))} | (headers or {}))
        self.wfile.write(content)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header(STATUS_HEADER, "Exercise")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _list_rules(self, params: dict[str, str]) -> None:
        rules = self.standin.rules.listed(params.get("ids", ""))
        meta = {"sent": stamp(self.standin.clock()), "result_count": len(rules)}
        self._answer(200, ({"data": rules} if rules else {}) | {"meta": meta})

    def _change_rules(self, params: dict[str, str]) -> None:
        try:
            body = orjson.loads(self.raw)
        except orjson.JSONDecodeError as error:
            raise Problem(
                400, "Invalid Request", f"The body is not JSON: {error}", f"{PROBLEMS}/invalid-request"
            ) from error
        status, answer = self.standin.rules.change(body, dry_run=params.get("dry_run", "").lower() == "true")
        answer["meta"] = {"sent": stamp(self.standin.clock())} | answer["meta"]
        self._answer(status, answer)

    def _recent(self, params: dict[str, str]) -> None:
        headers = self.standin.searches.take()
        self._answer(200, recent.search(params, self.standin.play.played, self.standin.clock()), headers)

    def _stream(self, params: dict[str, str]) -> None:
        fields = Fields.of(params)
        headers = self.standin.connects.take()
        if not len(self.standin.rules):
            raise Problem(
                409, "ConnectionException",
                "You must define rules using the POST /2/tweets/search/stream/rules endpoint before connecting.",
                f"{PROBLEMS}/streaming-connection", connection_issue="RuleConfigurationIssue",
            )  # fmt: skip
        self.standin.seats.take()
        try:
            self._head(200, headers | {"Transfer-Encoding": "chunked"})
            self._send_posts(fields)
        finally:
            self.standin.seats.leave()
            self.close_connection = True

    def _send_posts(self, fields: Fields) -> None:
        queue = self.standin.subscribe()
        try:
            idle = 0.0
            while not self.standin.closing.is_set() and not self._gone():
                try:
                    tweet = queue.get(timeout=min(_LOOK_SECONDS, self.standin.options.keep_alive))
                except Empty:
                    idle += min(_LOOK_SECONDS, self.standin.options.keep_alive)
                    if idle >= self.standin.options.keep_alive:
                        idle = 0.0
                        self._chunk(b"\r\n")
                    continue
                if rules := self.standin.rules.matching(tweet):
                    idle = 0.0
                    self.standin.delivered += 1
                    self._chunk(orjson.dumps(envelope(tweet, fields, rules)) + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
        except ConnectionError:
            return
        finally:
            self.standin.unsubscribe(queue)

    def _chunk(self, line: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))

    def _gone(self) -> bool:
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)
