"""When nobody is woken: each step gives its reason, and moves those it holds back to the rejected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from alerts.rules.case import Case, Recipient, Rejected, Routing
from alerts.rules.ownership import placed, rank
from config.bundle import Operation

SETTLE = timedelta(minutes=2)
NOBODY = "nobody is paged: "


def closed(case: Case, routing: Routing) -> Routing:
    """The end of an incident is on the desk; it wakes nobody."""
    return _nobody(routing, "the incident is closed") if case.event.event == "closed" else routing


def refuted(case: Case, routing: Routing) -> Routing:
    """What a person refuted wakes nobody."""
    gone = case.event.incident.verification == "refuted"
    return _nobody(routing, "a person refuted the incident") if gone else routing


def known_operation(case: Case, routing: Routing) -> Routing:
    """A service is engaged already, so nobody is paged; a new fact about it is told."""
    incident = case.event.incident
    if incident.knowledge == "new_fact":
        return replace(routing, reason=(*routing.reason, f"new fact about operation {incident.operation or 'known'}"))
    operation = _operation(case)
    if incident.knowledge == "unknown" and operation is None:
        return routing
    who = (
        f"operation {operation.id} of {operation.agency}" if operation else f"operation {incident.operation or 'known'}"
    )
    return _nobody(routing, f"{who} is under way")


def late(case: Case, routing: Routing) -> Routing:
    """Found more than ten minutes late: never paged as new, later only when it grows worse."""
    if not case.event.incident.late:
        return routing
    if case.event.event == "new":
        return _nobody(routing, "found late, so never paged as new; it is on the desk")
    if rank(case.event.incident.severity) > case.history.highest:
        return routing
    return _nobody(routing, "found late, and no graver than before")


def repeat(case: Case, routing: Routing) -> Routing:
    """An update tells everybody when severity rises, else only agencies that were not told yet."""
    if not case.history.told:
        return routing
    severity = case.event.incident.severity
    if rank(severity) > case.history.highest_paged:
        rise = f"severity rises from {case.history.highest_name} to {severity}"
        return replace(routing, reason=(*routing.reason, rise))
    return _only(
        routing,
        lambda one: one.agency not in case.history.told,
        "told already, and severity did not rise",
        "newly concerned",
    )


def settle(case: Case, routing: Routing) -> Routing:
    """Two messages to one agency are two minutes apart, unless the newer one says Extreme."""
    if case.event.incident.severity == "Extreme":
        return routing
    return replace(routing, recipients=tuple(_later(case, one) for one in routing.recipients))


def _later(case: Case, one: Recipient) -> Recipient:
    told = case.history.told.get(one.agency)
    if told is None or one.at >= told + SETTLE:
        return one
    return replace(one, at=told + SETTLE, reason=f"{one.reason}; two minutes after the message before")


def _operation(case: Case) -> Operation | None:
    incident = case.event.incident
    unplaced, areas = placed(incident.place, case.world)
    if unplaced or incident.hazard is None:
        return None
    at = case.event.at
    running = (one for one in case.world.bundle.operations if one.since <= at <= one.until)
    return next((one for one in running if incident.hazard in one.hazards and set(areas) & set(one.areas)), None)


def _nobody(routing: Routing, why: str) -> Routing:
    held = _only(routing, lambda _: False, why, "")
    return replace(held, reason=(*routing.reason, NOBODY + why))


def _only(routing: Routing, keep: Callable[[Recipient], bool], why: str, note: str) -> Routing:
    kept = tuple(replace(one, reason=f"{one.reason}; {note}") for one in routing.recipients if keep(one))
    held = tuple(Rejected(one.agency, one.contact, one.channel, why) for one in routing.recipients if not keep(one))
    return replace(routing, recipients=kept, rejected=(*routing.rejected, *held))
