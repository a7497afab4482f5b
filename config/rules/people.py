"""Owners whom somebody must be able to reach: contacts, rosters, channels, the acknowledgement address."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from config.bundle import Contact, Hours, Roster
from config.faults import Fault
from config.load import KeyPath
from config.rules.case import Case

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = 24 * 60
_SECRET = re.compile(r"\$\{[A-Z][A-Z0-9_]*\}\Z")
_MAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>]+\Z")


def reach(case: Case) -> Iterator[Fault]:
    """An agency that leads or supports without a contact; a roster with a hole in the week."""
    leads = {case.bundle.default_lead} | {rule.lead for rule in case.bundle.ownership}
    supports = {name for rule in case.bundle.ownership for name in rule.support}
    for index, agency in enumerate(case.bundle.agencies):
        if agency.contacts or agency.id not in leads | supports:
            continue
        say = case.error if agency.id in leads else case.warning
        role = "owns incidents" if agency.id in leads else "supports"
        yield say(("agencies", index), f'"{agency.id}" {role} but has no contact', "add `contacts:` with an address")
    for index, roster in enumerate(case.bundle.rosters):
        if hole := _hole(roster):
            say = case.error if roster.agency in leads else case.warning
            advice = "add a shift for these hours, or leave the roster out to tell every contact"
            yield say(("rosters", index), f'nobody of "{roster.agency}" is on call {hole}', advice)


def hours(case: Case) -> Iterator[Fault]:
    """A shift on no day."""
    for i, roster in enumerate(case.bundle.rosters):
        for j, shift in enumerate(roster.shifts):
            if not shift.hours.days:
                yield case.error(("rosters", i, "shifts", j, "hours"), "this shift is on no day", "name its days")


def _hole(roster: Roster) -> str:
    """The first hole of a roster, such as ``on sat from 00:00 to 08:00``; "" where the week is covered."""
    covered = bytearray(7 * DAY)
    for shift in roster.shifts:
        for start, length in _windows(shift.hours):
            for minute in range(start, start + length):
                covered[minute % len(covered)] = 1
    start = covered.find(0)
    if start < 0:
        return ""
    stop = covered.find(1, start)
    end = min(stop if stop >= 0 else len(covered), (start // DAY + 1) * DAY)
    return f"on {DAYS[start // DAY]} from {_clock(start % DAY)} to {_clock(end - start // DAY * DAY)}"


def _windows(window: Hours) -> Iterator[tuple[int, int]]:
    """Start minute in the week and length in minutes of each window."""
    begin, end = _minutes(window.from_), _minutes(window.to)
    for day in window.days:
        yield DAYS.index(day) * DAY + begin, end - begin if end > begin else end + DAY - begin


def _minutes(clock: str) -> int:
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def addresses(case: Case) -> Iterator[Fault]:
    """A contact whose address does not suit its channel."""
    channels = {channel.id: channel for channel in case.bundle.channels}
    for path, contact in _contacts(case):
        channel = channels.get(contact.channel)
        kind = channel.kind if channel else None
        if kind == "mail" and not _MAIL.match(contact.address):
            yield case.error(path, f'"{contact.address}" is not a mail address', "write it as name@example.org")
        elif kind == "webhook" and not (_SECRET.match(contact.address) or _host(contact.address)):
            yield case.error(
                path, f'"{contact.address}" is not a web address', "write http(s)://… or ${NAME_OF_A_SECRET}"
            )
        elif channel and kind == "webhook" and _in_clear(contact.address) and not channel.settings.get("plain_http"):
            advice = "write https://…, or plain_http: true in the channel's settings"
            yield case.error(path, f'"{contact.address}" is not encrypted', advice)
        elif kind == "apprise" and not _SECRET.match(contact.address):
            advice = "apprise URLs hold credentials: write ${NAME} here and the URL in the environment variable NAME"
            yield case.error(path, "an apprise address must be the name of a secret", advice)


def _in_clear(url: str) -> bool:
    return url.startswith("http://") and not _loopback(_host(url))


def acknowledgement(case: Case) -> Iterator[Fault]:
    """Links that people outside this machine cannot open, or that are not web addresses."""
    url = case.bundle.acknowledge.base_url
    path = ("acknowledge", "base_url")
    host = _host(url)
    if not host:
        yield case.error(path, f'"{url}" is not a web address', "write https://… as people on call can open it")
        return
    real = sorted({contact.channel for _, contact in _contacts(case) if _is_real(case, contact)})
    if _loopback(host) and real:
        message = f"the acknowledgement link leads to this machine, but real people are told through {', '.join(real)}"
        yield case.error(path, message, "write the public https address of the acknowledgement app")
    elif not _loopback(host) and not url.startswith("https://"):
        yield case.warning(path, "the acknowledgement link is not encrypted", "use an https address")


def _is_real(case: Case, contact: Contact) -> bool:
    """Whether a contact is reached beyond this machine."""
    channel = next((channel for channel in case.bundle.channels if channel.id == contact.channel), None)
    if channel is None:
        return False
    if channel.kind == "mail":
        return not _loopback(str(channel.settings.get("host", "")))
    if channel.kind == "webhook":
        return not _loopback(_host(contact.address))
    return True


def _contacts(case: Case) -> Iterator[tuple[KeyPath, Contact]]:
    for i, agency in enumerate(case.bundle.agencies):
        for j, contact in enumerate(agency.contacts):
            yield ("agencies", i, "contacts", j, "address"), contact


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        return parts.hostname or "" if parts.scheme in ("http", "https") else ""
    except ValueError:
        return ""


def _loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
