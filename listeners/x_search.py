"""X's recent search through tweepy: what the stream missed, a round of queries at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import requests
import tweepy
from sqlalchemy import Connection

from config.secrets import MissingSecret
from listeners import health, x_queries, x_wire
from listeners.incoming import Incoming
from store import state
from store.database import Database
from store.records import SourceState

if TYPE_CHECKING:
    from config.world import World

log = logging.getLogger(__name__)
PAGE = 100
REACH = timedelta(days=7) - timedelta(minutes=5)
FIRST_LOOK = timedelta(hours=1)
NEWEST = timedelta(seconds=15)
_EPOCH_MS = 1_288_834_974_657


class XSearch:
    """A listener that asks X's recent search for every query of the filters of ``world``, once a call of :meth:`posts`.

    It remembers the newest post of each query (``since_id``) when :meth:`mark` is called in the transaction that
    keeps the posts. ``token`` gives the bearer token or raises MissingSecret. At most ``most_pages`` pages are read a
    query and round; what is older is not asked for again.
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
    ) -> None:
        self.source, self.db, self.world = source, db, world
        self.token, self.base_url, self.clock, self.most_pages = token, base_url, clock, most_pages
        self._newest: dict[str, str] = {}
        self._last: str | None = None

    def posts(self, since: datetime | None = None) -> Iterator[Incoming]:
        """What the queries find: new since the last round, or since ``since`` (UTC, 7 days at most) or an hour ago.

        Ends early, with the reason in the store, where X refuses or has no more requests to give.
        """
        now = self.clock()
        memory = self._memory()
        if self._resting(memory, now):
            return
        try:
            yield from self._round(x_wire.usable(self.token()), memory, since or now - FIRST_LOOK, now)
            self._say("on", "")
        except (MissingSecret, x_wire.Unusable) as error:
            self._say("off", f"no credential: {error}")
        except (tweepy.Unauthorized, tweepy.Forbidden) as error:
            self._say("off", f"X refuses the credential ({error.response.status_code}): check X_BEARER_TOKEN")
        except tweepy.TooManyRequests as error:
            self._rest(error.reset_time)
        except tweepy.TweepyException as error:
            self._say("waiting", f"X answered: {error}"[:200])
        except requests.RequestException as error:
            self._say("waiting", f"X cannot be reached at {self.base_url}: {type(error).__name__}")

    def mark(self, conn: Connection) -> None:
        """Remembers how far this round came; to be called in the transaction that keeps its posts."""
        since = {f"since:{key}": value for key, value in self._newest.items()}
        if self._last:
            state.put(conn, self._stage, {**since, "last": self._last})
        self._newest = {}

    def adopt(self, world: World) -> None:
        """Takes up a new configuration with the next round."""
        self.world = world

    def close(self) -> None:
        """Nothing stays open between rounds."""

    def _round(self, token: str, memory: dict[str, Any], since: datetime, now: datetime) -> Iterator[Incoming]:
        client = tweepy.Client(token, return_type=dict)
        adapter = x_wire.BaseUrl(self.base_url)
        x_wire.mount(client.session, adapter)
        queries, faults = x_queries.compiled(self.world)
        for fault in faults:
            log.warning("%s: %s", self.source, fault)
        for query in _turned(queries, memory.get("last")):
            start = _start(memory.get(f"since:{query.key}"), since, now)
            yield from self._pages(client, adapter, query, start)
            self._last = query.key

    def _pages(
        self, client: tweepy.Client, adapter: x_wire.BaseUrl, query: x_queries.Query, start: dict[str, Any]
    ) -> Iterator[Incoming]:
        following: dict[str, Any] = {}
        for _ in range(self.most_pages):
            answer = client.search_recent_tweets(query.text, max_results=PAGE, **start, **following, **x_wire.FIELDS)
            meta = answer.get("meta", {})
            yield from self._posts(answer, adapter)
            if newest := meta.get("newest_id"):
                self._newest[query.key] = max(
                    self._newest.get(query.key, ""), str(newest), key=lambda id: (len(id), id)
                )
            if not (token := meta.get("next_token")):
                return
            following = {"next_token": token}
        log.warning(
            "%s: query %s has more than %d pages; the oldest were left", self.source, query.key, self.most_pages
        )

    def _posts(self, answer: dict[str, Any], adapter: x_wire.BaseUrl) -> Iterator[Incoming]:
        status, includes = x_wire.status_said(adapter), answer.get("includes") or {}
        for one in answer.get("data") or ():
            try:
                yield x_wire.incoming(one, includes, status=status, backfilled=True)
            except x_wire.NotAPost as error:
                log.warning("%s: a result of X is no post: %s", self.source, error)

    def _memory(self) -> dict[str, Any]:
        with self.db.read() as conn:
            return state.get(conn, self._stage)

    def _resting(self, memory: dict[str, Any], now: datetime) -> bool:
        until = memory.get("rest_until")
        return until is not None and now < datetime.fromisoformat(until)

    def _rest(self, reset: int | None) -> None:
        until = datetime.fromtimestamp(reset, UTC) if reset else self.clock() + timedelta(minutes=15)
        with self.db.write() as conn:
            state.put(conn, self._stage, {"rest_until": until.isoformat()})
        self._say("waiting", f"X allows no more searches until {until:%H:%M:%S} UTC")

    @property
    def _stage(self) -> str:
        return f"x_search:{self.source}"

    def _say(self, kind: SourceState, reason: str) -> None:
        with self.db.write() as conn:
            health.set_state(conn, self.source, kind, reason, self.clock())


def _turned(queries: Sequence[x_queries.Query], last: str | None) -> Sequence[x_queries.Query]:
    """The queries in their order, beginning after ``last``: a round cut short goes on where it was cut."""
    after = next((place + 1 for place, query in enumerate(queries) if query.key == last), 0)
    return [*queries[after:], *queries[:after]]


def _start(newest: str | None, since: datetime, now: datetime) -> dict[str, Any]:
    """``since_id`` where it is young enough for X, else ``start_time``."""
    if newest and datetime.fromtimestamp(((int(newest) >> 22) + _EPOCH_MS) / 1000, UTC) > now - REACH:
        return {"since_id": newest}
    return {"start_time": min(max(since, now - REACH), now - NEWEST)}
