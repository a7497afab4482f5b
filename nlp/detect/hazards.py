"""What hazards have to do with each other: which belong to one event, how far one reaches, how grave it is.

Distances are rules of thumb for how far apart two posts of one event can name places, in kilometres.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

Kinship = Literal["same", "kin", "unknown", "different"]

KIN: tuple[frozenset[str], ...] = (
    frozenset({"fire", "wildfire", "industrial_fire", "explosion", "gas_leak", "chemical", "pollution", "collapse"}),
    frozenset({"fire", "explosion", "crowd_crush", "collapse"}),
    frozenset({"storm", "flood", "landslide", "power_cut", "water_cut", "telecom_cut", "drowning", "cold"}),
    frozenset({"storm", "road_accident", "cold", "avalanche"}),
    frozenset({"earthquake", "tsunami", "landslide", "collapse", "volcano", "radiological", "power_cut"}),
    frozenset({"shooting", "knife_attack", "vehicle_attack", "hostage_taking", "bomb_threat", "explosion"}),
    frozenset({"riot", "looting", "crowd_crush", "shooting", "fire"}),
    frozenset({"road_accident", "rail_accident", "vehicle_attack", "explosion", "chemical"}),
    frozenset({"air_accident", "explosion", "fire", "collapse"}),
    frozenset({"sea_accident", "drowning", "missing_person"}),
    frozenset({"pollution", "chemical", "water_cut", "food_poisoning", "epidemic"}),
    frozenset({"power_cut", "water_cut", "telecom_cut", "cyberattack"}),
    frozenset({"wildfire", "heat", "pollution"}),
)

GENERAL = {"industrial_fire": "fire", "wildfire": "fire", "gas_leak": "chemical", "vehicle_attack": "road_accident"}
"""What people also call a hazard: plainer words for it never take its place."""

REACH_KM = {
    "storm": 400.0,
    "earthquake": 300.0,
    "tsunami": 500.0,
    "flood": 200.0,
    "volcano": 200.0,
    "heat": 500.0,
    "cold": 400.0,
    "epidemic": 300.0,
    "pollution": 150.0,
    "wildfire": 120.0,
    "radiological": 150.0,
    "power_cut": 100.0,
    "telecom_cut": 150.0,
    "water_cut": 60.0,
}
POINT_REACH_KM = 25.0

GRAVE = frozenset(
    {
        "explosion",
        "industrial_fire",
        "wildfire",
        "chemical",
        "radiological",
        "flood",
        "storm",
        "earthquake",
        "avalanche",
        "volcano",
        "tsunami",
        "rail_accident",
        "air_accident",
        "collapse",
        "shooting",
        "knife_attack",
        "vehicle_attack",
        "crowd_crush",
        "hostage_taking",
        "riot",
    }
)


@cache
def kinship(one: str | None, other: str | None) -> Kinship:
    """How two hazards of the closed list relate; None and ``other`` are unknown."""
    if one in (None, "other") or other in (None, "other"):
        return "unknown"
    if one == other:
        return "same"
    return "kin" if any(one in family and other in family for family in KIN) else "different"


@cache
def reach_km(*hazards: str | None) -> float:
    """How far apart, in kilometres, two mentions of one event of these hazards can lie."""
    return max((REACH_KM.get(hazard, POINT_REACH_KM) for hazard in hazards if hazard), default=POINT_REACH_KM)
