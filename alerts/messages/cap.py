"""CAP 1.2 (OASIS, urn:oasis:names:tc:emergency:cap:1.2): the alert as other systems read it.

A machine wrote it, so it is Restricted to the agencies told, and certainty is at most Possible until a person
confirms. It quotes no post. Its identifier is the delivery's id.
"""

from __future__ import annotations

from datetime import datetime
from xml.etree.ElementTree import Element, SubElement, tostring

from alerts import directory
from alerts.messages.message import Facts, Message, body, certainty
from alerts.messages.wording import Wording
from config import vocabulary
from store.records import Place

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
SENDER = "vigie"
DEFAULT_KM = 5.0


def write(facts: Facts, message: Message) -> str:
    """The CAP document of one delivery, as XML text with its declaration."""
    incident, alert = facts.incident, Element("alert", xmlns=NAMESPACE)
    _add(alert, "identifier", facts.delivery.id)
    _add(alert, "sender", SENDER)
    _add(alert, "sent", moment(facts.alert.at))
    _add(alert, "status", incident.status)
    _add(alert, "msgType", "Alert")
    _add(alert, "scope", "Restricted")
    _add(alert, "restriction", "For the agencies addressed; unverified public posts, not for publication.")
    _add(alert, "addresses", " ".join(f'"{one}"' if " " in one else one for one in facts.told))
    _add(alert, "incidents", incident.id)
    _info(alert, facts, message)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(alert, encoding="unicode")


def moment(at: datetime) -> str:
    """A time as CAP writes it: seconds, and the offset in digits, ``-00:00`` for UTC."""
    return f"{at:%Y-%m-%dT%H:%M:%S}-00:00"


def _info(alert: Element, facts: Facts, message: Message) -> None:
    incident, words = facts.incident, Wording(message.language, facts.world.bundle.time_zone)
    hazard = vocabulary.HAZARDS.get(incident.hazard or "")
    info = SubElement(alert, "info")
    _add(info, "language", "en" if message.language == "en" else "fr-FR")
    _add(info, "category", hazard.cap if hazard else "Other")
    _add(info, "event", words.hazard(incident.hazard))
    _add(info, "urgency", incident.urgency)
    _add(info, "severity", incident.severity)
    _add(info, "certainty", certainty(incident))
    _add(info, "onset", moment(incident.first_post_at))
    _add(info, "senderName", words.of(facts.world.bundle.name))
    _add(info, "headline", message.subject)
    _add(info, "description", "\n".join(body(facts, words)))
    _add(info, "web", message.link)
    _add(info, "contact", directory.agency_name(facts.world.bundle, facts.alert.lead, message.language))
    for name, value in (("posts", incident.posts), ("voices", incident.voices), ("authors", incident.authors_known)):
        parameter = SubElement(info, "parameter")
        _add(parameter, "valueName", f"vigie:{name}")
        _add(parameter, "value", str(value))
    if incident.place:
        _area(info, incident.place)


def _area(info: Element, place: Place) -> None:
    area = SubElement(info, "area")
    _add(area, "areaDesc", place.name)
    if place.lat is not None and place.lon is not None:
        radius = place.radius_m / 1000 if place.radius_m else DEFAULT_KM
        _add(area, "circle", f"{place.lat:.5f},{place.lon:.5f} {radius:.1f}")
    if place.insee:
        code = SubElement(area, "geocode")
        _add(code, "valueName", "INSEE")
        _add(code, "value", place.insee)


def _add(parent: Element, name: str, value: str) -> None:
    SubElement(parent, name).text = "".join(one for one in value if one in "\n\t" or one >= " ")
