"""Live changes for the page: one poll of the change log shared by every open page, told as server-sent events."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy.exc import OperationalError

from store import changes
from store.database import Database
from store.records import Change

TABLES = ("incidents", "alerts", "deliveries", "acknowledgements", "sources", "config_versions", "gaps", "withdrawals")
LIMIT = 500
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class News:
    """What changed up to ``seq``: tables, and the incidents among them; ``all`` where too much changed to list."""

    seq: int
    tables: tuple[str, ...]
    incidents: tuple[str, ...]
    all: bool = False

    def event(self) -> bytes:
        """As a server-sent event that carries its place in the change log as its id."""
        data = {"tables": self.tables, "incidents": self.incidents, "all": self.all}
        return b"id: %d\nevent: change\ndata: %s\n\n" % (self.seq, orjson.dumps(data))


class Watcher:
    """Reads the change log every ``interval`` seconds while ``run`` runs, and tells every ``follow``er."""

    def __init__(self, db: Database, *, interval: float = 0.25, beat: float = 10.0) -> None:
        self.db, self.interval, self.beat = db, interval, beat
        self.followers = 0
        self._recent: deque[News] = deque(maxlen=240)
        self._seq: int | None = None
        self._told = asyncio.Condition()

    async def run(self) -> None:
        """Poll until cancelled; a busy database is tried again at the next tick."""
        while True:
            try:
                await self._poll()
            except OperationalError as error:
                log.warning("the change log could not be read: %s", error.orig)
            await asyncio.sleep(self.interval)

    async def follow(self, after: int | None) -> AsyncIterator[bytes]:
        """Events for one page: what it missed since ``after``, then news as it comes, with a beat in silence."""
        self.followers += 1
        try:
            missed = await asyncio.to_thread(self._read, after)
            yield b"retry: 2000\n" + missed.event()
            position = missed.seq
            while True:
                news = await self._next(position)
                yield news.event() if news else b"event: beat\ndata: {}\n\n"
                position = news.seq if news else position
        finally:
            self.followers -= 1

    async def _next(self, position: int) -> News | None:
        try:
            async with asyncio.timeout(self.beat), self._told:
                await self._told.wait_for(lambda: bool(self._recent) and self._recent[-1].seq > position)
        except TimeoutError:
            return None
        return join([news for news in self._recent if news.seq > position])

    async def _poll(self) -> None:
        news = await asyncio.to_thread(self._read, self._seq)
        self._seq = news.seq
        if news.tables or news.all:
            async with self._told:
                self._recent.append(news)
                self._told.notify_all()

    def _read(self, after: int | None) -> News:
        with self.db.read() as conn:
            latest = changes.latest(conn)
            if after is None or after > latest:
                return News(latest, (), ())
            if after < changes.oldest(conn) - 1:
                return News(latest, (), (), all=True)  # the log was shortened past what this page has seen
            found = changes.after(conn, after, TABLES, LIMIT)
        return summed(found, latest)


def summed(found: Sequence[Change], latest: int) -> News:
    """The changes as one piece of news; ``latest`` is the newest number of the whole log when they were read."""
    tables = tuple(sorted({change.table for change in found}))
    incidents = tuple(dict.fromkeys(change.key for change in found if change.table == "incidents"))
    return News(max(latest, found[-1].seq if found else 0), tables, incidents[:50], all=len(found) >= LIMIT)


def join(news: Iterable[News]) -> News:
    """Several pieces of news as one; there must be at least one."""
    pieces = list(news)
    tables = sorted({table for piece in pieces for table in piece.tables})
    incidents = dict.fromkeys(key for piece in pieces for key in piece.incidents)
    return News(pieces[-1].seq, tuple(tables), tuple(incidents)[:50], any(piece.all for piece in pieces))
