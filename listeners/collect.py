"""Collect: raw posts in, kept posts in the store. The local matcher decides, whatever a platform sent."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from config.gazetteer import gazetteer
from config.text import fold
from listeners import health, versions
from listeners.authors import AuthorKeys
from listeners.incoming import Gone, Incoming, cleaned
from store import hourly
from store.database import Database
from store.records import Lease, Post, Status

if TYPE_CHECKING:
    from config.bundle import Account
    from config.world import World

BATCH = 500
BATCH_SECONDS = 0.05
NOTICES = 100
CLEAR_MAJORITY = 10
_LOCATION_PARTS = re.compile(r"[,/|;•·()]|\s[-–—]\s")


@dataclass(frozen=True, slots=True)
class Collected:
    """How many posts came, and how many of them are new and kept."""

    received: int = 0
    kept: int = 0


def collect(
    db: Database,
    world: World,
    incoming: Iterable[Incoming | Gone],
    *,
    source: str,
    clock: Callable[[], datetime],
    key: AuthorKeys,
    lease: Lease | None = None,
    status: Status = "Actual",
    received_at: Callable[[Incoming], datetime] | None = None,
    mark: Callable[[Connection], None] | None = None,
    place: Callable[[Connection], None] | None = None,
    via: str | None = None,
) -> Collected:
    """Takes every post of ``incoming``, keeps what the filters of ``world`` want, and counts it: for ``source``, and by
    the hour for the filters too. What was edited or deleted at its source is so here: :mod:`listeners.versions` says
    how, and what ``via`` is.

    Posts are written in batches of at most 500, gathered for at most 50 ms. ``received_at`` says when a post came where
    that is not the present of ``clock`` (UTC); ``mark`` is called in the transaction of the last batch, ``place`` in
    that of each batch, for a source that keeps its place. Raises LeaseLost where ``lease`` is not the newest any more:
    that batch is not kept.
    """
    batch, key = _Batch(db, source, clock, lease, place, via), key.lasting(db)
    for raw in incoming:
        if isinstance(raw, Gone):
            batch.gone(raw)
            continue
        moment = received_at(raw) if received_at else raw.received_at or clock()
        batch.take(raw, to_post(raw, world, source, key, moment, status=status))
        if batch.full:
            batch.write(None)
    batch.write(mark)
    return Collected(batch.received, batch.kept)


class _Batch:
    """Posts on their way to the store."""

    def __init__(
        self,
        db: Database,
        source: str,
        clock: Callable[[], datetime],
        lease: Lease | None,
        place: Callable[[Connection], None] | None,
        via: str | None,
    ) -> None:
        self.db, self.source, self.clock, self.lease, self.place, self.via = db, source, clock, lease, place, via
        self.received = self.kept = 0
        self._clear()

    def _clear(self) -> None:
        self.items: list[versions.Item] = []
        self.sought: Counter[str] = Counter()
        self.seen = self.notices = 0
        self.last: datetime | None = None
        self.began = time.monotonic()

    @property
    def full(self) -> bool:
        """Whether it is time to write."""
        return self.seen >= BATCH or time.monotonic() - self.began >= BATCH_SECONDS

    def take(self, raw: Incoming, post: Post | None) -> None:
        """Counts one post, and holds it when it is to be kept."""
        self.seen += 1
        self.sought.update(raw.sought)
        self.last = max(self.last or raw.created_at, raw.created_at)
        if raw.earlier and not raw.superseded:
            self.items.append(versions.Version(raw, post))
        elif post and not raw.superseded:
            self.items.append(post)

    def gone(self, notice: Gone) -> None:
        """Holds a notice that a post was deleted; many are written in parts, since each takes a while."""
        self.items.append(notice)
        self.notices += 1
        if self.notices >= NOTICES:
            self.write(None)

    def write(self, mark: Callable[[Connection], None] | None) -> None:
        """Writes what is held, its count and, with ``mark``, the source's place, in one transaction."""
        if self.last is not None or self.items or mark:
            durable = not all(isinstance(one, Post) for one in self.items)
            with self.db.write(lease=self.lease, durable=durable) as conn:
                new = set(versions.keep(conn, self.items, self.clock(), self.via))
                if self.last is not None:
                    health.count(conn, self.source, self.seen, len(new), self.last, self.clock())
                    self._count_hour(conn, new)
                    if self.place:
                        self.place(conn)
                if mark:
                    mark(conn)
            self.received += self.seen
            self.kept += len(new)
        self._clear()

    def _count_hour(self, conn: Connection, new: set[str]) -> None:
        posts = (one.post if isinstance(one, versions.Version) else one for one in self.items)
        fresh = {post.id: post.filters for post in posts if isinstance(post, Post) and post.id in new}
        kept = Counter(name for filters in fresh.values() for name in filters)
        counts = {f"filter:{name}": (self.sought[name], kept[name], 0.0) for name in sorted({*self.sought, *kept})}
        hourly.add(conn, self.clock(), {f"source:{self.source}": (self.seen, len(new), 0.0)} | counts)


def to_post(
    raw: Incoming, world: World, source: str, key: AuthorKeys, received_at: datetime, *, status: Status = "Actual"
) -> Post | None:
    """The post to keep, or None where no filter wants it. Pure but for the gazetteer; times are UTC.

    The author becomes an HMAC, the account's location a département; anything but ``Actual``, said by the post, the
    caller or the bundle (in this order), is its status: a drill is never taken for the real thing.
    """
    text = cleaned(raw.text)
    filters = world.matcher.match(text, lang=raw.lang, geo=raw.geo)
    if not filters and not raw.wanted and world.bundle.policy != "keep_all":
        return None
    said = (raw.status, status, world.bundle.status)
    return Post(
        id=f"{raw.platform}:{raw.native_id}",
        source=source,
        text=text,
        created_at=raw.created_at,
        received_at=received_at,
        lang=raw.lang,
        author=key.pseudonym(raw.platform, raw.author_id, received_at) if raw.author_id else None,
        geo=raw.geo,
        filters=filters,
        trusted=_trusted(raw, world, filters),
        departement=departement_of(raw.location) if raw.location else None,
        status=next((one for one in said if one and one != "Actual"), "Actual"),
        backfilled=raw.backfilled,
        repost_of=f"{raw.platform}:{raw.repost_of}" if raw.repost_of else None,
        config_version=world.version,
    )


def _trusted(raw: Incoming, world: World, filters: tuple[str, ...]) -> bool:
    return any(
        account.trusted
        and (account.platform, account.id) == (raw.platform, raw.author_id)
        and _on_topic(account, world, filters)
        and _in_area(account, world, raw)
        for account in world.bundle.accounts
    )


def _on_topic(account: Account, world: World, filters: tuple[str, ...]) -> bool:
    """An account trusted for some topics is trusted where a filter for one of them, or for no topic, caught it."""
    if not account.topics or not filters:
        return True
    caught = [one.topics for one in world.bundle.filters if one.id in filters]
    return any(not topics or set(topics) & set(account.topics) for topics in caught)


def _in_area(account: Account, world: World, raw: Incoming) -> bool:
    """An account trusted for some areas is not trusted for a post that comes from elsewhere."""
    if not account.areas or raw.geo is None:
        return True
    return any(world.areas.contains(area, raw.geo.lat, raw.geo.lon) for area in account.areas)


@lru_cache(maxsize=4096)
def departement_of(location: str) -> str | None:
    """The code of the département that an account's location names, or None where it names none, or several alike.

    A commune counts when no other of its name comes near: ten times the people of the next.
    """
    for part in _LOCATION_PARTS.split(cleaned(location)[:200]):
        found = gazetteer().lookup(fold(part.strip())) if part.strip() else ()
        for level in ("departement", "commune"):
            named = sorted((one for one in found if one.level == level), key=lambda one: -(one.population or 0))
            if named and (len(named) == 1 or (named[0].population or 0) >= CLEAR_MAJORITY * (named[1].population or 1)):
                return named[0].departement
    return None
