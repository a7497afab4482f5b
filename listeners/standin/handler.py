"""HTTP between a client and the stand-in, in X's words."""

from __future__ import annotations

import math
import socket
import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import orjson

from listeners.standin import recent, streaming
from listeners.standin.lookup import look_up
from listeners.standin.script import ANSWERS, ScriptError
from listeners.standin.wire import PROBLEMS, Fields, Problem, stamp

if TYPE_CHECKING:
    from listeners.standin.server import StandIn

STATUS_HEADER = "x-vigie-status"
_MAX_BODY = 64_000_000
_PLACES = {
    "/2/tweets/search/stream": "stream",
    "/2/tweets/search/stream/rules": "rules",
    "/2/tweets/search/recent": "search",
    "/2/tweets": "lookup",
    "/2/compliance/jobs": "compliance",
}
_TITLES = {"429": "Too Many Requests", "503": "Service Unavailable"}

Routes = Mapping[str, Callable[[dict[str, str]], None]]


def _unauthorized() -> Problem:
    return Problem(401, "Unauthorized", "Unauthorized", status=401)


def _forbidden() -> Problem:
    detail = "You must use keys and tokens from a developer App that is attached to a Project."
    return Problem(403, "Client Forbidden", detail, f"{PROBLEMS}/client-forbidden", reason="client-not-enrolled")


class Server(ThreadingHTTPServer):
    """One listening socket for a stand-in."""

    daemon_threads = True

    def __init__(self, standin: StandIn, port: int) -> None:
        self.standin = standin
        super().__init__((standin.options.host, port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are everyday; anything else is shown as usual."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    server_version = "vigie-standin"
    server: Server

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
            "/2/tweets": lambda params: self._answer(200, look_up(params, self.standin.play.archive)),
            "/2/compliance/jobs": self._list_jobs,
        })  # fmt: skip

    def do_POST(self) -> None:
        self._serve({
            "/2/tweets/search/stream/rules": self._change_rules,
            "/2/compliance/jobs": self._create_job,
        })  # fmt: skip

    def do_PUT(self) -> None:
        self._serve({})

    def _serve(self, routes: Routes) -> None:
        self.standin = self.server.standin
        self.path, _, self.query = self.path.partition("?")
        self.place = _PLACES.get(self.path, "compliance" if "/compliance/" in self.path else "other")
        if self.standin.door.shut:
            streaming.reset(self.connection)
        try:
            self.raw = self._body()
            if self.path in ("/health", "/played", "/break", "/mend"):
                return self._look_behind()
            self.standin.requests += 1
            self._break()
            if self.path.startswith("/compliance/"):
                return self._carry_file()
            self._check_bearer()
            self._route(routes)(dict(parse_qsl(self.query)))
        except Problem as problem:
            self._answer(problem.status, problem.body, problem.headers)
        return None

    def _route(self, routes: Routes) -> Callable[[dict[str, str]], None]:
        if self.command == "GET" and self.path.startswith("/2/compliance/jobs/"):
            return lambda _: self._answer(200, self.standin.jobs.one(self.path.rpartition("/")[2]))
        if self.path not in routes:
            raise Problem(404, "Not Found", f"Nothing is at {self.path}")
        return routes[self.path]

    def _look_behind(self) -> None:
        """What a test or the desk asks of the stand-in, not of X."""
        if self.path == "/health":
            return self._answer(200, self.standin.status())
        if self.path == "/played":
            return self._answer(200, {"posts": self.standin.account()})
        if self.path == "/mend":
            self.standin.breaker.mend()
            return self._answer(200, self.standin.status())
        try:
            entry = self._json()
            self.standin.break_with(**(entry if isinstance(entry, dict) else {}))
        except (ScriptError, TypeError) as error:
            raise Problem(400, "Invalid Request", str(error)) from error
        return self._answer(200, self.standin.status())

    def _break(self) -> None:
        """Lets a fault take the place of the answer. Raises Problem, ConnectionError."""
        if self.place == "stream":
            self.standin.breaker.connect()
        armed = self.standin.breaker.take(ANSWERS, self.place)
        if armed is None:
            return
        what, now = armed.trouble.what, self.standin.clock()
        if what == "hang":
            streaming.wait_out(self.standin, self.connection, armed)
            streaming.reset(self.connection)
        if what == "401":
            raise _unauthorized()
        if what == "403":
            raise _forbidden()
        problem = Problem(int(what), _TITLES[what], _TITLES[what], status=int(what))
        if what == "429":
            reset_at = armed.until(now) or now + timedelta(seconds=armed.trouble.reset)
            problem.headers = {
                "x-rate-limit-remaining": "0",
                "x-rate-limit-reset": str(math.ceil(reset_at.timestamp())),
            }
        raise problem

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > _MAX_BODY:
            self.close_connection = True
            raise Problem(413, "Payload Too Large", f"A body may hold {_MAX_BODY} bytes")
        return self.rfile.read(int(length))

    def _json(self) -> Any:
        try:
            return orjson.loads(self.raw)
        except orjson.JSONDecodeError as error:
            raise Problem(
                400, "Invalid Request", f"The body is not JSON: {error}", f"{PROBLEMS}/invalid-request"
            ) from error

    def _check_bearer(self) -> None:
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        options = self.standin.options
        if scheme != "Bearer" or not token or token == options.rejected:
            raise _unauthorized()
        if token == options.forbidden:
            raise _forbidden()

    def _answer(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        self._answer_with(status, orjson.dumps(body), headers)

    def _answer_with(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self._head(status, {"Content-Length": str(len(content))} | (headers or {}))
        self.wfile.write(content)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.standin.count_answer(self.place, status)
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
        status, answer = self.standin.rules.change(self._json(), dry_run=params.get("dry_run", "").lower() == "true")
        answer["meta"] = {"sent": stamp(self.standin.clock())} | answer["meta"]
        self._answer(status, answer)

    def _recent(self, params: dict[str, str]) -> None:
        headers = self.standin.searches.take()
        self._answer(200, recent.search(params, self.standin.play.archive.visible(), self.standin.clock()), headers)

    def _list_jobs(self, params: dict[str, str]) -> None:
        self._answer(200, self.standin.jobs.listed(params))

    def _create_job(self, params: dict[str, str]) -> None:  # noqa: ARG002 -- same seam as the others
        self._answer(200, self.standin.jobs.create(self._json()))

    def _carry_file(self) -> None:
        """The addresses of a compliance job, which bear their own key."""
        if self.command == "PUT" and self.path.startswith("/compliance/upload/"):
            self.standin.jobs.upload(self.path, self.raw)
            return self._answer_with(200, b"")
        if self.command == "GET" and self.path.startswith("/compliance/download/"):
            return self._answer_with(200, self.standin.jobs.download(self.path))
        raise Problem(404, "Not Found", f"Nothing is at {self.path}")

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
            sender = streaming.Sender(self.standin, self.connection, self.wfile, fields)
            sender.run(lambda: self._head(200, headers | {"Transfer-Encoding": "chunked"}))
        finally:
            self.standin.seats.leave()
            self.close_connection = True
