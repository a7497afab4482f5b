"""Which hazard a post speaks of: the lexicon's terms, weighed by strength and company."""

from __future__ import annotations

from collections import defaultdict

from nlp.reading import Reading
from store.records import Scored

STRONG = 2.0
WEAK = 0.7
COMPANY = frozenset(
    {"injured", "dead", "missing", "trapped", "evacuated", "damage", "blocked", "smoke", "rescue", "help_call",
     "caution", "panic", "here_now", "news", "vegetation", "industrial_site"}
)  # fmt: skip
REFINED = (
    ("fire", "vegetation", "wildfire"),
    ("fire", "industrial_site", "industrial_fire"),
)
"""A hazard with a circumstance is another hazard."""
SPECIFIC = (
    ("industrial_fire", "fire"), ("wildfire", "fire"), ("vehicle_attack", "road_accident"), ("tsunami", "flood"),
    ("avalanche", "cold"), ("gas_leak", "chemical"), ("crowd_crush", "riot"), ("water_cut", "flood"),
    ("food_poisoning", "epidemic"), ("drowning", "flood"),
    ("sea_accident", "missing_person"), ("avalanche", "missing_person"),
)  # fmt: skip
"""Where both are named about as strongly, the first is meant."""
FLOOR = 0.15


def choose(reading: Reading, about: float) -> Scored | None:
    """The hazard and its probability, or None where no term is clear enough for a post that is ``about`` so likely."""
    weights: dict[str, float] = defaultdict(float)
    concepts = reading.concepts()
    seen: set[tuple[str, int]] = set()
    for hit in reading.hits:
        if hit.term.hazard and (hit.term.concept, hit.start) not in seen:
            seen.add((hit.term.concept, hit.start))
            weights[hit.term.concept] += STRONG if hit.term.strong else WEAK
    if not weights:
        return None
    for hazard, circumstance, refined in REFINED:
        if weights.get(hazard, 0) >= WEAK and circumstance in concepts:
            weights[refined] += weights[hazard]
    for first, second in SPECIFIC:
        if weights.get(first, 0) >= STRONG and weights.get(second, 0) > 0:
            weights[first] += 0.6 * weights[second]
    name = max(weights, key=lambda hazard: (weights[hazard], hazard))
    if weights[name] < STRONG and not concepts & COMPANY and sum(weights.values()) < STRONG:
        return None
    share = weights[name] / (sum(weights.values()) - _shared(weights, name) + 0.6)
    p = min(0.97, share) * about
    return Scored(name, round(p, 3)) if p >= FLOOR else None


def _shared(weights: dict[str, float], name: str) -> float:
    """What the chosen hazard took over from a more general one does not speak against it."""
    general = {"industrial_fire": "fire", "wildfire": "fire"} | dict(SPECIFIC)
    return weights.get(general.get(name, ""), 0.0)
