"""Authors become HMACs under a key that changes every 90 days; a voice is compared under this key and the last."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from config.secrets import installation_key
from store import posts
from store.database import Database

PERIOD = timedelta(days=90)
CARRIED = timedelta(hours=72)
"""How long after a change of key an author heard as long before it goes under the old one: as detection remembers."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class AuthorKeys:
    """The keys of each period of 90 days, counted from 1970."""

    def __init__(self, key_of: Callable[[int], bytes]) -> None:
        self._key_of = lru_cache(maxsize=8)(key_of)
        self._heard: dict[int, frozenset[str]] = {}

    @classmethod
    def of_home(cls, home: Path) -> AuthorKeys:
        """Keys derived from this installation's secret."""
        return cls(lambda period: installation_key(home, f"authors-{period}"))

    @classmethod
    def of_bytes(cls, key: bytes) -> AuthorKeys:
        """Keys derived from one key, for a store of its own such as a replay's."""
        return cls(lambda period: hmac.new(key, f"authors-{period}".encode(), hashlib.sha256).digest())

    def pseudonym(self, platform: str, author_id: str, at: datetime) -> str:
        """32 hexadecimal digits that stand for an account in the period of ``at`` (UTC)."""
        return self._pseudonym(platform, author_id, period(at))

    def candidates(self, platform: str, author_id: str, at: datetime) -> tuple[str, str]:
        """The account under the key of ``at`` and under the one before: what stored authors are compared with."""
        now = period(at)
        return self._pseudonym(platform, author_id, now), self._pseudonym(platform, author_id, now - 1)

    def lasting(self, db: Database) -> AuthorKeys:
        """These keys, under which an author of the posts in ``db`` stays one voice when the key changes."""
        return _Lasting(self, db)

    def _pseudonym(self, platform: str, author_id: str, number: int) -> str:
        message = f"{platform}:{author_id}".encode("utf-8", "surrogatepass")
        return hmac.new(self._key_of(number), message, hashlib.sha256).hexdigest()[:32]


class _Lasting(AuthorKeys):
    def __init__(self, keys: AuthorKeys, db: Database) -> None:
        self._key_of, self._heard, self._db = keys._key_of, keys._heard, db
        self._given: set[str] = set()

    def pseudonym(self, platform: str, author_id: str, at: datetime) -> str:
        """As of :class:`AuthorKeys`; for 72 hours the one before, where that author was heard in 72 hours before."""
        new, changed = super().pseudonym(platform, author_id, at), _EPOCH + period(at) * PERIOD
        if changed + PERIOD - at <= CARRIED:
            self._given.add(new)  # it may not be in the store yet when the key changes
        if at - changed >= CARRIED:
            return new
        _, old = self.candidates(platform, author_id, at)
        return old if old in self._given or old in self._before(changed) else new

    def _before(self, changed: datetime) -> frozenset[str]:
        """The pseudonyms heard in the 72 hours before ``changed``; read once."""
        number = period(changed)
        if number not in self._heard:
            with self._db.read() as conn:
                self._heard = {number: posts.authors(conn, changed - CARRIED, changed)}
        return self._heard[number]


def period(at: datetime) -> int:
    """The number of the 90-day period that holds ``at``."""
    return (at - _EPOCH) // PERIOD
