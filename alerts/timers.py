"""The timers of escalation in the outbox's own memory: they start with the first attempt, and tell the next contact.

What they decide is in :mod:`alerts.escalation`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from alerts import entries, escalation
from alerts.escalation import Timer
from alerts.outcomes import waits_for_repair
from config.world import World
from store import alerts, incidents, ledger, outbox, state, times
from store.database import Database
from store.records import Delivery, Lease

STAGE = "dispatch"
TIMERS = "dispatch/timers"
NEXT = "next_timer"


def start(conn: Connection, world: World, tried: Delivery, now: datetime, *, sent: bool) -> None:
    """Start the agency's timer at the first attempt, or let it run out at once where no message can reach the agency.

    ``tried`` is the delivery as it was claimed, so that its ``fault`` is of the attempt before.
    """
    if tried.event == "withdrawal":
        return
    lost = not sent and _all_lost(conn, tried)
    if tried.fault is not None and (not lost or waits_for_repair(tried)):
        return  # the attempt before started it
    timer = escalation.start(tried, world, now, outbox.life(conn, tried.incident_id), at_once=lost)
    kept = state.value(conn, TIMERS, timer.key)
    running = escalation.timers({timer.key: kept})[0] if kept else None
    if running and running.life == timer.life:
        if not lost:
            return
        timer = replace(running, due=timer.due)
    state.put(conn, TIMERS, {timer.key: timer.to_json()})
    _look_again(conn, timer.due)


def escalate(db: Database, world: World, lease: Lease | None, now: datetime) -> int:
    """Tell the next contact of every agency whose time is up; returns how many messages were added."""
    with db.read() as conn:
        known = state.value(conn, STAGE, NEXT)
    if known is None or times.from_iso(known) > now:
        return 0
    with db.write(durable=True, lease=lease) as conn:
        due = [one for one in escalation.timers(state.get(conn, TIMERS)) if one.due <= now]
        new = [one for timer in due for one in _step(conn, world, timer, now)]
        _forget_and_look(conn)
    return len(new)


def pull_in(db: Database, world: World, lease: Lease | None, now: datetime) -> None:
    """Shorten timers that run longer than any can, because the clock was put back, to their roster's minutes."""
    with db.read() as conn:
        if not _too_long(conn, world, now):
            return
    with db.write(durable=True, lease=lease) as conn:
        for timer in _too_long(conn, world, now):
            due = now + escalation.patience(world, timer.agency)
            state.put(conn, TIMERS, {timer.key: replace(timer, due=due).to_json()})
        _forget_and_look(conn)


def _too_long(conn: Connection, world: World, now: datetime) -> list[Timer]:
    kept = escalation.timers(state.get(conn, TIMERS))
    return [one for one in kept if one.due > now + escalation.patience(world, one.agency) + timedelta(seconds=1)]


def _all_lost(conn: Connection, tried: Delivery) -> bool:
    told = [one for one in outbox.of_incident(conn, tried.incident_id) if one.agency == tried.agency]
    return all(_lost(one) for one in told if one.event != "withdrawal" and one.state != "cancelled")


def _lost(one: Delivery) -> bool:
    return one.state == "failed" or (one.state == "pending" and waits_for_repair(one))


def _look_again(conn: Connection, due: datetime) -> None:
    """Remember the earliest time at which a timer can run out, so that idle rounds read one row only."""
    known = state.value(conn, STAGE, NEXT)
    if known is None or due < times.from_iso(known):
        state.put(conn, STAGE, {NEXT: times.to_iso(due)})


def _forget_and_look(conn: Connection) -> None:
    left = escalation.timers(state.get(conn, TIMERS))
    state.put(conn, STAGE, {NEXT: times.to_iso(left[0].due) if left else None})


def _step(conn: Connection, world: World, timer: Timer, now: datetime) -> Iterator[Delivery]:
    answered = outbox.acknowledgements(conn, [timer.incident]).get(timer.incident, [])
    first = outbox.get(conn, timer.first)
    alert = alerts.get(conn, [first.alert_id]).get(first.alert_id) if first else None
    incident = incidents.get(conn, timer.incident)
    if first is None or alert is None or escalation.over(timer, incident, alert.lead, answered):
        state.put(conn, TIMERS, {timer.key: None})
        return
    contact, level = escalation.following(timer, world, first, outbox.of_incident(conn, timer.incident))
    if contact is None:
        state.put(conn, TIMERS, {timer.key: None})
        ledger.append(conn, [entries.about_agency("escalation.exhausted", timer.incident, timer.agency, now)])
        return
    new = escalation.message_to(contact, timer, first, now)
    due = now + escalation.patience(world, timer.agency)
    outbox.add(conn, [new])
    state.put(conn, TIMERS, {timer.key: replace(timer, due=due, level=level).to_json()})
    told = {"contact": contact.id, "channel": contact.channel, "delivery": new.id}
    ledger.append(conn, [entries.about_agency("escalated", timer.incident, timer.agency, now, **told)])
    yield new
