"""What its source took back: posts deleted or edited there, under whatever id the source names them.

An edited post has an id for each version; ``aliases`` leads from each of them to the id under which the post is kept.
The record of a deletion stays as a tombstone, so that no search and no replay brings the post back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select
from sqlalchemy.dialects.sqlite import insert

from store import incidents, ledger, outbox, posts, times
from store.batches import batches
from store.records import LedgerEntry, Post, Withdrawal, WithdrawalKind
from store.tables import aliases, withdrawals


def delete(conn: Connection, gone: Mapping[str, datetime], now: datetime, via: str) -> list[str]:
    """Delete posts that their source deleted, with all that was made of them; gives the ids of those that were kept.

    ``gone``: id of the post, or of any version of it, → when its source deleted it (UTC). ``via`` says who told. To be
    called in a durable transaction: each post that was kept gets a line in the ledger, without text or author. Those
    never kept leave a tombstone too: a notice can come before its post. What was deleted before changes nothing.
    """
    known = stored(conn, gone)
    said = {known.get(id, id): at for id, at in gone.items()}
    for id in deleted(conn, said):
        del said[id]
    kept = list(posts.get(conn, list(said)))
    new = _told(conn, said, "deleted", now, via)
    posts.delete(conn, kept)
    _keep(conn, new)
    mine: dict[str, list[Withdrawal]] = {}
    for one in new:
        mine.setdefault(one.post_id, []).append(one)
    ledger.append(conn, [_entry("post.deleted", mine[id], said[id], now) for id in kept])
    return kept


def edit(conn: Connection, post: Post, now: datetime, via: str, *, version: str) -> bool:
    """Put an edited version in place of the stored post of the same id; gives False where there is none to replace.

    ``post.edited_at`` is when its source changed it (UTC), ``version`` the id of that version. What was understood of
    the earlier text goes, until it is annotated anew. To be called in a durable transaction, as :func:`delete`.
    """
    new = _told(conn, [post.id], "edited", now, via, version=version)
    if not posts.edit(conn, post):
        return False
    _keep(conn, new)
    ledger.append(conn, [_entry("post.edited", new, post.edited_at or now, now)])
    return True


def drop(conn: Connection, post_id: str, edited_at: datetime, now: datetime, via: str, *, version: str) -> bool:
    """Delete a stored post whose edited version no filter wants; gives False where it is not there.

    A later version may come in again. To be called in a durable transaction, as :func:`delete`.
    """
    new = _told(conn, [post_id], "edited", now, via, version=version)
    if not posts.delete(conn, [post_id]):
        return False
    _keep(conn, new)
    ledger.append(conn, [_entry("post.edited", new, edited_at, now, dropped=True)])
    return True


def unplace(conn: Connection, ids: Collection[str], now: datetime, via: str) -> int:
    """Take the position out of posts, which any version's id names; gives how many had one. Durable, as above."""
    known = stored(conn, ids)
    there = posts.get(conn, list(dict.fromkeys(known.get(id, id) for id in ids)))
    placed = [post for post in there.values() if post.geo]
    for post in placed:
        posts.edit(conn, replace(post, geo=None))
    ledger.append(conn, [LedgerEntry(now, "post.position", post.id, detail={"via": via}) for post in placed])
    return len(placed)


def alias(conn: Connection, post_id: str, ids: Iterable[str]) -> None:
    """Say that these ids of versions belong to the post that is kept as ``post_id``."""
    rows = [{"alias": id, "post_id": post_id} for id in dict.fromkeys(ids)]
    if rows:
        conn.execute(insert(aliases).on_conflict_do_nothing(), rows)


def stored(conn: Connection, ids: Collection[str]) -> dict[str, str]:
    """Id of a version → the id under which its post is (or was) kept; ids without an entry are left out."""
    found: dict[str, str] = {}
    for some in batches(ids):
        rows = conn.execute(select(aliases.c.alias, aliases.c.post_id).where(aliases.c.alias.in_(some)))
        found |= {row[0]: row[1] for row in rows}
    return found


def aliases_of(conn: Connection, post_ids: Collection[str]) -> list[str]:
    """The ids of versions that lead to these posts."""
    found: list[str] = []
    for some in batches(post_ids):
        found += conn.execute(select(aliases.c.alias).where(aliases.c.post_id.in_(some))).scalars()
    return found


def deleted(conn: Connection, post_ids: Collection[str]) -> set[str]:
    """Those of the posts that their source deleted, whether or not they were ever kept."""
    found: set[str] = set()
    for some in batches(post_ids):
        column = withdrawals.c
        found.update(
            conn.execute(select(column.post_id).where(column.post_id.in_(some), column.kind == "deleted")).scalars()
        )
    return found


def get(conn: Connection, ids: Collection[str]) -> dict[str, Withdrawal]:
    """The withdrawals with these ids; ids that are not there are left out."""
    found: dict[str, Withdrawal] = {}
    for some in batches(ids):
        rows = conn.execute(select(withdrawals).where(withdrawals.c.id.in_(some)))
        found |= {row.id: _of_row(row) for row in rows}
    return {id: found[id] for id in ids if id in found}


def of_incident(conn: Connection, incident_id: str) -> list[Withdrawal]:
    """What was withdrawn of an incident's posts, oldest first."""
    wanted = select(withdrawals).where(withdrawals.c.incident_id == incident_id)
    return [_of_row(row) for row in conn.execute(wanted.order_by(withdrawals.c.at, withdrawals.c.id))]


def _told(
    conn: Connection, ids: Collection[str], kind: WithdrawalKind, now: datetime, via: str, *, version: str = ""
) -> list[Withdrawal]:
    """One record for each incident that a post told of, now or before an edit; one without incident otherwise."""
    told: dict[str, set[str]] = {id: {name} for id, name in incidents.incident_of(conn, ids).items()}
    for some in batches(ids):
        column = withdrawals.c
        before = select(column.post_id, column.incident_id).where(column.post_id.in_(some))
        for id, name in conn.execute(before.where(column.incident_id.is_not(None)).distinct()):
            told.setdefault(id, set()).add(name)
    names = {name for each in told.values() for name in each}
    sent = {name: [one for one in outbox.of_incident(conn, name) if one.state == "sent"] for name in names}
    found: list[Withdrawal] = []
    for id in ids:
        concerned: list[str | None] = [*sorted(told.get(id, ()))]
        for incident in concerned or [None]:
            reached = tuple(one.id for one in sent.get(incident or "", ()) if id in one.quoted)
            name = hashlib.sha256(f"{id} {kind} {version} {incident}".encode()).hexdigest()[:16]
            found.append(Withdrawal(f"wd-{name}", id, kind, now, via, incident, reached))
    return found


def _keep(conn: Connection, new: Sequence[Withdrawal]) -> None:
    if new:
        conn.execute(insert(withdrawals).on_conflict_do_nothing(), [asdict(one) for one in new])


def _entry(kind: str, told: Sequence[Withdrawal], at: datetime, now: datetime, **more: Any) -> LedgerEntry:
    """The proof about one post: ``told`` are its records, at least one."""
    detail = {
        "via": told[0].via,
        "at_source": times.to_iso(at),
        "incidents": [one.incident_id for one in told if one.incident_id],
        "out_of_reach": sum(len(one.out_of_reach) for one in told),
        **more,
    }
    return LedgerEntry(now, kind, told[0].post_id, detail=detail)


def _of_row(row: Row[Any]) -> Withdrawal:
    return Withdrawal(**{**row._mapping, "out_of_reach": tuple(row.out_of_reach)})
