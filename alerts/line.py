"""A replay line read back: one JSON object with the fields that ``vigie replay`` writes, as an incident event.

Beside those fields, it may say more of what the router looks at: ``knowledge``, ``operation``, ``verification``,
``urgency``, ``revision``, and ``level``, ``departement``, ``confidence`` of the place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, get_args

import orjson

from alerts.errors import LineError
from config import vocabulary
from store import records, times
from store.records import Incident, IncidentEvent, Place

NEEDED = ("hazard", "place", "severity")
FIELDS = (
    *("at", "event", "alert", "incident", "status", "late", "tags", "hazard", "severity", "certainty", "place"),
    *("lead", "support", "reason", "posts", "voices", "authors_known", "evidence"),
    *("knowledge", "operation", "verification", "urgency", "revision"),
)
PLACE = ("name", "insee", "lat", "lon", "level", "departement", "confidence", "radius_m", "country")
Object = Mapping[str, Any]


def one_object(data: bytes) -> dict[str, Any]:
    """The one JSON object that ``data`` holds, on one line or several. Raises LineError."""
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        lines = [line for line in data.splitlines() if line.strip()]
        if len(lines) > 1 and _is_object(lines[0]):
            raise LineError(f"there are {len(lines)} objects here; give one, such as: head -n 1 ALERTS") from error
        raise LineError(f"this is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise LineError("this is not a JSON object; give one line that vigie replay wrote")
    return found


def event(found: Object, at: datetime | None = None) -> IncidentEvent:
    """The incident event of a replay line; ``at`` (UTC) stands in for the line's own. Raises LineError."""
    _known(found)
    when = at or _moment(found)
    incident = _incident(found, when)
    reason = tuple(_texts(found, "reason"))
    name = _one_of(found, "event", get_args(records.EventName), "new")
    return IncidentEvent(f"{incident.id}-{incident.revision}", name, when, incident, reason)


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False


def _known(found: Object) -> None:
    unknown = [name for name in found if name not in FIELDS]
    if unknown:
        raise LineError(f"unknown field {', '.join(map(repr, unknown))}; the fields are {', '.join(FIELDS)}")
    missing = [name for name in NEEDED if name not in found]
    if missing:
        raise LineError(f"missing field {', '.join(map(repr, missing))} (hazard and place may be null)")


def _moment(found: Object) -> datetime:
    if not isinstance(found.get("at"), str):
        raise LineError("missing field 'at': give it as 2026-03-02T01:08:11Z, or use --at")
    try:
        return times.from_iso(found["at"])
    except ValueError as error:
        raise LineError(f"field 'at': {error}") from error


def _incident(found: Object, at: datetime) -> Incident:
    return Incident(
        id=_text(found, "incident") or "incident",
        status=_one_of(found, "status", get_args(records.Status), "Actual"),
        state="closed" if found.get("event") == "closed" else "open",
        first_post_at=at,
        opened_at=at,
        updated_at=at,
        hazard=_one_of(found, "hazard", (*vocabulary.HAZARDS, None), None),
        tags=tuple(_texts(found, "tags")),
        severity=_one_of(found, "severity", get_args(records.Severity), "Unknown"),
        urgency=_one_of(found, "urgency", get_args(records.Urgency), "Unknown"),
        certainty=_one_of(found, "certainty", get_args(records.Certainty), "Possible"),
        verification=_one_of(found, "verification", get_args(records.Verification), "unverified"),
        place=_place(found["place"]),
        posts=_count(found, "posts"),
        voices=_count(found, "voices"),
        authors_known=_count(found, "authors_known"),
        evidence=tuple(_texts(found, "evidence")),
        late=_flag(found, "late"),
        knowledge=_one_of(found, "knowledge", get_args(records.Knowledge), "unknown"),
        operation=_text(found, "operation"),
        revision=_count(found, "revision", 1),
    )


def _place(found: Any) -> Place | None:
    if found is None:
        return None
    if not isinstance(found, dict) or not isinstance(found.get("name"), str):
        raise LineError("field 'place' must be null, or an object with a name and, as far as known, insee, lat and lon")
    unknown = [name for name in found if name not in PLACE]
    if unknown:
        raise LineError(f"field 'place': unknown {', '.join(map(repr, unknown))}; it may hold {', '.join(PLACE)}")
    return Place(
        name=found["name"],
        lat=_within(found, "lat", 90),
        lon=_within(found, "lon", 180),
        radius_m=_within(found, "radius_m", 1e8),
        level=_one_of(found, "level", tuple(vocabulary.LEVELS), "commune"),
        insee=_text(found, "insee"),
        departement=_text(found, "departement"),
        country=_text(found, "country"),
        confidence=_number(found, "confidence", 0.5),
    )


def _within(found: Object, name: str, limit: float) -> float | None:
    if found.get(name) is None:
        return None
    value = _number(found, name, 0.0)
    if abs(value) > limit:
        raise LineError(f"field {name!r} must lie between -{limit:g} and {limit:g}, not {value:g}")
    return value


def _one_of(found: Object, name: str, allowed: Sequence[Any], default: Any) -> Any:
    value = found.get(name, default)
    if not any(value is each or (isinstance(value, str) and value == each) for each in allowed):
        listed = ", ".join("null" if each is None else str(each) for each in allowed)
        raise LineError(f"field {name!r} must be one of {listed}, not {value!r}")
    return value


def _text(found: Object, name: str) -> str | None:
    value = found.get(name)
    if value is not None and not isinstance(value, str):
        raise LineError(f"field {name!r} must be text, not {value!r}")
    return value


def _texts(found: Object, name: str) -> list[str]:
    value = found.get(name, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise LineError(f"field {name!r} must be a list of texts, not {value!r}")
    return value


def _count(found: Object, name: str, default: int = 0) -> int:
    value = _number(found, name, default)
    if value < 0 or value != int(value):
        raise LineError(f"field {name!r} must be a whole number, not {value!r}")
    return int(value)


def _number(found: Object, name: str, default: float) -> float:
    value = found.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise LineError(f"field {name!r} must be a number, not {value!r}")
    return value


def _flag(found: Object, name: str) -> bool:
    value = found.get(name, False)
    if not isinstance(value, bool):
        raise LineError(f"field {name!r} must be true or false, not {value!r}")
    return value
