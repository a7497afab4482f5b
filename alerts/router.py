"""From an incident event to those who are told. Every step of the pipeline is a pure function that gives its reason.

Read :data:`STEPS` aloud: first who should be told, then who is held back, and why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from alerts import withdrawn
from alerts.entries import delivery as entry
from alerts.entries import routed
from alerts.ids import delivery_id, digest
from alerts.rules.case import Case, History, Recipient, Routing
from alerts.rules.on_call import dedupe, hours, on_call, reach
from alerts.rules.ownership import owner
from alerts.rules.restraint import closed, known_operation, late, refuted, repeat, settle
from config.world import World
from store import alerts, changes, incidents, ledger, outbox
from store.database import Database
from store.records import Alert, Change, Delivery, IncidentEvent, Lease

STAGE = "route"
READS = frozenset({"incident_events", "withdrawals"})
FRESH = timedelta(minutes=10)

Step = Callable[[Case, Routing], Routing]


def own(case: Case, _: Routing) -> Routing:
    """Lead and supports, from the ownership map."""
    found = owner(case.event.incident, case.world)
    return Routing(lead=found.lead, support=found.support, reason=found.reason, because=found.because)


STEPS: tuple[Step, ...] = (own, on_call, reach, hours, closed, refuted, known_operation, late, repeat, settle, dedupe)


def route(event: IncidentEvent, world: World, at: datetime, history: History | None = None) -> Routing:
    """Who is told of ``event`` at ``at`` (UTC), who is not, and why. Pure; ``history`` is what was told before."""
    case = Case(event, world, at, history or History())
    routing = Routing()
    for step in STEPS:
        routing = step(case, routing)
    return routing


def route_stage(
    db: Database, world: World, *, clock: Callable[[], datetime], lease: Lease | None = None, limit: int = 100
) -> int:
    """Decide on at most ``limit`` new incident events; returns how many changes were read.

    Alerts, deliveries, ledger and cursor go into one durable write. Ids derive from content, so that doing an event
    twice makes nothing twice. Raises LeaseLost where ``lease`` is no longer ours.
    """
    with db.read() as conn:
        if not changes.after(conn, changes.cursor(conn, STAGE), READS, 1):
            return 0
    with db.write(durable=True, lease=lease) as conn:
        new = changes.after(conn, changes.cursor(conn, STAGE), READS, limit)
        for event in incidents.events(conn, _inserted(new, "incident_events")).values():
            _take(conn, event, world, clock())
        withdrawn.take(conn, _inserted(new, "withdrawals"), clock())
        if new:
            changes.set_cursor(conn, STAGE, new[-1].seq)
    return len(new)


def _inserted(new: Sequence[Change], table: str) -> list[str]:
    return [change.key for change in new if change.op == "insert" and change.table == table]


def _take(conn: Connection, event: IncidentEvent, world: World, now: datetime) -> None:
    before, deliveries = alerts.of_incident(conn, event.incident.id), outbox.of_incident(conn, event.incident.id)
    if any(alert.event_id == event.id for alert in before):
        return
    alert, new, routing = decide(event, world, now, History.of(before, deliveries))
    alerts.add(conn, [alert])
    outbox.add(conn, new)
    waiting = [one for one in deliveries if _waits(one, event)]
    outbox.cancel(conn, event.incident.id, ids=[one.id for one in waiting])
    ledger.append(conn, [routed(alert, routing, now), *(entry("delivery.cancelled", one, now) for one in waiting)])


def _waits(delivery: Delivery, event: IncidentEvent) -> bool:
    """Whether a delivery was put off to a time that the incident did not live to see."""
    put_off = delivery.state == "pending" and not delivery.attempts and delivery.next_at is not None
    return event.event == "closed" and put_off and (delivery.next_at or event.at) > event.at


def decide(
    event: IncidentEvent, world: World, now: datetime, history: History
) -> tuple[Alert, list[Delivery], Routing]:
    """The alert on one event and the deliveries it asks for.

    The event's own time decides who is on call, so that a replay decides the same; where the event is older than ten
    minutes (Vigie was down), those on call at ``now`` are told.
    """
    routing = route(event, world, event.at if now - event.at <= FRESH else now, history)
    alert = _alert(event, world, routing)
    step = event.event if event.event == "new" and not history.told else f"{event.event}:{event.incident.revision}"
    return alert, [_delivery(alert, step, one) for one in routing.recipients], routing


def _alert(event: IncidentEvent, world: World, routing: Routing) -> Alert:
    return Alert(
        id="al-" + digest(event.incident.id, event.id),
        incident_id=event.incident.id,
        event_id=event.id,
        event=event.event,
        at=event.at,
        incident=event.incident,
        lead=routing.lead,
        support=routing.support,
        reason=(*routing.reason, *event.reason),
        paged=bool(routing.recipients),
        trigger_received_at=event.trigger_received_at,
        config_version=world.version,
    )


def _delivery(alert: Alert, step: str, one: Recipient) -> Delivery:
    return Delivery(
        id=delivery_id(alert.incident_id, step, one.agency, one.contact, one.channel),
        alert_id=alert.id,
        incident_id=alert.incident_id,
        event=alert.event,
        agency=one.agency,
        role=one.role,
        contact=one.contact,
        channel=one.channel,
        created_at=alert.at,
        next_at=one.at if one.at > alert.at else None,
        trigger_received_at=alert.trigger_received_at,
    )
