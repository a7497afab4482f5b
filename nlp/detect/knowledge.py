"""Whether a service is already engaged: an incident against the operations that the bundle declares."""

from __future__ import annotations

from datetime import datetime

from config.bundle import Operation
from config.world import World
from nlp.detect.hazards import kinship
from store.records import Place


def operation_for(world: World, hazard: str | None, place: Place | None, at: datetime) -> Operation | None:
    """The first declared operation under way at ``at`` (UTC) that this hazard at this place belongs to, or None."""
    if place is None or not world.bundle.operations:
        return None
    held = world.areas.holding(place.lat, place.lon, insee=place.insee, departement=place.departement)
    for operation in world.bundle.operations:
        running = operation.since <= at <= operation.until
        related = any(kinship(hazard, each) in ("same", "kin") for each in operation.hazards)
        if running and related and any(area in held for area in operation.areas):
            return operation
    return None


def is_own(operation: Operation, hazard: str | None) -> bool:
    """Whether ``hazard`` is one that the operation itself names."""
    return hazard in operation.hazards
