"""The outbox at work: claim, send outside any transaction, record; and escalate what nobody acknowledges.

Killed between sending and recording, a delivery is claimed again when its hold runs out, and goes out with the same
idempotency key: the receiver can tell that it is the same message.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from alerts import directory, entries, escalation
from alerts.addressing import route_of
from alerts.channels import Sender, senders
from alerts.errors import ChannelError, PermanentError, TransientError
from alerts.messages import cap
from alerts.messages.message import Facts, cleared, write
from config.world import World
from store import alerts, incidents, ledger, outbox, posts, state, times
from store import annotations as understood
from store.database import Database
from store.leases import LeaseExpired
from store.records import Acknowledgement, Alert, Delivery, Lease, LedgerEntry, Post
from store.trouble import ailment

__all__ = ["dispatch_stage", "senders"]

STAGE = "dispatch"
TIMERS = "dispatch/timers"
NEXT = "next_timer"
AT_ONCE = 8
HOLD = timedelta(seconds=90)
FIRST_WAIT_S = 2.0
LONGEST_WAIT_S = 300.0
MOST_ATTEMPTS = 20
QUOTED = 6
RECORD_AGAIN_S = 0.5


Draw = Callable[[], float]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Desk:
    """What one run of the stage works with."""

    db: Database
    world: World
    senders: Mapping[str, Sender]
    clock: Callable[[], datetime]
    key: bytes
    lease: Lease | None
    draw: Draw


def dispatch_stage(
    db: Database,
    world: World,
    *,
    senders: Mapping[str, Sender],
    clock: Callable[[], datetime],
    key: bytes,
    lease: Lease | None = None,
    limit: int = 50,
    draw: Draw = random.random,
) -> int:
    """Send at most ``limit`` deliveries that are due, and escalate where it is time; returns how many were tried.

    ``senders`` are the channels by kind, ``key`` signs acknowledgement links, ``draw`` gives numbers in [0, 1) for the
    jitter of retries. Raises LeaseLost where ``lease`` is no longer ours; what was claimed then is sent by the holder.
    """
    desk = Desk(db, world, senders, clock, key, lease, draw)
    done = _escalate(desk)
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="dispatch") as pool:
        while done < limit and (claimed := _claim(desk, min(AT_ONCE, limit - done))):
            sending = {pool.submit(_send, desk, delivery): delivery for delivery in claimed}
            while sending:
                over, _ = wait(sending, return_when=FIRST_COMPLETED)
                _record(desk, [(sending.pop(future), future.exception()) for future in over])
            done += len(claimed)
    return done


def _claim(desk: Desk, limit: int) -> list[Delivery]:
    """The deliveries to send now; those that need not be sent any more are cancelled on the way."""
    now = desk.clock()
    with desk.db.read() as conn:
        if not outbox.due(conn, now):
            return []
    with desk.db.write(durable=True, lease=desk.lease) as conn:
        claimed = outbox.claim(conn, now, limit, HOLD)
        answered = outbox.acknowledgements(conn, {one.incident_id for one in claimed})
        needless = [one for one in claimed if _needless(one, answered.get(one.incident_id, []))]
        for one in needless:
            outbox.cancel(conn, one.incident_id, ids=[one.id])
            ledger.append(conn, [entries.delivery("delivery.cancelled", one, now)])
    return [one for one in claimed if one not in needless]


def _needless(delivery: Delivery, answered: list[Acknowledgement]) -> bool:
    """Whether the agency acknowledged after this message was written, and before it was first tried."""
    return any(one.agency == delivery.agency and one.at >= delivery.created_at for one in answered)


def _send(desk: Desk, delivery: Delivery) -> None:
    """Write the message and hand it over. Raises ChannelError. Runs in a thread of its own, outside transactions."""
    route = route_of(desk.world, delivery)
    sender = desk.senders.get(route.kind)
    if sender is None:
        raise PermanentError("no-sender", f"no channel of kind {route.kind} is set up here")
    facts = _facts(desk, delivery)
    message = write(facts, route.address, desk.key)
    if route.settings.get("format") == "cap":
        message = replace(message, cap=cap.write(facts, message))
    sender(delivery, message, route.settings, route.secrets)


def _facts(desk: Desk, delivery: Delivery) -> Facts:
    with desk.db.read() as conn:
        alert = alerts.get(conn, [delivery.alert_id]).get(delivery.alert_id)
        if alert is None:
            raise PermanentError("no-alert", f"the alert of delivery {delivery.id} is gone")
        quoted = _quotable(desk, conn, alert, delivery.agency)
        others = outbox.of_incident(conn, delivery.incident_id)
    now = desk.clock()
    told = dict.fromkeys(one.agency for one in others if _told(one, now))
    before = (one for one in others if one.agency == delivery.agency and one.alert_id == alert.id)
    relayed = any(one.created_at < delivery.created_at for one in before)
    return Facts(alert, delivery, tuple(told), quoted, desk.world, now, relayed)


def _told(delivery: Delivery, now: datetime) -> bool:
    """Whether a delivery was sent, or is about to be."""
    put_off = delivery.first_attempt_at is None and delivery.next_at is not None and delivery.next_at > now
    return delivery.state not in ("cancelled", "failed") and not put_off


def _quotable(desk: Desk, conn: Connection, alert: Alert, agency: str) -> tuple[Post, ...]:
    """The posts that may be quoted to an agency, as they are now: deleted ones are gone, threats for few eyes."""
    evidence = alert.incident.evidence[:QUOTED]
    found, read = posts.get(conn, evidence), understood.get(conn, evidence)
    allowed = cleared(desk.world.bundle, agency)
    threats = {one for one, annotation in read.items() if "public_order_threat" in annotation.labels}
    return tuple(found[one] for one in evidence if one in found and (allowed or one not in threats))


def _record(desk: Desk, over: Sequence[tuple[Delivery, BaseException | None]]) -> None:
    """Write down what became of deliveries, and start the timers of their agencies.

    What was sent and is not written down would be sent again: while the database takes nothing, this tries for as long
    as the claim holds.
    """
    until = time.monotonic() + HOLD.total_seconds()
    while True:
        try:
            return _write_down(desk, over)
        except (LeaseExpired, SQLAlchemyError) as error:
            passing = isinstance(error, LeaseExpired) or ailment(error)
            if not passing or time.monotonic() > until:
                raise
            time.sleep(RECORD_AGAIN_S)


def _write_down(desk: Desk, over: Sequence[tuple[Delivery, BaseException | None]]) -> None:
    now = desk.clock()
    with desk.db.write(durable=True, lease=desk.lease) as conn:
        kept = state.get(conn, TIMERS)
        for delivery, raised in over:
            ledger.append(conn, [_outcome(desk, conn, delivery, _fault(delivery, raised), now)])
            _start_timer(desk, conn, kept, delivery, now)


def _fault(delivery: Delivery, error: BaseException | None) -> ChannelError | None:
    """The error as the outbox takes it; one that no channel raises is a fault of ours, logged, and tried again."""
    if error is None or isinstance(error, ChannelError):
        return error
    log.error("delivery %s could not be sent", delivery.id, exc_info=error)
    return TransientError(f"fault-{type(error).__name__}", f"a fault of Vigie: {type(error).__name__}, see the log")


def _outcome(desk: Desk, conn: Connection, one: Delivery, error: ChannelError | None, now: datetime) -> LedgerEntry:
    if error is None:
        outbox.sent(conn, one, now)
        return entries.delivery("delivery.sent", one, now)
    if isinstance(error, TransientError) and one.attempts < MOST_ATTEMPTS:
        wait = backoff(one.attempts, desk.draw, error.retry_after)
        outbox.retry(conn, one, now + timedelta(seconds=wait), str(error), error.code)
        return entries.delivery("delivery.retry", one, now, code=error.code, wait_s=round(wait, 1))
    outbox.failed(conn, one, str(error), error.code)
    return entries.delivery("delivery.failed", one, now, code=error.code)


def backoff(attempts: int, draw: Draw, asked: float | None = None) -> float:
    """Seconds until the next attempt: 2, 4, 8 … 300, half of it drawn at random; at least what the receiver asked."""
    full = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** (attempts - 1))
    return float(max(asked or 0.0, full / 2 + draw() * full / 2))


def _start_timer(desk: Desk, conn: Connection, kept: dict[str, Any], delivery: Delivery, now: datetime) -> None:
    """Start the agency's timer, or let one run out at once where no message can reach the agency any more."""
    told = [one for one in outbox.of_incident(conn, delivery.incident_id) if one.agency == delivery.agency]
    lost = all(one.state == "failed" for one in told)
    timer = escalation.start(delivery, desk.world, now, at_once=lost)
    if timer.key in kept and not lost:
        return
    kept[timer.key] = {**timer.to_json(), **kept.get(timer.key, {}), "due": timer.to_json()["due"]}
    state.put(conn, TIMERS, {timer.key: kept[timer.key]})
    _look_again(conn, timer.due)


def _look_again(conn: Connection, due: datetime) -> None:
    """Remember the earliest time at which a timer can run out, so that idle rounds read one row only."""
    known = state.get(conn, STAGE).get(NEXT)
    if known is None or due < times.from_iso(known):
        state.put(conn, STAGE, {NEXT: times.to_iso(due)})


def _escalate(desk: Desk) -> int:
    """Tell the next contact of every agency whose time is up; returns how many messages were added."""
    now = desk.clock()
    with desk.db.read() as conn:
        known = state.get(conn, STAGE).get(NEXT)
    if known is None or times.from_iso(known) > now:
        return 0
    with desk.db.write(durable=True, lease=desk.lease) as conn:
        due = [one for one in escalation.timers(state.get(conn, TIMERS)) if one.due <= now]
        new = [one for timer in due for one in _step(desk, conn, timer, now)]
        left = escalation.timers(state.get(conn, TIMERS))
        state.put(conn, STAGE, {NEXT: times.to_iso(left[0].due) if left else None})
    return len(new)


def _step(desk: Desk, conn: Connection, timer: escalation.Timer, now: datetime) -> Iterator[Delivery]:
    answered = outbox.acknowledgements(conn, [timer.incident]).get(timer.incident, [])
    first = outbox.get(conn, timer.first)
    alert = alerts.get(conn, [first.alert_id]).get(first.alert_id) if first else None
    if (
        first is None
        or alert is None
        or escalation.over(timer, incidents.get(conn, timer.incident), alert.lead, answered)
    ):
        state.put(conn, TIMERS, {timer.key: None})
        return
    contact, level = escalation.following(timer, desk.world, outbox.of_incident(conn, timer.incident))
    if contact is None:
        state.put(conn, TIMERS, {timer.key: None})
        ledger.append(conn, [entries.about_agency("escalation.exhausted", timer.incident, timer.agency, now)])
        return
    new = escalation.message_to(contact, timer, first, now)
    roster = directory.roster(desk.world.bundle, timer.agency)
    due = now + timedelta(minutes=roster.escalate_after_minutes if roster else 10)
    outbox.add(conn, [new])
    state.put(conn, TIMERS, {timer.key: replace(timer, due=due, level=level).to_json()})
    told = {"contact": contact.id, "channel": contact.channel, "delivery": new.id}
    ledger.append(conn, [entries.about_agency("escalated", timer.incident, timer.agency, now, **told)])
    yield new
