"""Documents that the index cannot take: set aside with the reason, so that the rest goes on; taken back once it can."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import Connection, select

from store import aside
from store.index.families import STAGE, Family
from store.records import SetAside
from store.tables import set_aside

_QUOTING = ". Preview of field's value"


def key(family: Family, id: str) -> str:
    """What a document is set aside under."""
    return f"{family.name}:{id}"


def known(conn: Connection) -> frozenset[str]:
    """The keys of those that are set aside."""
    return frozenset(conn.execute(select(set_aside.c.key).where(set_aside.c.stage == STAGE)).scalars())


def settle(conn: Connection, refused: Mapping[str, str], taken: Collection[str], now: datetime) -> None:
    """Set aside what was refused (key → reason) and take back those of ``taken`` that were not, at ``now`` (UTC)."""
    aside.put(conn, [SetAside(STAGE, key, 1, _unquoted(reason), now) for key, reason in refused.items()])
    aside.take_back(conn, STAGE, [key for key in taken if key not in refused])


def _unquoted(reason: str) -> str:
    """Elasticsearch quotes what it could not read, which may be the words of a post."""
    return reason.partition(_QUOTING)[0]
