"""A document, and what several families have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from store.annotations import APART
from store.records import Incident
from store.times import to_iso

_PLAIN = frozenset({str, int, float, bool})
SEVERITY_RANKS: Mapping[str, int] = {"Unknown": 0, "Minor": 1, "Moderate": 2, "Severe": 3, "Extreme": 4}


@dataclass(frozen=True, slots=True)
class Document:
    """What is indexed under ``id``: ``body`` holds plain JSON values, and no key without one.

    ``at`` (UTC) says in which of the family's indices it lies."""

    id: str
    at: datetime
    body: dict[str, Any]


def document(id: str, at: datetime, fields: Mapping[str, Any]) -> Document:
    """A document of ``fields``, its id and no empty ones among them; times become ISO 8601 text."""
    return Document(id, at, {"id": id} | _filled(fields))


def of_incident(incident: Incident) -> dict[str, Any]:
    """What is told of an incident in its own documents and in those of its alerts. Public order is kept apart."""
    return {
        "status": incident.status,
        "hazard": incident.hazard,
        "tags": [tag for tag in incident.tags if tag != APART],
        "severity": incident.severity,
        "severity_rank": SEVERITY_RANKS[incident.severity],
        "certainty": incident.certainty,
        "posts": incident.posts,
        "voices": incident.voices,
        **where(incident),
    }


def where(incident: Incident) -> dict[str, Any]:
    """Position and place of an incident, as far as they are known."""
    place = incident.place
    if place is None:
        return {}
    names = ("name", "level", "insee", "departement", "country", "radius_m")
    return {"position": position(place.lat, place.lon), "place": {name: getattr(place, name) for name in names}}


def position(lat: float | None, lon: float | None) -> dict[str, float] | None:
    """A position as Elasticsearch reads it, None without one."""
    return None if lat is None or lon is None else {"lat": lat, "lon": lon}


def _filled(fields: Mapping[str, Any]) -> dict[str, Any]:
    """One call for each document, and one for each object in it: it asks for the commonest kinds first."""
    filled: dict[str, Any] = {}
    for key, value in fields.items():
        if value is None:
            continue
        kind = value.__class__
        if kind in _PLAIN:
            told = value
        elif kind is datetime:
            told = to_iso(value)
        elif kind is dict:
            told = _filled(value)
        else:
            told = list(value)
        if told or kind in _PLAIN:
            # a column's name is a str of SQLAlchemy's own, which orjson does not write
            filled[key if key.__class__ is str else str(key)] = told
    return filled
