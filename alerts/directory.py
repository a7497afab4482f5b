"""Looking up agencies, contacts, channels and rosters of a bundle."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from config.bundle import Agency, Bundle, Channel, Contact, Hours, Roster

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LOOK_AHEAD_DAYS = 8


def agency(bundle: Bundle, agency_id: str) -> Agency | None:
    """The agency of that id, or None."""
    return next((one for one in bundle.agencies if one.id == agency_id), None)


def agency_name(bundle: Bundle, agency_id: str, language: str) -> str:
    """The agency's name in ``fr`` or ``en``; its id where the bundle no longer has it."""
    found = agency(bundle, agency_id)
    if found is None:
        return agency_id
    return found.name.en if language == "en" else found.name.fr


def contact(bundle: Bundle, agency_id: str, contact_id: str) -> Contact | None:
    """The contact of that id: of its agency, else of any (an escalation may leave the house); or None."""
    own = [one for one in bundle.agencies if one.id == agency_id]
    others = [one for one in bundle.agencies if one.id != agency_id]
    return next((c for a in own + others for c in a.contacts if c.id == contact_id), None)


def contact_anywhere(bundle: Bundle, contact_id: str) -> tuple[str, Contact | None]:
    """The agency of the contact of that id, and the contact; "" and None where the bundle has none."""
    found = ((one.id, contact) for one in bundle.agencies for contact in one.contacts if contact.id == contact_id)
    return next(found, ("", None))


def channel(bundle: Bundle, channel_id: str) -> Channel | None:
    """The channel of that id, or None."""
    return next((one for one in bundle.channels if one.id == channel_id), None)


def roster(bundle: Bundle, agency_id: str) -> Roster | None:
    """The roster of an agency, or None."""
    return next((one for one in bundle.rosters if one.agency == agency_id), None)


def covers(hours: Hours, at: datetime, zone: str) -> bool:
    """Whether the weekly window holds the instant ``at``, read on the clock of ``zone``.

    A window whose ``to`` is not after its ``from`` runs past midnight and belongs to the day it starts on. Wall-clock
    times are compared, so that 20:00 stays 20:00 on both sides of a change to summer time.
    """
    local = at.astimezone(ZoneInfo(zone))
    now = f"{local:%H:%M}"
    today, yesterday = DAYS[local.weekday()], DAYS[local.weekday() - 1]
    if hours.from_ < hours.to:
        return today in hours.days and hours.from_ <= now < hours.to
    return (today in hours.days and now >= hours.from_) or (yesterday in hours.days and now < hours.to)


def next_start(hours: Hours, at: datetime, zone: str) -> datetime:
    """When the window opens next after ``at``, as a UTC time."""
    tz = ZoneInfo(zone)
    local = at.astimezone(tz)
    hour, minute = map(int, hours.from_.split(":"))
    for ahead in range(LOOK_AHEAD_DAYS):
        day = local.date() + timedelta(days=ahead)
        start = datetime(day.year, day.month, day.day, hour, minute, tzinfo=tz).astimezone(at.tzinfo)
        if start > at and DAYS[day.weekday()] in hours.days:
            return start
    return at
