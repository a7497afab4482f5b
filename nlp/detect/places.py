"""Where a post says it happens, and where the posts of an incident agree that it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace
from math import asin, cos, radians, sin, sqrt
from typing import Literal

from store.records import Annotation, Location, Place, Post

Relation = Literal["near", "far", "unknown"]

FINE = frozenset({"commune", "district", "street", "poi", "road", "natural"})
COARSE = ("departement", "region", "country")
MAX_PLACES = 3
GEO_CONFIDENCE = 0.3
GEO_RADIUS_M = 30_000.0
EARTH_KM = 6371.0
AGREED = 0.5
OVERTAKES = 1.6
WITNESSES = 2
FEW = 5
SURE = 0.6


def of_post(post: Post, annotation: Annotation) -> tuple[Place, ...]:
    """The resolved places of the event that ``annotation`` names, surest first; else the post's own position, weak."""
    located = sorted((each for each in annotation.locations if _placed(each)), key=lambda each: -each.confidence)
    places = {key(place): place for place in map(_place, reversed(located[:MAX_PLACES]))}
    if not places and post.geo and (post.geo.radius_m or 0) <= GEO_RADIUS_M:
        geo = post.geo
        name = geo.place or f"{geo.lat:.2f}, {geo.lon:.2f}"
        place = Place(name, geo.lat, geo.lon, geo.radius_m or 2000, departement=post.departement)
        return (replace(place, confidence=GEO_CONFIDENCE),)
    return tuple(reversed(places.values()))


def key(place: Place) -> str:
    """What makes two mentions the same place."""
    return place.insee or f"{place.level}:{place.name}:{place.lat or 0:.1f}:{place.lon or 0:.1f}"


def distance_km(one: Place, other: Place) -> float:
    """Kilometres between the centres, by the haversine formula. Raises ValueError without a position."""
    (lat, lon), (lat2, lon2) = _position(one), _position(other)
    arc = sin((lat2 - lat) / 2) ** 2 + cos(lat) * cos(lat2) * sin((lon2 - lon) / 2) ** 2
    return 2 * EARTH_KM * asin(min(1.0, sqrt(arc)))


def _position(place: Place) -> tuple[float, float]:
    if place.lat is None or place.lon is None:
        raise ValueError(f"{place.name} has no position")
    return radians(place.lat), radians(place.lon)


def near(one: Place, other: Place, reach_km: float) -> bool:
    """Whether two places can be one event's: within ``reach_km`` of each other, or one inside the other."""
    if "country" in (one.level, other.level) and one.country and one.country == other.country:
        return True
    radii = ((one.radius_m or 0) + (other.radius_m or 0)) / 1000
    return distance_km(one, other) <= reach_km + radii


def relation(places: Iterable[Place], others: Iterable[Place], reach_km: float) -> Relation:
    """``near`` where any two agree, ``far`` where both sides name places for sure and none agree, else ``unknown``."""
    mine, theirs = tuple(places), tuple(others)
    if not mine or not theirs:
        return "unknown"
    if any(near(one, other, reach_km) for one in mine for other in theirs):
        return "near"
    sure = max(place.confidence for place in mine) >= SURE and max(place.confidence for place in theirs) >= SURE
    return "far" if sure else "unknown"


def agreed(ballot: Ballot, current: Place | None, reach_km: float) -> Place | None:
    """The place that the votes agree on, or None where there is none, too few name it, or they disagree.

    The most specific level wins that gathers half of the weight near it, from ``WITNESSES`` voices (one is enough while
    there are few, when it is sure). A ``current`` place stays until another has ``OVERTAKES`` times its votes.
    """
    if not ballot.votes:
        return None
    total = sum(ballot.votes.values())
    fine = {each: weight for each, weight in ballot.votes.items() if ballot.places[each].level in FINE}
    coarse = ({k: w for k, w in ballot.votes.items() if ballot.places[k].level == level} for level in COARSE)
    for group in (fine, *coarse):
        leader = _leader(group, current)
        if leader and ballot.supported(leader, AGREED * total, reach_km):
            return replace(ballot.places[leader], confidence=round(ballot.votes[leader] / total, 3))
    return None


@dataclass(frozen=True, slots=True)
class Ballot:
    """Votes for places by :func:`key`: their weight, the places, who named them, and how many voices there are."""

    votes: Mapping[str, float]
    places: Mapping[str, Place]
    namers: Mapping[str, Set[str]]
    voices: int

    def supported(self, leader: str, least: float, reach_km: float) -> bool:
        """Whether places near ``leader`` gather the weight ``least``, from enough voices."""
        place = self.places[leader]
        close = [each for each in self.votes if near(place, self.places[each], reach_km)]
        if sum(self.votes[each] for each in close) < least:
            return False
        named = len(set().union(*(self.namers[each] for each in close)))
        return named >= WITNESSES or (self.voices <= FEW and place.confidence >= SURE)


def _leader(group: Mapping[str, float], current: Place | None) -> str | None:
    best = max(group, key=lambda each: (group[each], each), default=None)
    held = key(current) if current else None
    if best is not None and held is not None and held in group and group[best] < OVERTAKES * group[held]:
        return held
    return best


def _placed(location: Location) -> bool:
    return location.role == "event" and location.lat is not None and location.lon is not None


def _place(location: Location) -> Place:
    return Place(
        name=location.name,
        lat=location.lat,
        lon=location.lon,
        radius_m=location.radius_m,
        level=location.level,
        insee=location.insee,
        departement=location.departement,
        country=location.country,
        confidence=location.confidence,
    )
