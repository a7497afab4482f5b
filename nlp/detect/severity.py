"""How grave an incident is, on CAP's scale: from its hazard, the victims told, the needs and the voices."""

from __future__ import annotations

from nlp.detect.cluster import Cluster
from nlp.detect.hazards import GRAVE
from store.records import Severity, Urgency

SCALE: tuple[Severity, ...] = ("Unknown", "Minor", "Moderate", "Severe", "Extreme")
MANY_VOICES = 30
CROWD = 200
EXTREME = {"dead": 10.0, "injured": 100.0, "missing": 50.0, "trapped": 50.0, "evacuated": 5000.0}
SEVERE = {"dead": 1.0, "injured": 5.0, "missing": 5.0, "trapped": 1.0, "evacuated": 200.0}
MODERATE = {"injured": 1.0, "missing": 1.0, "evacuated": 1.0}
LIVES = frozenset({"injured_or_dead_people", "missing_or_found_people", "requests_or_urgent_needs"})
LIVES_SHARE = 0.3
IMMEDIATE = 0.5


def rank(severity: Severity) -> int:
    """0 for Unknown … 4 for Extreme."""
    return SCALE.index(severity)


def assess(cluster: Cluster, hazard: str | None) -> tuple[Severity, tuple[str, ...]]:
    """Severity and the reasons for it. Counted victims weigh only when two voices reach the number."""
    level, why = _from_hazard(cluster, hazard)
    for kinds, found in ((EXTREME, 4), (SEVERE, 3), (MODERATE, 2)):
        for kind, least in kinds.items():
            said = cluster.corroborated(kind)
            if said >= least and found > level:
                level, why = found, f"{kind} {said:g}"
    return SCALE[level], (f"severity: {why}",)


def urgency(cluster: Cluster) -> Urgency:
    """Immediate where the posts that tell of it say so on average; Unknown without posts that do."""
    if not cluster.tellers:
        return "Unknown"
    return "Immediate" if cluster.urgency / cluster.told >= IMMEDIATE else "Expected"


def _from_hazard(cluster: Cluster, hazard: str | None) -> tuple[int, str]:
    voices = len(cluster.voices)
    lives = sum(cluster.needs[need] for need in LIVES) >= max(2, LIVES_SHARE * voices)
    level = 2 if hazard in GRAVE else 1
    if hazard in GRAVE and voices >= CROWD:
        return 3, f"{hazard}, {voices} voices"
    if level < 3 and (voices >= MANY_VOICES or lives):
        return level + (
            level == 1 or lives
        ), f"{hazard or 'unknown hazard'}, {voices} voices{', lives at stake' if lives else ''}"
    return level, hazard or "unknown hazard"
