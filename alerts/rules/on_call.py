"""Which contacts of an agency are told now: rosters and hours on the agency's own clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from alerts import directory
from alerts.rules.case import Case, Recipient, Rejected, Role, Routing
from alerts.rules.ownership import rank
from config.bundle import Agency, Bundle, Contact, Roster

WAKES_SUPPORTS = rank("Severe")


def on_call(case: Case, routing: Routing) -> Routing:
    """Every contact who is told of this agency's incidents now; those off duty are rejected with the reason."""
    told: list[Recipient] = []
    rejected: list[Rejected] = []
    for agency_id in (routing.lead, *routing.support):
        role: Role = "lead" if agency_id == routing.lead else "support"
        why = routing.because.get(agency_id, "")
        chosen, left = _of_agency(case.world.bundle, agency_id, role, case.at, why)
        told += chosen
        rejected += left
    return replace(routing, recipients=tuple(told), rejected=(*routing.rejected, *rejected))


def reach(case: Case, routing: Routing) -> Routing:
    """Where nobody of the lead can be reached, the default lead is told in its place."""
    fallback = case.world.bundle.default_lead
    if fallback == routing.lead or any(one.role == "lead" for one in routing.recipients):
        return routing
    why = f"default lead: nobody of {routing.lead} can be reached"
    told, _ = _of_agency(case.world.bundle, fallback, "lead", case.at, why)
    kept = tuple(one for one in routing.recipients if one.agency != fallback)
    return replace(routing, recipients=(*told, *kept), reason=(*routing.reason, why))


def hours(case: Case, routing: Routing) -> Routing:
    """A support whom no shift covers waits for its next shift, unless the incident is Severe or worse."""
    if rank(case.event.incident.severity) >= WAKES_SUPPORTS:
        return routing
    told = tuple(_wait(case, one) if one.role == "support" else one for one in routing.recipients)
    return replace(routing, recipients=told)


def dedupe(case: Case, routing: Routing) -> Routing:
    """One message to one address: who is named twice is told once, in the first role."""
    kept: dict[tuple[str, str], Recipient] = {}
    rejected: list[Rejected] = []
    for one in routing.recipients:
        found = directory.contact(case.world.bundle, one.agency, one.contact)
        key = (one.channel, found.address if found else one.contact)
        first = kept.setdefault(key, one)
        if first is not one:
            reason = f"same address as {first.contact} of {first.agency}, who is told already"
            rejected.append(Rejected(one.agency, one.contact, one.channel, reason))
    return replace(routing, recipients=tuple(kept.values()), rejected=(*routing.rejected, *rejected))


def _of_agency(
    bundle: Bundle, agency_id: str, role: Role, at: datetime, because: str
) -> tuple[list[Recipient], list[Rejected]]:
    agency = directory.agency(bundle, agency_id)
    if agency is None or not agency.contacts:
        why = "the bundle has no such agency" if agency is None else "this agency has no contact"
        return [], [Rejected(agency_id, "", "", why)]
    roster = directory.roster(bundle, agency_id)
    ids, why = _duty(bundle, agency, roster, at)
    contacts = [found for each in ids if (found := directory.contact(bundle, agency_id, each))]
    told = [Recipient(agency_id, role, one.channel, one.id, at, f"{because}; {why}") for one in contacts]
    off = [one for one in agency.contacts if one.id not in ids]
    return told, [Rejected(agency_id, one.id, one.channel, _off(one, roster)) for one in off]


def _duty(bundle: Bundle, agency: Agency, roster: Roster | None, at: datetime) -> tuple[list[str], str]:
    everybody = [one.id for one in agency.contacts]
    if roster is None:
        return everybody, "no roster: every contact"
    shifts = [shift for shift in roster.shifts if directory.covers(shift.hours, at, bundle.time_zone)]
    if shifts:
        return list(dict.fromkeys(one for shift in shifts for one in shift.contacts)), "on call now"
    if roster.escalate_to:
        return list(roster.escalate_to), "no shift covers this hour: those to escalate to"
    return everybody, "no shift covers this hour: every contact"


def _off(contact: Contact, roster: Roster | None) -> str:
    if roster and contact.id in roster.escalate_to:
        return f"told only if nobody acknowledges within {roster.escalate_after_minutes} minutes"
    return "not on call now"


def _wait(case: Case, one: Recipient) -> Recipient:
    roster, zone = directory.roster(case.world.bundle, one.agency), case.world.bundle.time_zone
    if roster is None or any(directory.covers(shift.hours, case.at, zone) for shift in roster.shifts):
        return one
    start, shift = min(
        ((directory.next_start(shift.hours, case.at, zone), shift) for shift in roster.shifts), key=lambda each: each[0]
    )
    waits = f"{case.event.incident.severity} can wait for the shift that starts then"
    reason = f"{one.reason}; {waits}"
    contact = directory.contact(case.world.bundle, one.agency, shift.contacts[0])
    if contact is None:
        return replace(one, at=start, reason=reason)
    return replace(one, contact=contact.id, channel=contact.channel, at=start, reason=reason)
