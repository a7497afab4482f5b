"""A case: the cluster behind an incident, the incident as last told, and when its next timer is due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from config.world import World
from nlp.detect import places, severity
from nlp.detect.cluster import Cluster, best_evidence
from nlp.detect.hazards import GENERAL, reach_km
from nlp.detect.knowledge import is_own, operation_for
from store.annotations import APART
from store.codec import from_json, to_json
from store.records import Incident, Knowledge, Place

HAZARD_OVERTAKES = 1.5
TAG_VOICES = {"rumour": (3, 0.05), "public_order_threat": (2, 0.02)}
"""The least voices, and the least share of all voices: threats and rumours are few beside those who tell the event."""
WHY = 6
FIRST_S, LAST_S = -6.2e10, 2.5e11


@dataclass(slots=True)
class Case:
    """``due``: seconds since 1970 at which the next timer fires. ``told_voices``: at the last event. ``told``: the
    severity rank when the incident became known to a service."""

    cluster: Cluster
    incident: Incident
    trigger: str
    due: float
    told_voices: int = 0
    told_rank: int = 0
    denied: bool = False

    def to_json(self) -> dict[str, Any]:
        """What :func:`from_state` reads back; the posts travel by themselves."""
        return {
            "incident": to_json(self.incident),
            "trigger": self.trigger,
            "due": self.due,
            "told_voices": self.told_voices,
            "told_rank": self.told_rank,
            "denied": self.denied,
        }


def from_state(cluster: Cluster, state: Mapping[str, Any]) -> Case:
    """The case that :meth:`Case.to_json` wrote."""
    known = {key: value for key, value in state.items() if key != "incident"}
    return Case(cluster=cluster, incident=from_json(Incident, state["incident"]), **known)


def utc(seconds: float) -> datetime:
    """The aware UTC time of seconds since 1970, within the years that a datetime can hold."""
    return datetime.fromtimestamp(min(max(seconds, FIRST_S), LAST_S), UTC)


def counted(case: Case) -> Incident:
    """The incident with its posts counted anew and its evidence chosen."""
    cluster = case.cluster
    return replace(
        evident(case.incident, cluster, case.trigger),
        first_post_at=utc(cluster.first_at) if cluster.first_at else case.incident.first_post_at,
        posts=len(cluster.members),
        voices=len(cluster.voices),
        authors_known=cluster.authors_known,
    )


def evident(incident: Incident, cluster: Cluster, first: str | None) -> Incident:
    """The incident with its evidence and words chosen anew: nothing comes from posts that are not in ``cluster``.

    A tag about public order goes with the last post that bears it; other decisions stand.
    """
    threatened = bool(cluster.tags.get(APART))
    return replace(
        incident,
        evidence=best_evidence(cluster, first),
        why=tuple(sorted(cluster.why, key=lambda term: (-cluster.why[term], term))[:WHY]),
        tags=tuple(tag for tag in incident.tags if tag != APART or threatened),
    )


def decided(case: Case, world: World) -> tuple[Incident, tuple[str, ...]]:
    """The incident as its posts now tell it, and in words what changed that matters."""
    old, cluster = case.incident, case.cluster
    hazard = _hazard(cluster, old.hazard)
    place = agreed_place(cluster, hazard, old.place) or old.place
    grade, why = severity.assess(cluster, hazard)
    if severity.rank(grade) < severity.rank(old.severity):
        grade = old.severity
    new = replace(
        old,
        hazard=hazard,
        place=place,
        severity=grade,
        urgency=severity.urgency(cluster),
        tags=tuple(sorted({*old.tags, *_tags(cluster)})),
        certainty="Unlikely" if 2 * len(cluster.deniers) > len(cluster.tellers) else "Possible",
        config_version=world.version,
    )
    new = _known(case, new, world)
    return new, _changes(old, new, why)


def _changes(old: Incident, new: Incident, why: tuple[str, ...]) -> tuple[str, ...]:
    reasons: list[str] = []
    if new.severity != old.severity:
        reasons += [f"severity {old.severity} to {new.severity}", *why]
    if new.hazard != old.hazard:
        reasons.append(f"hazard {old.hazard or 'unknown'} to {new.hazard}")
    if _moved(old.place, new.place):
        reasons.append(
            f"place {old.place.name if old.place else 'unknown'} to {new.place.name if new.place else 'unknown'}"
        )
    reasons += [f"tag {tag}" for tag in new.tags if tag not in old.tags]
    if new.certainty != old.certainty:
        reasons.append("refuted by most voices" if new.certainty == "Unlikely" else "no longer refuted")
    if new.knowledge != old.knowledge:
        reasons.append(f"{new.knowledge}: operation {new.operation}" if new.operation else new.knowledge)
    return tuple(reasons)


def _moved(old: Place | None, new: Place | None) -> bool:
    if old is None or new is None:
        return old is not new
    return places.key(old) != places.key(new)


def _hazard(cluster: Cluster, current: str | None) -> str | None:
    best = cluster.hazard
    if current and best == GENERAL.get(current):
        return current
    if current in cluster.hazards and best and cluster.hazards[best] < HAZARD_OVERTAKES * cluster.hazards[current]:
        return current
    return best or current


def agreed_place(cluster: Cluster, hazard: str | None, current: Place | None = None) -> Place | None:
    """The place that the posts of a cluster agree on, see :func:`nlp.detect.places.agreed`."""
    kept = sorted(cluster.place_votes, key=lambda each: (-cluster.place_votes[each], each))[:30]
    votes = {each: cluster.place_votes[each] for each in kept}
    ballot = places.Ballot(votes, cluster.places, cluster.namers, len(cluster.voices))
    return places.agreed(ballot, current, reach_km(hazard))


def _tags(cluster: Cluster) -> set[str]:
    voices = max(1, len(cluster.voices))
    shared = {
        tag
        for tag, (least, share) in TAG_VOICES.items()
        if len(cluster.tags.get(tag, ())) >= max(least, share * voices)
    }
    return {"emerging_incident", *shared}


def _known(case: Case, new: Incident, world: World) -> Incident:
    operation = operation_for(world, new.hazard, new.place, new.opened_at)
    if operation is None:
        return new
    if new.knowledge == "unknown":
        case.told_rank = severity.rank(new.severity)
    worse = new.knowledge != "unknown" and severity.rank(new.severity) > case.told_rank
    fact = worse or not is_own(operation, new.hazard) or new.knowledge == "new_fact"
    knowledge: Knowledge = "new_fact" if fact else "known"
    return replace(new, knowledge=knowledge, operation=operation.id)
