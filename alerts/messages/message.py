"""What a telephone shows at 03:12: what, where, how sure, since when, who else was told, and the link to take it on.

The order is that of a reader who stops after any line. A drill says so first, in capitals, in subject and text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from alerts import directory
from alerts.acknowledge import token
from alerts.messages.quotes import cut, quotes
from alerts.messages.wording import Wording
from config import vocabulary
from config.bundle import Bundle
from config.world import World
from store import times
from store.records import Alert, Delivery, Incident, Post

SUBJECT = 78
TEXT = 700
OTHERS = 4


@dataclass(frozen=True, slots=True)
class Message:
    """One message ready to send: ``to`` is the contact's address, ``link`` the acknowledgement link ("" where no answer
    is asked for), ``payload`` the same facts for machines, ``at`` when it was written (UTC), ``quoted`` the ids of the
    posts whose words it holds."""

    to: str
    subject: str
    text: str
    link: str
    at: datetime
    language: str = "fr"
    urgent: bool = True
    payload: dict[str, Any] = field(default_factory=dict)
    cap: str = ""
    quoted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What a message is written from. ``told`` are the agencies told of this incident; ``posts`` its evidence;
    ``relayed`` says that colleagues were told before and did not answer."""

    alert: Alert
    delivery: Delivery
    told: tuple[str, ...]
    posts: tuple[Post, ...]
    world: World
    now: datetime
    relayed: bool = False

    @property
    def incident(self) -> Incident:
        """The incident as the alert saw it."""
        return self.alert.incident


def subject(incident: Incident, words: Wording, *, update: bool = False) -> str:
    """At most 78 characters: status, what, where, how grave."""
    head = status_word(incident, words)
    what = f"{words.hazard(incident.hazard)} – {where(incident, words)}"
    tail = f" ({words.label(vocabulary.SEVERITIES, incident.severity)})"
    start = " – ".join(part for part in (head, words.say("update") if update else "") if part)
    start = f"{start} – " if start else ""
    return start + cut(what, SUBJECT - len(start) - len(tail)) + tail


def status_word(incident: Incident, words: Wording) -> str:
    """``EXERCICE`` or ``ESSAI`` where the incident is not real, else nothing."""
    return {"Exercise": words.say("exercise"), "Test": words.say("test")}.get(incident.status, "")


def where(incident: Incident, words: Wording) -> str:
    """The place's name, one line."""
    return cut(" ".join(incident.place.name.split()), 60) if incident.place else words.say("no_place")


def certainty(incident: Incident) -> str:
    """CAP's certainty: what a machine believes stays Possible until a person confirmed it."""
    if incident.verification != "confirmed" and incident.certainty in ("Observed", "Likely"):
        return "Possible"
    return incident.certainty


def tags(incident: Incident, bundle: Bundle, agency_id: str) -> list[str]:
    """The tags that an agency may see: ``public_order_threat`` only where the bundle names its id or kind."""
    seen = cleared(bundle, agency_id)
    return [tag for tag in incident.tags if seen or tag != "public_order_threat"]


def cleared(bundle: Bundle, agency_id: str) -> bool:
    """Whether an agency is among the roles that see what was tagged as a threat to public order."""
    agency = directory.agency(bundle, agency_id)
    roles = bundle.public_order.roles if bundle.public_order else ()
    return agency is not None and (agency.id in roles or agency.kind in roles)


def summary(incident: Incident, seen: Sequence[str], words: Wording, now: datetime) -> list[str]:
    """How grave and how sure, since when, on how many voices it stands, and the tags ``seen``: one line each."""
    lines = [
        words.say(
            "severity",
            severity=words.label(vocabulary.SEVERITIES, incident.severity),
            certainty=words.label(vocabulary.CERTAINTIES, certainty(incident)),
            verification=words.label(vocabulary.VERIFICATIONS, incident.verification),
        ),
        words.say(
            "since",
            since=words.clock(incident.first_post_at, now),
            ago=words.ago(incident.first_post_at, now),
            posts=words.count("posts", incident.posts),
            voices=words.count("voices", incident.voices),
            authors=words.count("authors", incident.authors_known),
        ),
    ]
    named = [words.label(vocabulary.TAGS, tag) for tag in seen if tag != "emerging_incident"]
    return [*lines, words.say("tag", tags=", ".join(named))] if named else lines


def others(facts: Facts, words: Wording) -> str:
    """Who else was told, at most four names."""
    rest = [one for one in facts.told if one != facts.delivery.agency]
    names = [cut(directory.agency_name(facts.world.bundle, one, words.language), 40) for one in rest]
    if not names:
        return words.say("told.nobody")
    listed = ", ".join(names[:OTHERS])
    more = len(names) - OTHERS
    return words.say("told", others=words.say("told.more", others=listed, n=more) if more > 0 else listed)


def body(facts: Facts, words: Wording) -> list[str]:
    """The lines that say what is known, without quotes and link."""
    incident, bundle = facts.incident, facts.world.bundle
    lines = [subject(incident, words, update=facts.alert.event == "update")]
    lines += summary(incident, tags(incident, bundle, facts.delivery.agency), words, facts.now)
    if incident.knowledge == "new_fact":
        known = next((one for one in bundle.operations if one.id == incident.operation), None)
        lines.append(words.say("new_fact", operation=words.of(known.name) if known else incident.operation or "?"))
    if facts.relayed:
        lines.append(words.say("relayed"))
    return [*lines, _role(facts, words), others(facts, words)]


def text(facts: Facts, words: Wording, link: str) -> tuple[str, tuple[str, ...]]:
    """At most 700 characters, and the ids of the posts they quote; quotes give way first, the link never does."""
    lines, tail = body(facts, words), f"{words.say('take')}\n{link}"
    said = [(id, words.say("quote", text=one)) for id, one in quotes(facts.posts).items()]
    while said and len("\n".join([*lines, *(one for _, one in said)])) + 2 + len(tail) > TEXT:
        said.pop()
    whole = "\n".join([*lines, *(one for _, one in said)])
    return f"{cut(whole, TEXT - len(tail) - 2)}\n\n{tail}", tuple(id for id, _ in said)


def write(facts: Facts, address: str, key: bytes) -> Message:
    """The message of one delivery, in the language of its contact, with a link signed with ``key``."""
    bundle = facts.world.bundle
    words = wording(facts.world, facts.delivery)
    until = token.expiry(facts.delivery.first_attempt_at or facts.now, bundle.acknowledge.link_hours)
    link = token.link(key, bundle.acknowledge.base_url, facts.delivery.id, until)
    title = subject(facts.incident, words, update=facts.alert.event == "update")
    plain, quoted = text(facts, words, link)
    return Message(
        to=address,
        subject=title,
        text=plain,
        link=link,
        at=facts.now,
        language=words.language,
        urgent=facts.delivery.role == "lead",
        payload=payload(facts) | {"subject": title, "text": plain, "link": link},
        quoted=quoted,
    )


def wording(world: World, delivery: Delivery) -> Wording:
    """The language of the contact that a delivery goes to."""
    contact = directory.contact(world.bundle, delivery.agency, delivery.contact)
    return Wording(contact.language if contact else "fr", world.bundle.time_zone)


def payload(facts: Facts) -> dict[str, Any]:
    """The same facts for a machine: ids, codes and numbers."""
    incident, place = facts.incident, facts.incident.place
    position = place and {"name": place.name, "insee": place.insee, "lat": place.lat, "lon": place.lon}
    return {
        "id": facts.delivery.id,
        "alert": facts.alert.id,
        "incident": incident.id,
        "event": facts.alert.event,
        "at": times.to_iso(facts.alert.at),
        "status": incident.status,
        "agency": facts.delivery.agency,
        "role": facts.delivery.role,
        "hazard": incident.hazard,
        "tags": tags(incident, facts.world.bundle, facts.delivery.agency),
        "severity": incident.severity,
        "urgency": incident.urgency,
        "certainty": certainty(incident),
        "verification": incident.verification,
        "place": position,
        "posts": incident.posts,
        "voices": incident.voices,
        "authors_known": incident.authors_known,
        "lead": facts.alert.lead,
        "support": list(facts.alert.support),
        "told": list(facts.told),
    }


def _role(facts: Facts, words: Wording) -> str:
    if facts.delivery.role == "lead":
        return words.say("role.lead")
    return words.say("role.support", lead=directory.agency_name(facts.world.bundle, facts.alert.lead, words.language))
