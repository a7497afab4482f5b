"""X's filtered stream through tweepy: one thread listens and paces itself, the caller takes what has come.

tweepy makes one connection a call (:mod:`listeners.x_client`); when to connect, what an answer means and when to give
up is here. What must survive a restart is in :mod:`listeners.x_memory`. The source's state and its holes are written
by the caller's thread, in :meth:`XStream.note`: the stream never waits for the database.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from queue import Empty, Full, Queue
from random import Random
from threading import Event, RLock, Thread
from typing import TYPE_CHECKING

import requests
import tweepy
from sqlalchemy.exc import SQLAlchemyError

from config.secrets import MissingSecret
from listeners import pacing, x_rules, x_wire
from listeners.incoming import Gone, Incoming
from listeners.logbook import Logbook, Turn
from listeners.x_client import Client, answered, kind
from listeners.x_memory import Memory
from listeners.x_rulebook import Rulebook
from store.database import Busy, Database
from store.leases import LeaseExpired, LeaseLost
from store.records import Lease, SourceState

if TYPE_CHECKING:
    from config.world import World

log = logging.getLogger(__name__)
STALL_SECONDS = 28.0
"""X sends a keep-alive every 20 s; a stall is noticed within 30 s."""
LOOK = timedelta(seconds=1)
UNREAD = "X sent lines that could not be read"
LEAST_REST = timedelta(seconds=5)
_QUEUE = 8_000
_BATCH = 500
_NOBODY = "no filter wants the stream: declare one with stream: true"
_DENIED = {401: "X rejected the credential (401)", 403: "X forbids this credential the filtered stream (403)"}
_DATABASE = (SQLAlchemyError, Busy, LeaseExpired)
_NETWORK = (tweepy.TweepyException, requests.RequestException, x_rules.Strange)


class XStream:
    """A listener on the stream of the filters of ``world``.

    ``token`` gives the bearer token, or raises MissingSecret; it is asked again now and then while the source is off,
    so that a new credential is taken up. ``rng`` draws the jitter of waits. The thread starts with the first call of
    :meth:`posts`; whoever calls it calls :meth:`note` when all that it gave is kept. Nothing is written once ``lease``
    is lost.
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
        lease: Lease | None = None,
        wait_seconds: float = 0.5,
        stall_seconds: float = STALL_SECONDS,
        most_rules: int = x_rules.AT_MOST,
        look: timedelta = LOOK,
    ) -> None:
        self.source, self.world, self.token, self.base_url, self.clock = source, world, token, base_url, clock
        self.wait_seconds, self.stall_seconds, self.look = wait_seconds, stall_seconds, look
        self.bad_lines = 0
        self._memory, self._logbook = Memory(source, db, clock, rng, lease), Logbook(source, db, clock, lease)
        self._rules = Rulebook(source, self._memory, most_rules)
        self._backoff = pacing.Backoff(rng)
        self._queue: Queue[Incoming | Gone] = Queue(_QUEUE)
        self._given: list[Incoming | Gone] = []
        self._stop, self._wake, self._full = Event(), Event(), Event()
        self._lock = RLock()
        self._thread: Thread | None = None
        self._client: Client | None = None
        self._on = False
        self._deaf_since = time.monotonic()
        self._heard_at: datetime | None = None
        self._given_until: datetime | None = None
        self._kept_until: datetime | None = None

    def posts(self, since: datetime | None = None) -> Iterator[Incoming | Gone]:  # noqa: ARG002 -- the stream has no past
        """What came since the last call, at most 500; waits up to ``wait_seconds`` for the first one.

        What was given before and not kept (:meth:`note` was not called) is given again.
        """
        self._start()
        self._watch()
        yield from tuple(self._given)
        timeout = 0.0 if self._given else self.wait_seconds
        while len(self._given) < _BATCH:
            heard = self._heard_at
            try:
                one = self._queue.get(timeout=timeout)
            except Empty:
                self._given_until = heard
                return
            timeout = 0.0
            self._given.append(one)
            if isinstance(one, Incoming):
                self._given_until = one.received_at
            yield one

    def note(self) -> None:
        """To be called when all that :meth:`posts` gave is kept: writes how the source does, when there is news.

        Raises LeaseLost; a database that takes no note is told in the log, and asked again with the next call.
        """
        self._given.clear()
        self._kept_until = self._given_until
        self._write()

    def adopt(self, world: World) -> None:
        """Takes up a new configuration: its rules replace the old ones, while the stream goes on."""
        self.world = world
        if self._on:
            Thread(target=self._adopt, args=(world,), name="x rules", daemon=True).start()
        else:
            self._wake.set()

    def close(self, *, wanted: bool = True) -> None:
        """Ends at once; a thread that waits for X is cut off. Unless ``wanted``, the silence from now on is no hole."""
        self._stop.set()
        self._wake.set()
        if client := self._client:
            client.cut("not listening: stopped")
        thread, self._thread = self._thread, None
        if thread:
            thread.join(timeout=1.5)
            self._heard_at = self._kept_until
            self._say("off", "not listening: stopped", wanted=wanted)
            with suppress(LeaseLost):  # another process listens now: what it says is true
                self._write()

    def _write(self) -> None:
        try:
            self._logbook.write(self._heard_at, self._kept_until, self._rules.filters())
        except _DATABASE as error:
            log.error("%s: the database did not take a note: %s", self.source, error)

    def _start(self) -> None:
        if (self._thread and self._thread.is_alive()) or self._stop.is_set():
            return
        rest = pacing.NONE
        if self._thread:  # it died: it comes back, unhurried
            rest = self._say("waiting", "the listener broke: see the log", self._backoff.network())
        else:
            self._rules.recall()
            self._heard_at = self._memory.heard_until()
            hole = "Vigie was not running" if self._heard_at else ""
            self._say("waiting", "connecting to X", hole=hole, wanted=bool(self._wanting()))
        self._thread = Thread(target=self._run, args=(rest,), name=f"x stream {self.source}", daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        """Cuts a connection on which no line was completed for the time of a stall, unless it waits for the caller."""
        client = self._client
        if not client or not client.running or self._full.is_set():
            return
        if time.monotonic() - client.moved_at > self.stall_seconds:
            client.cut("X went silent, or sent a line without end")

    def _run(self, rest: timedelta) -> None:
        self._stop.wait(rest.total_seconds())
        while not self._stop.is_set():
            self._wake.clear()
            try:
                pause = self._attempt()
            except _DATABASE as error:
                log.error("%s: the database did not take a note: %s", self.source, error)
                pause = self._say("waiting", f"the database does not answer: {kind(error)}", self._backoff.network())
            except LeaseLost:
                return
            self._wake.wait(pause.total_seconds())

    def _attempt(self) -> timedelta:
        """One try to listen: how long to wait before the next."""
        world = self.world
        if not self._wanting():
            return self._say("off", _NOBODY, self.look, wanted=False)
        try:
            token = x_wire.usable(self.token())
            situation = f"{world.version} {self._wanting()} {self.base_url} {token}"
            if reason := self._memory.refused(situation):
                return self._say("off", reason, self.look)
            client = self._new_client(token)
        except (MissingSecret, x_wire.Unusable) as error:
            return self._say("off", f"no credential: {error}", self.look)
        pause, reason = self._memory.early()
        if pause > pacing.NONE:
            return self._say("waiting", reason, pause)
        if self._heard_at is None:
            self._say("waiting", "connecting to X")
        self._client = client
        try:
            return self._listen(client, world, situation)
        except x_rules.TooManyRules as error:
            return self._deny(situation, str(error))
        except tweepy.HTTPException as error:
            return self._refused(client, situation, error.response.status_code, answered(error.response))
        except _NETWORK as error:
            return self._say("waiting", self._unreachable(error), self._backoff.network())
        finally:
            self._client, self._on = None, False

    def _listen(self, client: Client, world: World, situation: str) -> timedelta:
        if not self._rules.sync(client, world):
            return self._deny(situation, self._notice())
        self._memory.note_connect()
        if self._stop.is_set():
            return pacing.NONE
        client.filter(**x_wire.FIELDS)
        if self._stop.is_set():
            return pacing.NONE
        if client.status != 200:
            return self._refused(client, situation, client.status, client.ended)
        return self._say("waiting", client.ended, self._backoff.network())

    def _new_client(self, token: str) -> Client:
        return Client(self, token, self.base_url, stall_seconds=self.stall_seconds)

    def _adopt(self, world: World) -> None:
        """Brings the rules of a new configuration into force, trying until it works; the old ones stay meanwhile."""
        pauses = pacing.Backoff(Random())
        while self.world is world and self._on and not self._stop.is_set():
            try:
                some = self._rules.sync(self._new_client(x_wire.usable(self.token())), world)
            except (MissingSecret, x_wire.Unusable, x_rules.TooManyRules, *_NETWORK, *_DATABASE) as error:
                log.error("%s: the new rules are not in force: %s", self.source, error)
                self._remark(f"the new rules are not in force, those before stay: {kind(error)}")
                self._stop.wait(pauses.http().total_seconds())
                continue
            except LeaseLost:
                return
            if not some and (client := self._client):
                client.cut(self._notice() or _NOBODY)
            self._remark(self._notice())
            return

    def _remark(self, reason: str) -> None:
        with self._lock:
            if self._on:
                self._say("on", reason)

    def _refused(self, client: Client, situation: str, status: int, reason: str) -> timedelta:
        """What an error of X means."""
        if status in _DENIED:
            return self._deny(situation, f"{_DENIED[status]}: check X_BEARER_TOKEN, or the project it belongs to")
        pause, reset = self._backoff.http(), client.adapter.reset_in(self.clock())
        if status == 429:
            pause = max(reset, LEAST_REST) if reset > pacing.NONE else pause
            self._memory.rest(self.clock() + pause, reason)
        return self._say("waiting", reason, pause)

    def _deny(self, situation: str, reason: str) -> timedelta:
        """Off, until credential or configuration changes."""
        self._memory.refuse(situation, reason)
        return self._say("off", reason, self.look)

    def _say(
        self, state: SourceState, reason: str, pause: timedelta = pacing.NONE, *, wanted: bool = True, hole: str = ""
    ) -> timedelta:
        """Has the next note tell a new state. Where it is not ``on`` and somebody wants to hear, a hole begins."""
        with self._lock:
            now, was_on = self.clock(), self._on
            self._on = state == "on"
            if was_on and not self._on:
                self._deaf_since = time.monotonic()
            deaf_s = time.monotonic() - self._deaf_since
            began = now - timedelta(seconds=deaf_s) if self._on and not was_on else None
            heard = now if self._on and not was_on else self._heard_at or now
            self._heard_at = heard if wanted else None
            turn = self._turn(state, reason, None if self._on else self._heard_at, hole)
            self._logbook.note(replace(turn, at=now, began=began))
        return pause

    def _turn(self, state: SourceState, reason: str, deaf_from: datetime | None, hole: str) -> Turn:
        return Turn(self.clock(), state, reason, deaf_from, hole, self._rules.filters() or self._wanting())

    def _wanting(self) -> tuple[str, ...]:
        return tuple(sorted(one.id for one in self.world.bundle.filters if one.stream))

    def _notice(self) -> str:
        unheard = self._rules.unheard
        return f"X has no rule for: {', '.join(unheard)}" if unheard else ""

    def _unreachable(self, error: Exception) -> str:
        if isinstance(error, x_rules.Strange):
            return str(error)
        return f"X cannot be reached at {self.base_url}: {kind(error)}"

    @property
    def closing(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._stop.is_set()

    def connected(self) -> None:
        """Called by the client when X has accepted the connection."""
        self._backoff.reset()
        self._say("on", self._notice())
        if self._rules.world is not self.world:
            self.adopt(self.world)

    def alive(self) -> None:
        """Called by the client when a line was completed."""
        self._full.clear()
        if self._on:
            self._heard_at = self.clock()

    def garbage(self) -> None:
        """Called by the client for a line that could not be read: it may have been a post, so search asks for it."""
        self.bad_lines += 1
        with self._lock:
            if self._on:
                self._logbook.note(self._turn("on", self._notice(), self._heard_at, UNREAD))

    def heard(self, one: Incoming | Gone) -> None:
        """Called by the client for each post; waits while the caller of :meth:`posts` is behind."""
        if isinstance(one, Incoming):
            one = replace(one, sought=self._rules.sought(one.rules))
        while not self._stop.is_set():
            try:
                self._queue.put(one, timeout=0.5)
                return
            except Full:
                self._full.set()
