"""Ids: each stands once, and what is named exists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from config.faults import Fault, nearest
from config.load import KeyPath
from config.rules.case import Case
from config.vocabulary import HAZARDS, TOPICS

LISTS = (
    "areas",
    "filters",
    "agencies",
    "ownership",
    "rosters",
    "channels",
    "sources",
    "operations",
    "accounts",
    "anchors",
)


def ids(case: Case) -> Iterator[Fault]:
    """An id twice in one list; a contact's id twice anywhere; two rosters of one agency; an account twice."""
    for name in LISTS:
        seen: dict[object, KeyPath] = {}
        for index, item in enumerate(getattr(case.bundle, name)):
            yield from _once(case, seen, _identity(name, item), (name, index))
    contacts: dict[object, KeyPath] = {}
    for path, contact in _contacts(case):
        yield from _once(case, contacts, contact, path)


def _identity(name: str, item: object) -> str:
    if name == "rosters":
        return f"roster of {getattr(item, 'agency', '')}"
    if name == "accounts":
        return f"{getattr(item, 'platform', '')}:{getattr(item, 'id', '')}"
    return str(getattr(item, "id", ""))


def _once(case: Case, seen: dict[object, KeyPath], identity: str, path: KeyPath) -> Iterator[Fault]:
    first = seen.setdefault(identity, path)
    if first != path:
        file, line = case.source.place(first)
        yield case.error(
            path, f'"{identity}" is declared twice', f"rename or delete one; the first is at {file}:{line}"
        )


def _contacts(case: Case) -> Iterator[tuple[KeyPath, str]]:
    for number, agency in enumerate(case.bundle.agencies):
        for index, contact in enumerate(agency.contacts):
            yield ("agencies", number, "contacts", index), contact.id


def references(case: Case) -> Iterator[Fault]:
    """A name of an agency, area, channel, contact, filter, hazard or topic that is not declared."""
    for path, kind, name in _named(case):
        known = _known(case, kind)
        if name not in known:
            yield case.error(path, f'there is no {kind} "{name}"', nearest(name, known))


def _known(case: Case, kind: str) -> Iterable[str]:
    bundle = case.bundle
    if kind == "hazard":
        return list(HAZARDS)
    if kind == "topic":
        return TOPICS
    if kind == "topic or *":
        return (*TOPICS, "*")
    if kind == "area or *":
        return [*(area.id for area in bundle.areas), "*"]
    if kind == "contact":
        return [name for _, name in _contacts(case)]
    lists = {"agency": "agencies", "area": "areas", "channel": "channels", "filter": "filters"}
    return [item.id for item in getattr(bundle, lists[kind])]


def _named(case: Case) -> Iterator[tuple[KeyPath, str, str]]:
    """Key path, kind and name of everything that refers to something else."""
    bundle = case.bundle
    yield ("default_lead",), "agency", bundle.default_lead
    for i, declared in enumerate(bundle.filters):
        yield from _each(("filters", i, "areas"), "area", declared.areas)
        yield from _each(("filters", i, "topics"), "topic", declared.topics)
    for i, agency in enumerate(bundle.agencies):
        for j, contact in enumerate(agency.contacts):
            yield ("agencies", i, "contacts", j, "channel"), "channel", contact.channel
    for i, rule in enumerate(bundle.ownership):
        yield from _each(("ownership", i, "topics"), "topic or *", rule.topics)
        yield from _each(("ownership", i, "areas"), "area or *", rule.areas)
        yield ("ownership", i, "lead"), "agency", rule.lead
        yield from _each(("ownership", i, "support"), "agency", rule.support)
    yield from _named_in_duty(case)


def _named_in_duty(case: Case) -> Iterator[tuple[KeyPath, str, str]]:
    bundle = case.bundle
    for i, roster in enumerate(bundle.rosters):
        yield ("rosters", i, "agency"), "agency", roster.agency
        for j, shift in enumerate(roster.shifts):
            yield from _each(("rosters", i, "shifts", j, "contacts"), "contact", shift.contacts)
        yield from _each(("rosters", i, "escalate_to"), "contact", roster.escalate_to)
    for i, operation in enumerate(bundle.operations):
        yield ("operations", i, "agency"), "agency", operation.agency
        yield from _each(("operations", i, "hazards"), "hazard", operation.hazards)
        yield from _each(("operations", i, "areas"), "area", operation.areas)
    for i, account in enumerate(bundle.accounts):
        yield from _each(("accounts", i, "topics"), "topic", account.topics)
        yield from _each(("accounts", i, "areas"), "area", account.areas)
    if bundle.watchdog:
        yield from _each(("watchdog", "contacts"), "contact", bundle.watchdog.contacts)
    for i, place in enumerate(bundle.anchors):
        if place.contact:
            yield ("anchors", i, "contact"), "contact", place.contact
    for i, exemption in enumerate(bundle.exemptions):
        yield ("exemptions", i, "filter"), "filter", exemption.filter


def _each(path: KeyPath, kind: str, names: Iterable[str]) -> Iterator[tuple[KeyPath, str, str]]:
    for index, name in enumerate(names):
        yield (*path, index), kind, name
