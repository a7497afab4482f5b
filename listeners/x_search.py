"""X's recent search through tweepy: what the stream missed, a round of queries at a time, and the holes to be filled.

What was asked, for each query and from when to when, is kept in the store in the transaction that keeps the posts. So
a round that was cut goes on where it was, and a hole is filled once nothing of it is left unasked (see ``gaps``).
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import TYPE_CHECKING, Any

import requests
import tweepy
from sqlalchemy import Connection

from config.secrets import MissingSecret
from listeners import budget, health, x_queries, x_wire
from listeners.incoming import Incoming
from listeners.spans import Span, missing, of_json, to_json, union
from listeners.x_asking import NEWEST, REACH, Ask, Garbled, Page, pages, time_of
from store import gaps, state
from store.database import Database
from store.records import SourceState

if TYPE_CHECKING:
    from config.world import World

log = logging.getLogger(__name__)
FIRST_LOOK = timedelta(hours=1)
KEPT = timedelta(days=8)
WINDOW = timedelta(minutes=15)
REFUSED = timedelta(days=1)
REQUEST = WINDOW / 300
"""Of the 450 requests that X allows in 15 minutes, rounds take 300; the others are for holes."""

FEW = 20
"""So many queries may be asked each minute."""

ROUND = timedelta(minutes=1)
BEFORE = datetime.min.replace(tzinfo=UTC)

SLOWED_EVERY = 10
CUT = "a round of searches was cut short before all was read"
BEYOND = "search stood still for longer than it reaches back"


class XSearch:
    """A listener that asks X's recent search for every query of the filters of ``world``, once a call of :meth:`posts`.

    It remembers how far it came when :meth:`mark` is called in the transaction that keeps the posts. ``token`` gives
    the bearer token or raises MissingSecret. At most ``most_pages`` pages are read a query and round; what is older is
    written down as a hole of this source, to be filled.
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
        most_pages: int = 5,
        stop: Event | None = None,
    ) -> None:
        self.source, self.db, self.world = source, db, world
        self.token, self.base_url, self.clock, self.most_pages = token, base_url, clock, most_pages
        self.stop = stop or Event()
        self._read: list[Page] = []

    def posts(self, since: datetime | None = None) -> Iterator[Incoming]:
        """What the queries find: new since the last round, or since ``since`` (UTC, 7 days at most) or an hour ago.

        Ends early, with the reason in the store, where X refuses or has no more requests to give: the next round begins
        with what this one left. A query is asked when it is due, so that no more are asked than X allows.
        """
        now = self.clock()
        memory = self.memory()
        asks = [self._ask(query, memory, since or now - FIRST_LOOK, now) for query in self._due(memory, now)]
        for page in self.asked(asks):
            self._read.append(page)
            yield from page.posts

    def asked(self, asks: Iterable[Ask]) -> Iterator[Page]:
        """Every page of every ask, as long as X and the month's budget allow; else the reason stands in the store."""
        if self._resting():
            return
        adapter = x_wire.BaseUrl(self.base_url)
        with self._told(adapter):
            token = x_wire.usable(self.token())
            if self._denied(token):
                return
            client = tweepy.Client(token, return_type=dict)
            x_wire.mount(client.session, adapter)
            try:
                for ask in asks:
                    if self.stop.is_set() or self._reserved():
                        return
                    try:
                        for page in pages(client, adapter, ask):
                            self._say("on", "")
                            yield page
                    except tweepy.BadRequest as error:
                        self._refuse(ask.query, error)
            except (tweepy.Unauthorized, tweepy.Forbidden) as error:
                self._deny(token, error.response.status_code)

    def mark(self, conn: Connection) -> None:
        """Remembers how far this round came; to be called in the transaction that keeps its posts."""
        if not self._read:
            return
        memory = state.get(conn, self.stage)
        self._write_holes(conn, memory)
        values = coverage(memory, self._read, self.clock())
        for page in self._read:
            since = f"since:{page.ask.query.key}"
            values[since] = _later(values.get(since) or memory.get(since), page.newest)
        state.put(conn, self.stage, {key: value for key, value in values.items() if value is not None})
        self._read = []

    def note(self, page: Page, conn: Connection) -> None:
        """Remembers one page that was asked for a hole; to be called in the transaction that keeps its posts."""
        memory = state.get(conn, self.stage)
        values, since = coverage(memory, [page], self.clock()), f"since:{page.ask.query.key}"
        covered = of_json(values[f"covered:{page.ask.query.key}"])
        known = memory.get(since)
        if known and page.newest and not missing(Span(time_of(known), time_of(page.newest)), covered):
            values[since] = _later(known, page.newest)
        state.put(conn, self.stage, values)

    def adopt(self, world: World) -> None:
        """Takes up a new configuration with the next round."""
        self.world = world

    def close(self) -> None:
        """Nothing stays open between rounds."""

    def memory(self) -> dict[str, Any]:
        """What is known of the rounds before; ``covered:KEY`` are the spans for which that query was asked."""
        with self.db.read() as conn:
            return state.get(conn, self.stage)

    @property
    def stage(self) -> str:
        """Under this name the store keeps its memory."""
        return f"x_search:{self.source}"

    def _due(self, memory: dict[str, Any], now: datetime) -> Sequence[x_queries.Query]:
        """The queries of this round: those not asked for as long as a round counts, the longest unasked first; those of
        slowed filters only every tenth time."""
        queries, faults = x_queries.compiled(self.world)
        for fault in faults:
            log.warning("%s: %s", self.source, fault)
        slowed, every, refused, asked = self.slowed(now), pace(len(queries)), self.refused(memory, now), {}
        for query in (one for one in queries if one.key not in refused):
            upto = known_until(memory, query.key)
            rest = SLOWED_EVERY * max(every, ROUND) if set(query.filters) <= slowed else every
            if upto is None or upto > now or now - NEWEST - upto >= rest:  # later than now: the clock was put back
                asked[query] = upto or BEFORE
        return sorted(asked, key=asked.__getitem__)

    def _ask(self, query: x_queries.Query, memory: dict[str, Any], since: datetime, now: datetime) -> Ask:
        """All that is newer than what is known; ``since_id`` where that post is young enough for X."""
        newest, upto = memory.get(f"since:{query.key}"), known_until(memory, query.key)
        end = now - NEWEST
        if newest and time_of(newest) > now - REACH:
            return Ask(query, Span(min(time_of(newest), end), end), True, newest, self.most_pages)
        start = min(max(upto or since, now - REACH), end)
        return Ask(query, Span(start, end), True, None, self.most_pages)

    def slowed(self, now: datetime) -> frozenset[str]:
        """The filters that have had their share of the month's budget."""
        with self.db.read() as conn:
            spending = budget.of_source(conn, self.world.bundle, self.source, now)
        return frozenset(spending.slowed if spending else ())

    def _write_holes(self, conn: Connection, memory: dict[str, Any]) -> None:
        """What this round left unread, and what no search reaches any more, as holes of this source."""
        read: dict[Ask, datetime] = {}
        for page in self._read:
            read[page.ask] = page.covered.start
        cut = [(ask.query, Span(ask.span.start, start)) for ask, start in read.items() if start > ask.span.start]
        gone = [
            (ask.query, Span(upto, ask.span.start))
            for ask in read
            if (upto := known_until(memory, ask.query.key)) and upto < self.clock() - REACH
        ]
        for reason, left in ((CUT, cut), (BEYOND, gone)):
            if left:
                filters = {name for query, _ in left for name in query.filters}
                gaps.begin(conn, self.source, min(span.start for _, span in left), reason, filters)
                gaps.end(conn, self.source, max(span.end for _, span in left))
                log.warning("%s: %s", self.source, reason)

    @contextmanager
    def _told(self, adapter: x_wire.BaseUrl) -> Iterator[None]:
        """What goes wrong is the state of the source."""
        try:
            yield
        except (MissingSecret, x_wire.Unusable) as error:
            self._say("off", f"no credential: {error}")
        except tweepy.TooManyRequests:
            self._rest(adapter.reset_in(self.clock()) or WINDOW)
        except Garbled as error:
            self._say("waiting", f"X answered: {error}"[:200])
        except tweepy.TweepyException as error:
            self._say("waiting", f"X answered: {error}"[:200])
        except requests.RequestException as error:
            self._say("waiting", f"X cannot be reached at {self.base_url}: {type(error).__name__}")

    def _resting(self) -> bool:
        until, now = self.memory().get("rest_until"), self.clock()
        return until is not None and now < datetime.fromisoformat(until) <= now + WINDOW  # else the clock was put back

    def _rest(self, pause: timedelta) -> None:
        until = self.clock() + min(pause, WINDOW)
        with self.db.write() as conn:
            state.put(conn, self.stage, {"rest_until": until.isoformat()})
        self._say("waiting", f"X allows no more searches until {until:%H:%M:%S} UTC")

    def _denied(self, token: str) -> bool:
        """Whether X refused this credential before, under this configuration."""
        return bool(self.memory().get("denied") == self._situation(token))

    def _deny(self, token: str, code: int) -> None:
        """Off, until credential or configuration changes."""
        with self.db.write() as conn:
            state.put(conn, self.stage, {"denied": self._situation(token)})
        self._say("off", f"X refuses the credential ({code}): check X_BEARER_TOKEN")

    def refused(self, memory: Mapping[str, Any], now: datetime) -> frozenset[str]:
        """The keys of the queries that X refused in the last day."""
        since = {key.removeprefix("refused:"): value for key, value in memory.items() if key.startswith("refused:")}
        return frozenset(key for key, at in since.items() if now - datetime.fromisoformat(at) < REFUSED)

    def _refuse(self, query: x_queries.Query, error: tweepy.BadRequest) -> None:
        """A query that X cannot read is left out for a day, the others go on; raises ``error`` for another fault."""
        named = [one.get("parameters") for one in error.api_errors if isinstance(one, dict)]
        if not any(isinstance(one, dict) and "query" in one for one in named):
            raise error
        log.warning("%s: X refused %s: %s", self.source, query.text[:80], error)
        with self.db.write() as conn:
            state.put(conn, self.stage, {f"refused:{query.key}": self.clock().isoformat()})

    def _situation(self, token: str) -> str:
        return hashlib.sha256(f"{self.world.version} {token}".encode()).hexdigest()

    def _reserved(self) -> bool:
        """Whether what is left of the month's budget is kept for the stream; the source is off then."""
        with self.db.read() as conn:
            spending = budget.of_source(conn, self.world.bundle, self.source, self.clock())
        if spending and spending.reserved:
            self._say("off", budget.reason(spending))
        return bool(spending and spending.reserved)

    def _say(self, kind: SourceState, reason: str) -> None:
        with self.db.write() as conn:
            health.set_state(conn, self.source, kind, reason, self.clock())


def pace(queries: int) -> timedelta:
    """How long a round of so many queries counts: 300 requests in 15 minutes at most; none for a few queries."""
    return queries * REQUEST if queries > FEW else timedelta(0)


def covered(memory: Mapping[str, Any], key: str) -> list[Span]:
    """For which time that query was asked, oldest first."""
    return of_json(memory.get(f"covered:{key}"))


def known_until(memory: Mapping[str, Any], key: str) -> datetime | None:
    """Up to when that query was asked; None where it never was."""
    return max((span.end for span in covered(memory, key)), default=None)


def coverage(memory: Mapping[str, Any], read: Iterable[Page], now: datetime) -> dict[str, Any]:
    """What is to be remembered of these pages: for which time before ``now`` (UTC) each query was asked, for 8 days."""
    spans: dict[str, list[Span]] = {}
    for page in read:
        spans.setdefault(page.ask.query.key, covered(memory, page.ask.query.key)).append(page.covered)
    found: dict[str, Any] = {}
    for key, asked in spans.items():
        past = union(Span(span.start, min(span.end, now)) for span in asked)
        found[f"covered:{key}"] = to_json(span for span in past if span.end > now - KEPT)
    return found


def _later(one: str | None, other: str | None) -> str | None:
    """The id of the newer post."""
    return max((id for id in (one, other) if id), key=lambda id: (len(id), id), default=None)
