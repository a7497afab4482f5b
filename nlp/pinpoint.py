"""Streets and buildings that a post names beside their commune, put on the map by the geocoder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from config.gazetteer import distance_m
from nlp.geocode import Geocoder
from store.records import Annotation, Location

RADII_M = {"street": 500.0, "poi": 200.0, "district": 1000.0}
ASKED = 2
"""Questions to the provider for each batch: the stage waits for the answers, and the next posts name it again."""
FAR_M = 20_000.0
"""From its commune, an answer is about another street of that name."""


def pinpoint(annotations: Iterable[Annotation], geocoder: Geocoder) -> list[Annotation]:
    """The annotations, in order; those of likely incidents with a position for streets, quarters and buildings.

    Only where the post names one commune for the event. At most :data:`ASKED` new questions; what is known costs none.
    """
    limit = geocoder.asked + ASKED
    return [_placed(one, geocoder, limit) if "emerging_incident" in one.labels else one for one in annotations]


def _placed(annotation: Annotation, geocoder: Geocoder, limit: int) -> Annotation:
    communes = {one.insee: one for one in annotation.locations if _is_commune(one)}
    if len(communes) != 1:
        return annotation
    commune = next(iter(communes.values()))
    placed = tuple(_with_position(one, commune, geocoder, limit) for one in annotation.locations)
    return replace(annotation, locations=placed)


def _is_commune(location: Location) -> bool:
    return location.level == "commune" and location.role == "event" and location.lat is not None


def _with_position(location: Location, commune: Location, geocoder: Geocoder, limit: int) -> Location:
    wanted = location.lat is None and location.role == "event" and location.level in RADII_M
    if not wanted or commune.lat is None or commune.lon is None:
        return location
    found = geocoder.locate(f"{location.name}, {commune.name}", ask=geocoder.asked < limit)
    if found is None or distance_m(commune.lat, commune.lon, found.lat, found.lon) > FAR_M:
        return location
    return replace(
        location,
        lat=found.lat,
        lon=found.lon,
        radius_m=RADII_M[location.level],
        country=commune.country,
        admin1=commune.admin1,
        departement=commune.departement,
        insee=commune.insee,
    )
