"""Entry by hand: what the desk or a volunteer saw elsewhere, or was told, becomes a post like any other."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from config.gazetteer import gazetteer
from config.text import fold
from listeners.incoming import MAX_TEXT, Incoming
from store.records import Geo, Status

PLATFORM = "hand"
MAX_NAME = 200
FUTURE = timedelta(minutes=5)
OLDEST = timedelta(days=7)
CLEAR_MAJORITY = 10


class NotUsable(ValueError):
    """What was entered cannot be a post; the message says which part and what to do."""


def entered(
    text: str,
    *,
    now: datetime,
    at: datetime | None = None,
    author: str | None = None,
    place: str | None = None,
    lat: float | None = None,
    lon: float | None = None,
    lang: str | None = None,
    status: Status | None = None,
) -> Incoming:
    """The post that somebody enters at ``now`` (UTC) about something said at ``at`` (``now`` where absent).

    ``author`` is whoever said it, and becomes an HMAC at collect; ``place`` is a name of the gazetteer, ``lat`` and
    ``lon`` are degrees. The id follows from text, time and place, so that entering twice keeps one. A person has
    chosen this post, so the filters are not asked. Raises NotUsable.
    """
    text = text.strip()
    if not any(char.isalnum() for char in text):
        raise NotUsable("the text is empty: write what was seen or said, in a sentence")
    if len(text) > MAX_TEXT:
        raise NotUsable(f"the text has {len(text):,} characters and may have {MAX_TEXT:,}: shorten it")
    moment = _moment(at, now)
    geo = _geo(place, lat, lon)
    return Incoming(
        platform=PLATFORM,
        native_id=_id(text, moment, geo),
        text=text,
        created_at=moment,
        lang=lang,
        author_id=_name(author),
        geo=geo,
        status=status,
        wanted=True,
    )


def _moment(at: datetime | None, now: datetime) -> datetime:
    if at is None:
        return now
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    if at > now + FUTURE:
        raise NotUsable(f"the time {at:%Y-%m-%d %H:%M} UTC is in the future: leave it out for now")
    if at < now - OLDEST:
        raise NotUsable(f"the time {at:%Y-%m-%d %H:%M} UTC is more than {OLDEST.days} days ago: too old to act on")
    return min(at, now).astimezone(UTC)


def _name(author: str | None) -> str | None:
    name = (author or "").strip()
    if len(name) > MAX_NAME:
        raise NotUsable(f"the author's name may have {MAX_NAME} characters: shorten it")
    return fold(name) or None


def _geo(place: str | None, lat: float | None, lon: float | None) -> Geo | None:
    if (lat is None) != (lon is None):
        raise NotUsable("a position needs latitude and longitude: give both, or a place")
    name = (place or "").strip()[:MAX_NAME] or None
    if lat is not None and lon is not None:
        if not (-90 <= lat <= 90 and -180 <= lon <= 180):
            raise NotUsable("latitude goes from -90 to 90 and longitude from -180 to 180: check their order")
        return Geo(lat, lon, None, name)
    return _found(name) if name else None


def _found(name: str) -> Geo:
    """The place of that name: the only one, or the one with ten times the people of the next."""
    found = [one for one in gazetteer().lookup(fold(name)) if one.level not in ("country", "region")]
    if not found:
        raise NotUsable(f"the gazetteer knows no {name!r}: check the spelling, or give latitude and longitude")
    largest, *others = sorted(found, key=lambda one: -one.population)
    if others and largest.population < CLEAR_MAJORITY * others[0].population:
        known = ", ".join(f"{one.name} ({one.departement or one.country})" for one in (largest, *others)[:4])
        raise NotUsable(f"several places are called {name!r}: {known}; give latitude and longitude")
    return Geo(largest.lat, largest.lon, largest.radius_m, largest.name)


def _id(text: str, moment: datetime, geo: Geo | None) -> str:
    where = f"{geo.lat:.5f} {geo.lon:.5f}" if geo else ""
    content = f"{text}\n{moment.isoformat()}\n{where}"
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:20]
