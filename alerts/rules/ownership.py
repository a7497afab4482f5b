"""Who owns an incident: topic × area → lead and supports, with the reason.

The most specific rule wins: a named topic before ``*``, then a smaller area before a larger one, then the higher
``min_severity``, then the order of the bundle. Tags are topics too. Where an incident has several topics, the hazard
decides who leads (a tag does where only the tag has a rule that names it); those whom the rules of the other topics
name are told as supports.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from config.bundle import OwnershipRule
from config.world import World
from store.records import Incident, Place

ORDER = ("Unknown", "Minor", "Moderate", "Severe", "Extreme")
SURE = 0.2
WIDE = ("country", "region")


@dataclass(frozen=True, slots=True)
class Ownership:
    """Who leads, who supports, the rules that said so, and why: in all, and for each agency."""

    lead: str
    support: tuple[str, ...]
    rules: tuple[str, ...]
    reason: tuple[str, ...]
    because: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Match:
    """A rule that fits one topic of an incident; ``key`` sorts the most specific first."""

    rule: OwnershipRule
    topic: str
    area: str
    named: bool
    key: tuple[int, int, int, int]


def rank(severity: str) -> int:
    """0 for Unknown to 4 for Extreme."""
    return ORDER.index(severity)


def owner(incident: Incident, world: World) -> Ownership:
    """The lead and the supports of an incident under the bundle's ownership map.

    An incident whose place is unknown, ambiguous, too wide or outside the areas goes to ``default_lead``, as does one
    whose topics and severity no rule fits.
    """
    unplaced, areas = placed(incident.place, world)
    if unplaced:
        return _to_default(world, unplaced)
    topics, remarks = topics_of(incident, world)
    best = [found for topic in topics if (found := _best(topic, areas, incident, world))]
    if not best:
        wanted = ", ".join(topics) or "no topic"
        return _to_default(world, f"no rule owns {wanted} at severity {incident.severity} in {', '.join(areas)}")
    return _owned(best, remarks)


def placed(place: Place | None, world: World) -> tuple[str, list[str]]:
    """Why a place falls under no area ("" when it does), and the ids of the areas that hold it, smallest first."""
    if place is None:
        return "place unknown", []
    if place.confidence < SURE:
        return f"place ambiguous: {place.name} (confidence {place.confidence:.2f})", []
    if place.level in WIDE:
        return f"place too wide: {place.name} is a {place.level}", []
    areas = _areas(place, world)
    return ("" if areas else f"place outside the areas: {place.name}"), areas


def _areas(place: Place, world: World) -> list[str]:
    if place.level == "departement":  # its centre may lie in a commune that it is not about
        fits = [area for area in world.bundle.areas if area.world or place.departement in area.departements]
        return [area.id for area in sorted(fits, key=lambda area: (area.world, len(area.departements)))]
    if (place.lat is None or place.lon is None) and not (place.insee or place.departement):
        return [area.id for area in world.bundle.areas if area.world]
    return world.areas.holding(place.lat, place.lon, insee=place.insee, departement=place.departement)


def topics_of(incident: Incident, world: World) -> tuple[list[str], list[str]]:
    """The topics of an incident, the hazard first, and remarks on topics left out."""
    topics = [incident.hazard] if incident.hazard else []
    topics += [tag for tag in incident.tags if tag not in topics]
    if "public_order_threat" in topics and world.bundle.public_order is None:
        topics.remove("public_order_threat")
        return topics, ["public_order_threat ignored: the bundle names no legal basis for it"]
    return topics, []


def _best(topic: str, areas: Sequence[str], incident: Incident, world: World) -> Match | None:
    found = (_match(rule, place, topic, areas, incident) for place, rule in enumerate(world.bundle.ownership))
    return min((match for match in found if match), key=lambda match: match.key, default=None)


def _match(rule: OwnershipRule, order: int, topic: str, areas: Sequence[str], incident: Incident) -> Match | None:
    named = topic in rule.topics
    if not (named or "*" in rule.topics) or rank(incident.severity) < rank(rule.min_severity):
        return None
    held = [place for place, area in enumerate(areas) if area in rule.areas]
    if not held and "*" not in rule.areas:
        return None
    size = held[0] if held else len(areas)
    area = areas[size] if held else "*"
    return Match(rule, topic, area, named, (not named, size, -rank(rule.min_severity), order))


def _owned(best: Sequence[Match], remarks: Sequence[str]) -> Ownership:
    first = next((match for match in best if match.named), best[0])
    others = [match for match in best if match is not first and match.named and match.rule.id != first.rule.id]
    told = [*first.rule.support, *(one for match in others for one in (match.rule.lead, *match.rule.support))]
    support = tuple(dict.fromkeys(one for one in told if one != first.rule.lead))
    reasons = [_because(first, "leads"), *(_because(match, "is told") for match in others), *remarks]
    because: dict[str, str] = {}
    for match in (first, *others):
        for one in (match.rule.lead, *match.rule.support):
            because.setdefault(one, f"rule {match.rule.id} for {_topic(match)} in {match.area}")
    return Ownership(
        first.rule.lead, support, tuple(match.rule.id for match in (first, *others)), tuple(reasons), because
    )


def _because(match: Match, verb: str) -> str:
    return f"rule {match.rule.id}: {match.rule.lead} {verb} for {_topic(match)} in {match.area}"


def _topic(match: Match) -> str:
    return match.topic if match.named else f"{match.topic} (as *)"


def _to_default(world: World, why: str) -> Ownership:
    lead, reason = world.bundle.default_lead, f"default lead: {why}"
    return Ownership(lead, (), (), (reason,), {lead: reason})
