"""X's filtered stream through tweepy: one thread listens and paces itself, the caller takes what has come.

tweepy makes one connection a call; everything around it (when to connect, what an answer means, when to give up) is
here, since tweepy alone reconnects without pause after a clean close and repeats a refused credential for ever.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from queue import Empty, Full, Queue
from random import Random
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any

import orjson
import requests
import tweepy
from sqlalchemy.exc import SQLAlchemyError

from config.secrets import MissingSecret
from listeners import health, pacing, x_rules, x_wire
from listeners.incoming import Incoming
from store import state
from store.database import Database
from store.records import SourceState

if TYPE_CHECKING:
    from config.world import World

log = logging.getLogger(__name__)
STALL_SECONDS = 30.0
LOOK = timedelta(seconds=1)
_QUEUE = 20_000
_BATCH = 500
_DENIED = {401: "X rejected the credential (401)", 403: "X forbids this credential the filtered stream (403)"}


class XStream:
    """A listener on the stream of the filters of ``world``.

    ``token`` gives the bearer token, or raises MissingSecret; it is asked again now and then while the source is off,
    so that a new credential is taken up. ``rng`` draws the jitter of waits. The thread starts with the first call of
    :meth:`posts`. What the source does is told in the store under ``source``, with its connect history.
    """

    def __init__(
        self,
        source: str,
        db: Database,
        world: World,
        *,
        token: Callable[[], str],
        base_url: str,
        clock: Callable[[], datetime],
        rng: Random,
        wait_seconds: float = 0.5,
        stall_seconds: float = STALL_SECONDS,
        most_rules: int = x_rules.AT_MOST,
        look: timedelta = LOOK,
    ) -> None:
        self.source, self.db, self.world = source, db, world
        self.token, self.base_url, self.clock = token, base_url, clock
        self.wait_seconds, self.stall_seconds, self.most_rules, self.look = (
            wait_seconds,
            stall_seconds,
            most_rules,
            look,
        )
        self.bad_lines = 0
        self.rules_wanted = 0
        self._backoff = pacing.Backoff(rng)
        self._queue: Queue[Incoming | None] = Queue(_QUEUE)
        self._stop, self._wake = Event(), Event()
        self._lock = Lock()
        self._thread: Thread | None = None
        self._client: _Client | None = None
        self._denied: tuple[str, str] | None = None
        self._adapter = x_wire.BaseUrl(base_url)

    def posts(self, since: datetime | None = None) -> Iterator[Incoming]:  # noqa: ARG002 -- the stream has no past
        """What came since the last call, at most 500; waits up to ``wait_seconds`` for the first one."""
        self._start()
        with suppress(Empty):
            post = self._queue.get(timeout=self.wait_seconds)
            for _ in range(_BATCH):
                if post is None:
                    return
                yield post
                post = self._queue.get_nowait()

    def adopt(self, world: World) -> None:
        """Takes up a new configuration: its rules replace the old ones, while the stream goes on."""
        self.world = world
        self._wake.set()
        if self._client:
            Thread(target=self._adopt_rules, args=(world,), name="x rules", daemon=True).start()

    def close(self) -> None:
        """Ends at once; a thread that waits for X is cut off."""
        self._stop.set()
        self._wake.set()
        if self._client:
            self._client.cut()
        with suppress(Full):
            self._queue.put_nowait(None)
        if self._thread:
            self._thread.join(timeout=2)
            with suppress(SQLAlchemyError):
                self._say("off", "not listening: stopped", pacing.NONE)

    def _start(self) -> None:
        if (self._thread and self._thread.is_alive()) or self._stop.is_set():
            return
        rest = self._backoff.network() if self._thread else pacing.NONE  # a thread that died comes back, unhurried
        self._thread = Thread(target=self._run, args=(rest,), name=f"x stream {self.source}", daemon=True)
        self._thread.start()

    def _run(self, rest: timedelta) -> None:
        self._stop.wait(rest.total_seconds())
        while not self._stop.is_set():
            try:
                pause = self._attempt()
            except SQLAlchemyError as error:
                log.error("%s: the database did not take a note: %s", self.source, error)
                pause = self._backoff.network()
            self._wake.wait(pause.total_seconds())
            self._wake.clear()

    def _attempt(self) -> timedelta:
        """One try to listen: how long to wait before the next."""
        try:
            token = x_wire.usable(self.token())
        except (MissingSecret, x_wire.Unusable) as error:
            return self._say("off", f"no credential: {error}", self.look)
        if self._denied and self._denied[0] == self._situation(token):
            return self.look
        if early := self._too_early():
            return self._say("waiting", f"X allows {pacing.AT_MOST} connects in 15 minutes: pausing", early)
        try:
            return self._listen(token)
        except (x_rules.TooManyRules, x_wire.Unusable) as error:
            return self._deny(token, str(error))
        except tweepy.HTTPException as error:
            return self._answered(token, error.response.status_code, str(error))
        except requests.RequestException as error:
            return self._say(
                "waiting", f"X cannot be reached at {self.base_url}: {_kind(error)}", self._backoff.network()
            )

    def _listen(self, token: str) -> timedelta:
        client = _Client(self, token)
        self._sync(client, self.world)
        if not self.rules_wanted:
            return self._deny(token, "no filter wants the stream: declare one with stream: true")
        self._note_connect()
        with self._lock:
            self._client = client
        if self._stop.is_set():
            return pacing.NONE
        client.filter(**x_wire.FIELDS)
        self._client = None
        if self._stop.is_set():
            return pacing.NONE
        if client.status != 200:
            return self._answered(token, client.status, "")
        return self._say("waiting", client.ended, self._backoff.network())

    def _sync(self, client: _Client, world: World) -> None:
        rules = x_rules.compiled(world, at_most=self.most_rules)
        synced = x_rules.synchronise(client, rules, at_most=self.most_rules)
        self.rules_wanted = len(rules.values) - len(synced.refused)
        for fault in (*rules.faults, *(f"X refused {value[:80]}: {why}" for value, why in synced.refused.items())):
            log.warning("%s: %s", self.source, fault)
        with self.db.write() as conn:
            state.put(conn, self._stage, {"rules": {tag: list(names) for tag, names in rules.filters.items()}})

    def _adopt_rules(self, world: World) -> None:
        try:
            self._sync(_Client(self, x_wire.usable(self.token())), world)
        except (
            MissingSecret,
            x_wire.Unusable,
            x_rules.TooManyRules,
            tweepy.TweepyException,
            requests.RequestException,
        ) as error:
            log.error("%s: the new rules are not in force, connecting anew: %s", self.source, error)
            if self._client:
                self._client.cut()

    def _answered(self, token: str, status: int, detail: str) -> timedelta:
        """What an error of X means."""
        if status in _DENIED:
            return self._deny(token, f"{_DENIED[status]}: check X_BEARER_TOKEN, or the project it belongs to")
        pause = self._backoff.http()
        if status == 429:
            pause = max(pause, self._reset_in(), timedelta(seconds=5))
        return self._say("waiting", f"X answered {status} {detail}".strip(), pause)

    def _reset_in(self) -> timedelta:
        reset = self._adapter.header("x-rate-limit-reset")
        remaining = self._adapter.header("x-rate-limit-remaining")
        if not (reset and reset.isdecimal() and remaining == "0"):
            return pacing.NONE
        return min(datetime.fromtimestamp(int(reset), UTC) - self.clock(), pacing.WINDOW)

    def _deny(self, token: str, reason: str) -> timedelta:
        """Off, until credential or configuration changes."""
        self._denied = (self._situation(token), reason)
        return self._say("off", reason, self.look)

    def _situation(self, token: str) -> str:
        return hashlib.sha256(f"{self.world.version} {token}".encode()).hexdigest()

    @property
    def _stage(self) -> str:
        return f"x_stream:{self.source}"

    def _too_early(self) -> timedelta:
        return pacing.wait(self._history(), self.clock())

    def _history(self) -> list[datetime]:
        with self.db.read() as conn:
            return [datetime.fromisoformat(moment) for moment in state.get(conn, self._stage).get("connects", [])]

    def _note_connect(self) -> None:
        """Written before the connect, so that no crash loses one."""
        now = self.clock()
        moments = [*pacing.recent(self._history(), now), now]
        with self.db.write() as conn:
            state.put(conn, self._stage, {"connects": [moment.isoformat() for moment in moments]})

    def _say(self, kind: SourceState, reason: str, pause: timedelta) -> timedelta:
        with self.db.write() as conn:
            health.set_state(conn, self.source, kind, reason, self.clock())
        return pause

    @property
    def closing(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._stop.is_set()

    def connected(self) -> None:
        """Called by the client when X has accepted the connection."""
        self._backoff.reset()
        self._say("on", "", pacing.NONE)

    def heard(self, post: Incoming) -> None:
        """Called by the client for each post; waits while the caller of :meth:`posts` is behind."""
        while not self._stop.is_set():
            with suppress(Full):
                self._queue.put(post, timeout=0.5)
                return

    def new_adapter(self) -> x_wire.BaseUrl:
        """The way to X for one client."""
        self._adapter = x_wire.BaseUrl(self.base_url, read_seconds=self.stall_seconds)
        return self._adapter


class _Client(tweepy.StreamingClient):  # type: ignore[misc]
    """One connection. Nothing that X sends can end it but the end of the connection itself."""

    def __init__(self, owner: XStream, token: str) -> None:
        super().__init__(token, return_type=dict)
        self.owner = owner
        self.adapter = owner.new_adapter()
        x_wire.mount(self.session, self.adapter)
        self.status = 200
        self.ended = "X closed the stream"

    def on_connect(self) -> None:
        """X has accepted."""
        if self.owner.closing:
            self.disconnect()
        else:
            self.owner.connected()

    def on_data(self, raw_data: bytes) -> None:
        """One line: a post, or an error in the stream."""
        try:
            line = orjson.loads(raw_data)
            if not isinstance(line, dict) or "data" not in line:
                return self._no_post(line)
            status = x_wire.status_said(self.adapter)
            rules, includes = line.get("matching_rules") or (), line.get("includes") or {}
            post = x_wire.incoming(line["data"], includes, rules=rules, status=status)
            post = replace(post, received_at=self.owner.clock())
        except ValueError as error:
            self.owner.bad_lines += 1
            log.warning("%s: a line of X is no post: %s", self.owner.source, str(error)[:200])
            return None
        return self.owner.heard(post)

    def _no_post(self, line: Any) -> None:
        errors = line.get("errors") if isinstance(line, dict) else None
        known = errors if isinstance(errors, list) else []
        titles = [str(error.get("title")) for error in known if isinstance(error, dict)]
        self.ended = f"X announced the end of the stream: {', '.join(titles) or 'without a reason'}"
        log.warning("%s: X sent no post but %s", self.owner.source, titles or "something unknown")

    def on_request_error(self, status_code: int) -> None:
        """X answered with an error."""
        self.status = status_code
        self.disconnect()

    def on_connection_error(self) -> None:
        """The connection broke, or nothing came for the time of a stall."""
        self.ended = "the connection to X broke or went silent"
        self.disconnect()

    def on_closed(self, response: requests.Response) -> None:  # noqa: ARG002 -- tweepy's signature
        """X closed the connection: the owner decides when to come back."""
        self.disconnect()

    def on_exception(self, exception: Exception) -> None:
        """Something else went wrong in tweepy."""
        log.error("%s: the stream ended with %s", self.owner.source, _kind(exception))
        self.ended = f"the stream ended with {_kind(exception)}"

    def cut(self) -> None:
        """Ends the connection from another thread, without waiting for the next line."""
        self.disconnect()
        if self.adapter.last is not None:
            with suppress(ValueError, RuntimeError, OSError, AttributeError):
                self.adapter.last.raw.shutdown()


def _kind(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200]
