"""Which cluster a post belongs to, and which incident a cluster that opens belongs to."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Literal

from nlp.detect import places
from nlp.detect.cluster import Cluster
from nlp.detect.hazards import Kinship, kinship, reach_km
from nlp.detect.member import Member
from store.records import Place

Kind = Literal["candidate", "incident"]

# the least cosine of terms at which a post joins, by what is known of hazard and place
JOIN: dict[tuple[Kind, str, Kinship], float] = {
    ("candidate", "near", "same"): 0.10,
    ("candidate", "near", "kin"): 0.15,
    ("candidate", "near", "unknown"): 0.25,
    ("candidate", "near", "different"): 0.45,
    ("candidate", "unknown", "same"): 0.28,
    ("candidate", "unknown", "kin"): 0.32,
    ("candidate", "unknown", "unknown"): 0.38,
    ("candidate", "unknown", "different"): 0.50,
    ("incident", "near", "same"): 0.0,
    ("incident", "near", "kin"): 0.05,
    ("incident", "near", "unknown"): 0.15,
    ("incident", "near", "different"): 0.30,
    ("incident", "unknown", "same"): 0.10,
    ("incident", "unknown", "kin"): 0.15,
    ("incident", "unknown", "unknown"): 0.20,
    ("incident", "unknown", "different"): 0.40,
    ("incident", "far", "same"): 0.35,
}
LEAST = min(least for (kind, _, _), least in JOIN.items() if kind == "candidate")
NEVER = 2.0
SECOND = 0.05
WIDE_KM = 100.0
OTHER_NAME = 0.45
BONUS = {"near": 0.30, "unknown": 0.0, "far": -0.20, "same": 0.20, "kin": 0.10, "different": -0.10}
INCIDENT_BONUS = 0.15


@dataclass(frozen=True, slots=True)
class Bid:
    """What a cluster offers for a post: higher ``worth`` wins. ``others`` is the cosine without its largest part."""

    cluster: Cluster
    kind: Kind
    cosine: float
    others: float = 1.0

    def worth(self, new: Member) -> float | None:
        """How well ``new`` fits, None where it does not. One word in common, but a place, starts no incident."""
        if self.kind == "candidate" and self.others < SECOND and not new.named:
            return None
        place = Where(tuple(self.cluster.place_list()), self.cluster.named)
        return fit(
            self.kind, self.cosine, (new.hazard, self.cluster.hazard), (Where(new.places, set(new.named)), place)
        )


@dataclass(frozen=True, slots=True)
class Where:
    """What one side says of the place: resolved places, and folded proper words of place names."""

    places: Sequence[Place]
    named: Set[str]


def fit(kind: Kind, cosine: float, hazards: tuple[str | None, str | None], where: tuple[Where, Where]) -> float | None:
    """How well two sides fit, given the cosine of their terms; None below what :data:`JOIN` asks.

    Places that one side could not resolve are near where both name them, and apart where they name others.
    """
    kin, reach = kinship(*hazards), reach_km(*hazards)
    one, other = where
    apart = places.relation(one.places, other.places, reach)
    if apart == "unknown" and one.named and other.named:
        if one.named & other.named:
            apart = "near"
        elif reach < WIDE_KM and cosine < OTHER_NAME:
            return None
    if (apart == "far" and reach < WIDE_KM) or cosine < JOIN.get((kind, apart, kin), NEVER):
        return None
    return cosine + BONUS[apart] + BONUS.get(kin, 0.0) + (INCIDENT_BONUS if kind == "incident" else 0.0)


def cosine(one: Cluster, other: Cluster) -> float:
    """The cosine of two clusters' term vectors."""
    few, many = sorted((one.terms, other.terms), key=len)
    return sum(value * many.get(term, 0.0) for term, value in few.items()) / (one.norm * other.norm)
