"""The outbox: deliveries written before they are sent, claimed by compare-and-set, and who acknowledged.

``next_at`` is when a pending delivery is due (None: at once), and until when a claim on a sending one holds. A retry
waits :data:`LONGEST` at most.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    false,
    func,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.dialects.sqlite import insert

from store import tables
from store.batches import batches
from store.records import Acknowledgement, Delivery
from store.tables import deliveries

_acknowledgements = tables.acknowledgements

LONGEST = timedelta(minutes=5)
_LONGEST_US = int(LONGEST.total_seconds() * 1_000_000)


@dataclass(frozen=True, slots=True)
class Avoid:
    """Deliveries that are not to be claimed now: by id, by channel, by contact."""

    ids: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    contacts: frozenset[str] = frozenset()


def add(conn: Connection, new: Sequence[Delivery]) -> None:
    """Keep the deliveries; those whose id is there already are left as they were."""
    if new:
        conn.execute(insert(deliveries).on_conflict_do_nothing(), [asdict(delivery) for delivery in new])


def get(conn: Connection, id: str) -> Delivery | None:
    """The delivery with this id, or None."""
    return next(iter(_all(conn, select(deliveries).where(deliveries.c.id == id))), None)


def due(
    conn: Connection, now: datetime, limit: int = 1, *, fence: int | None = None, avoid: Avoid | None = None
) -> list[Delivery]:
    """At most ``limit`` deliveries to send now: alerts before withdrawals, oldest first.

    Due are the pending ones whose time has come, and the sending ones whose claim ran out or was made under an older
    lease than ``fence``: their claimer is gone. A time that no wait can have set, as when the clock was stepped back,
    has come.
    """
    column, avoid = deliveries.c, avoid or Avoid()
    some = select(deliveries).where(
        _due(now, fence),
        column.id.not_in(sorted(avoid.ids)),
        column.channel.not_in(sorted(avoid.channels)),
        column.contact.not_in(sorted(avoid.contacts)),
    )
    return _all(conn, some.order_by(column.event == "withdrawal", column.created_at, column.id).limit(limit))


def claim(conn: Connection, now: datetime, limit: int, hold: timedelta, *, fence: int | None = None) -> list[Delivery]:
    """At most ``limit`` deliveries that are :func:`due`, now ``sending`` for the caller alone until ``now + hold``."""
    return [taken for seen in due(conn, now, limit, fence=fence) if (taken := take(conn, seen, now, hold, fence))]


def take(conn: Connection, seen: Delivery, now: datetime, hold: timedelta, fence: int | None = None) -> Delivery | None:
    """The delivery, now ``sending`` until ``now + hold`` under ``fence``; None where another took it. Attempts rise."""
    column = deliveries.c
    same = and_(column.id == seen.id, column.state == seen.state, column.attempts == seen.attempts)
    values: dict[str, Any] = {
        "state": "sending",
        "attempts": seen.attempts + 1,
        "next_at": now + hold,
        "first_attempt_at": seen.first_attempt_at or now,
        "fence": fence,
    }
    if conn.execute(update(deliveries).where(same).values(values)).rowcount != 1:
        return None
    return Delivery(**{**asdict(seen), **values})


def quote(conn: Connection, claimed: Delivery, posts: Collection[str]) -> bool:
    """Remember which posts a message quotes, before it is sent: an earlier attempt may have arrived, so none is
    forgotten. Gives False where the delivery is no longer the caller's to send."""
    return _settle(conn, claimed, ("sending",), {"quoted": list(dict.fromkeys((*claimed.quoted, *posts)))})


def sent(conn: Connection, claimed: Delivery, now: datetime) -> bool:
    """Say that a claimed delivery was sent; gives False where it was not waiting for that. A cancelled one can be."""
    values = {"state": "sent", "sent_at": now, "next_at": None, "error": None, "fault": None}
    return _settle(conn, claimed, ("sending", "cancelled"), values)


def retry(conn: Connection, claimed: Delivery, next_at: datetime, error: str, fault: str = "") -> bool:
    """Put a claimed delivery back until ``next_at``, with what went wrong; gives False where it was not claimed."""
    return _settle(
        conn, claimed, ("sending",), {"state": "pending", "next_at": next_at, "error": error, "fault": fault}
    )


def failed(conn: Connection, claimed: Delivery, error: str, fault: str = "") -> bool:
    """Give a claimed delivery up, with what went wrong; gives False where it was not claimed."""
    return _settle(conn, claimed, ("sending",), {"state": "failed", "next_at": None, "error": error, "fault": fault})


def hurry(conn: Connection, prefix: str) -> int:
    """Make every delivery that waits after a fault that begins with ``prefix`` due at once; gives how many."""
    column = deliveries.c
    waiting = and_(column.state == "pending", column.fault.startswith(prefix, autoescape=True))
    return conn.execute(update(deliveries).where(waiting, column.next_at.is_not(None)).values(next_at=None)).rowcount


def cancel(conn: Connection, incident_id: str, *, ids: Collection[str] | None = None) -> int:
    """Stop every delivery of an incident, or those of ``ids``, that is not sent or failed yet; gives how many."""
    waiting = and_(deliveries.c.incident_id == incident_id, deliveries.c.state.in_(("pending", "sending")))
    if ids is not None:
        waiting = and_(waiting, deliveries.c.id.in_(sorted(ids)))
    return conn.execute(update(deliveries).where(waiting).values(state="cancelled", next_at=None)).rowcount


def of_incident(conn: Connection, incident_id: str) -> list[Delivery]:
    """The deliveries about an incident, oldest first."""
    about = select(deliveries).where(deliveries.c.incident_id == incident_id)
    return _all(conn, about.order_by(deliveries.c.created_at, deliveries.c.id))


def acknowledge(conn: Connection, acknowledgement: Acknowledgement) -> bool:
    """Keep an acknowledgement; gives False, and keeps the first, where that agency had acknowledged the incident.

    A later life of a reopened incident must be acknowledged again, and then takes the place of the earlier answer.
    """
    row = asdict(acknowledgement) | {"life": life(conn, acknowledgement.incident_id)}
    new = insert(_acknowledgements).values(row)
    later = _acknowledgements.c.life < new.excluded.life
    return conn.execute(new.on_conflict_do_update(set_=row, where=later)).rowcount == 1


def life(conn: Connection, incident_id: str) -> int:
    """How often the incident was closed and reopened."""
    ended = select(func.count()).where(
        tables.incident_events.c.incident_id == incident_id, tables.incident_events.c.event == "closed"
    )
    state = conn.execute(select(tables.incidents.c.state).where(tables.incidents.c.id == incident_id)).scalar()
    return max(0, int(conn.execute(ended).scalar_one()) - (state == "closed"))


def acknowledgements(conn: Connection, incident_ids: Collection[str]) -> dict[str, list[Acknowledgement]]:
    """Incident id → the acknowledgements of its present life, oldest first; incidents without one are left out."""
    found: dict[str, list[Acknowledgement]] = {}
    for some in batches(incident_ids):
        about = select(_acknowledgements).where(_acknowledgements.c.incident_id.in_(some))
        for row in conn.execute(about.order_by(_acknowledgements.c.at, _acknowledgements.c.agency)):
            found.setdefault(row.incident_id, []).append(Acknowledgement(**row._mapping))
    lives = {id: life(conn, id) for id in found}
    present = {id: [one for one in answers if one.life == lives[id]] for id, answers in found.items()}
    return {id: answers for id, answers in present.items() if answers}


def _due(now: datetime, fence: int | None) -> ColumnElement[bool]:
    column = deliveries.c
    soon = type_coerce(column.next_at, BigInteger) - type_coerce(column.created_at, BigInteger) <= _LONGEST_US
    impossible = and_(column.next_at > now + LONGEST, or_(column.attempts > 0, soon))
    come = or_(column.next_at.is_(None), column.next_at <= now, impossible)
    orphaned = and_(column.state == "sending", column.fence < fence) if fence is not None else false()
    return and_(column.state.in_(("pending", "sending")), or_(come, orphaned))


def _settle(conn: Connection, claimed: Delivery, states: tuple[str, ...], values: dict[str, Any]) -> bool:
    column = deliveries.c
    mine = and_(column.id == claimed.id, column.state.in_(states), column.fence.is_not_distinct_from(claimed.fence))
    return conn.execute(update(deliveries).where(mine).values(values)).rowcount == 1


def _all(conn: Connection, query: Select[Any]) -> list[Delivery]:
    return [_of_row(row) for row in conn.execute(query)]


def _of_row(row: Row[Any]) -> Delivery:
    return Delivery(**{**row._mapping, "quoted": tuple(row.quoted)})
