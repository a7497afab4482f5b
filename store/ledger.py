"""The ledger: append-only, each line sealed with the digest of the line before it.

It holds ids, codes, numbers and HMACs, never post text or author hashes, so that it can stay when posts go.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlalchemy import Connection, Row, insert, select, text

from store.codec import dumps, loads
from store.records import LedgerEntry
from store.tables import ledger
from store.text import clean
from store.times import to_iso


class NotDurable(Exception):
    """The ledger was written outside ``Database.write(durable=True)``."""


def append(conn: Connection, new: Sequence[LedgerEntry]) -> list[LedgerEntry]:
    """Add lines at the end; ``seq``, ``previous`` and ``digest`` of what is given are made anew. Gives what was kept.

    Raises NotDurable outside a durable write, ValueError for a time without a zone, TypeError for detail not JSON.
    """
    if conn.get_execution_options().get("vigie") != "durable":
        raise NotDurable("the ledger is written inside Database.write(durable=True) only")
    seq, previous = _last(conn)
    kept = []
    for entry in new:
        seq += 1
        entry = replace(_kept(entry), seq=seq, previous=previous)
        previous = _digest(entry)
        kept.append(replace(entry, digest=previous))
    if kept:
        conn.execute(insert(ledger), [_row(entry) for entry in kept])
    return kept


def entries(
    conn: Connection, *, after: int = 0, limit: int = 100, kind: str | None = None, subject: str | None = None
) -> list[LedgerEntry]:
    """At most ``limit`` lines whose seq is above ``after``, in order; only of ``kind`` and about ``subject``."""
    wanted = select(ledger).where(ledger.c.seq > after)
    if kind is not None:
        wanted = wanted.where(ledger.c.kind == kind)
    if subject is not None:
        wanted = wanted.where(ledger.c.subject == subject)
    return [_of_row(row) for row in conn.execute(wanted.order_by(ledger.c.seq).limit(limit))]


def newest(conn: Connection, limit: int) -> list[LedgerEntry]:
    """At most ``limit`` lines, the last one first."""
    return [_of_row(row) for row in conn.execute(select(ledger).order_by(ledger.c.seq.desc()).limit(limit))]


@dataclass(frozen=True, slots=True)
class Walked:
    """The whole ledger, walked: ``first_bad`` as :func:`verify` gives it, how many ``lines`` there are, and the
    ``digests`` that were asked for, of lines before the first bad one."""

    first_bad: int | None
    lines: int
    digests: Mapping[int, str]


def verify(conn: Connection) -> int | None:
    """The seq of the first line that is missing, changed or out of the chain; None where the whole ledger holds."""
    return walk(conn).first_bad


def walk(conn: Connection, wanted: Collection[int] = ()) -> Walked:
    """Check every line against the one before it, and gather the digests of the lines ``wanted``."""
    previous, seq = "", 0
    wanted = frozenset(wanted)
    digests: dict[int, str] = {}
    for entry in _every(conn):
        seq += 1
        if entry.seq != seq or entry.previous != previous or entry.digest != _digest(entry):
            return Walked(seq, seq - 1, digests)
        previous = entry.digest
        if seq in wanted:
            digests[seq] = previous
    return Walked(seq + 1 if _ever(conn) > seq else None, seq, digests)


def head(conn: Connection) -> tuple[int, str]:
    """Number and digest of the last line; 0 and "" before the first."""
    row = conn.execute(select(ledger.c.seq, ledger.c.digest).order_by(ledger.c.seq.desc()).limit(1)).one_or_none()
    return (0, "") if row is None else (row.seq, row.digest)


def _kept(entry: LedgerEntry) -> LedgerEntry:
    """The line as the database gives it back, so that what is sealed is what is verified."""
    subject, actor = clean(entry.subject), clean(entry.actor)
    return replace(entry, subject=subject, actor=actor, detail=loads(dumps(entry.detail)), digest="")


def _last(conn: Connection) -> tuple[int, str]:
    seq, digest = head(conn)
    return (seq, digest) if seq else (_ever(conn), "")


def _ever(conn: Connection) -> int:
    """The highest seq ever given, which SQLite keeps beside the table: a ledger cut at its end shows by it."""
    given = conn.execute(text("SELECT seq FROM sqlite_sequence WHERE name = 'ledger'")).scalar_one_or_none()
    return int(given or 0)


def _every(conn: Connection) -> Iterator[LedgerEntry]:
    after = 0
    while some := entries(conn, after=after, limit=1000):
        yield from some
        after = some[-1].seq


def _digest(entry: LedgerEntry) -> str:
    body = {
        "seq": entry.seq,
        "at": to_iso(entry.at),
        "kind": entry.kind,
        "subject": entry.subject,
        "actor": entry.actor,
        "detail": entry.detail,
    }
    return hashlib.sha256(entry.previous.encode() + orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _row(entry: LedgerEntry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in ledger.c.keys()}  # noqa: SIM118 - a column collection iterates columns


def _of_row(row: Row[Any]) -> LedgerEntry:
    return LedgerEntry(**row._mapping)
