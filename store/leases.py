"""Leases: who may run a stage. Only the holder of the newest fence number commits.

A fence number rises whenever a stage gets a new holder, also when the same owner comes back after its lease ran out.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.sqlite import insert

from store import times
from store.records import Lease
from store.tables import leases

if TYPE_CHECKING:
    from store.database import Database

LONGEST = timedelta(seconds=10)
_LONG_AGO = times.EPOCH


class LeaseLost(Exception):
    """The lease expired, was given back, or belongs to a newer holder: nothing was committed, and the holder ends."""


class LeaseExpired(LeaseLost):
    """The lease ran out, and nobody has taken it since: nothing was committed, and :func:`resume` may bring it back."""


def acquire(db: Database, stage: str, owner: str, now: datetime, ttl: timedelta = LONGEST) -> Lease | None:
    """The lease of ``stage`` for ``owner`` until ``now + ttl``, or None while another owner holds it.

    An owner that still holds it gets the same fence, for longer. Raises ValueError for a ``ttl`` above 10 s.
    """
    expires_at = _expiry(now, ttl)
    with db.write(durable=True) as conn:
        held = _row(conn, stage)
        running = held is not None and alive(held, now)
        if held is not None and running and held.owner != owner:
            return None
        fence = 1 if held is None else held.fence if running else held.fence + 1
        values = {"owner": owner, "fence": fence, "expires_at": expires_at}
        conn.execute(insert(leases).values(stage=stage, **values).on_conflict_do_update(set_=values))
    return Lease(stage, owner, fence, expires_at)


def renew(db: Database, lease: Lease, now: datetime, ttl: timedelta = LONGEST) -> Lease:
    """The same lease until ``now + ttl``. Raises LeaseLost where it expired or has a newer holder."""
    expires_at = _expiry(now, ttl)
    with db.write() as conn:
        check(conn, lease, now)
        conn.execute(update(leases).where(leases.c.stage == lease.stage).values(expires_at=expires_at))
    return Lease(lease.stage, lease.owner, lease.fence, expires_at)


def resume(db: Database, lease: Lease, now: datetime, ttl: timedelta = LONGEST) -> Lease:
    """The same lease until ``now + ttl``, also where it ran out meanwhile (the disk was full, the clock was stepped)
    and nobody took it: no other can have committed since. Raises LeaseLost where somebody did.
    """
    expires_at = _expiry(now, ttl)
    with db.write() as conn:
        _check_holder(conn, lease)
        conn.execute(update(leases).where(leases.c.stage == lease.stage).values(expires_at=expires_at))
    return Lease(lease.stage, lease.owner, lease.fence, expires_at)


def release(db: Database, lease: Lease) -> None:
    """Give the lease back, so that another can take it at once; nothing happens where it is lost already."""
    mine = (leases.c.stage == lease.stage) & (leases.c.owner == lease.owner) & (leases.c.fence == lease.fence)
    with db.write() as conn:
        conn.execute(update(leases).where(mine).values(expires_at=_LONG_AGO))


def holder(conn: Connection, stage: str) -> Lease | None:
    """The newest lease of ``stage``, which may have expired; None where it was given back or never taken."""
    row = _row(conn, stage)
    return None if row is None or row.expires_at == _LONG_AGO else row


def every(conn: Connection) -> list[Lease]:
    """The newest lease of every stage that was ever run."""
    return [Lease(row.stage, row.owner, row.fence, row.expires_at) for row in conn.execute(select(leases))]


def alive(lease: Lease, now: datetime) -> bool:
    """Whether others must leave the stage to the holder of ``lease`` at ``now``.

    One that would end later than any lease can was taken before the clock was put back: it is not waited for.
    """
    return now < lease.expires_at <= now + LONGEST


def check(conn: Connection, lease: Lease, now: datetime) -> None:
    """Raise LeaseLost unless ``lease`` has the newest fence of its stage, LeaseExpired where it ran out at ``now``."""
    if _check_holder(conn, lease).expires_at <= now:
        raise LeaseExpired(f"{lease.stage}: the lease of {lease.owner} (fence {lease.fence}) expired")


def _check_holder(conn: Connection, lease: Lease) -> Lease:
    """The newest lease of the stage, which is ``lease`` but for its end. Raises LeaseLost where it is another's."""
    newest = _row(conn, lease.stage)
    if newest is None or (newest.owner, newest.fence) != (lease.owner, lease.fence):
        who = "nobody" if newest is None else f"{newest.owner} with fence {newest.fence}"
        raise LeaseLost(f"{lease.stage}: {lease.owner} held fence {lease.fence}, but now {who} holds the stage")
    return newest


def _row(conn: Connection, stage: str) -> Lease | None:
    row = conn.execute(select(leases).where(leases.c.stage == stage)).one_or_none()
    return None if row is None else Lease(row.stage, row.owner, row.fence, row.expires_at)


def _expiry(now: datetime, ttl: timedelta) -> datetime:
    if not timedelta(0) < ttl <= LONGEST:
        raise ValueError(f"a lease lasts more than 0 and at most {LONGEST.total_seconds():.0f} seconds, not {ttl}")
    return now + ttl
