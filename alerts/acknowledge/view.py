"""What the acknowledgement page shows of one delivery: read from the store, written by a template."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import Connection

from alerts import directory
from alerts.messages.message import status_word, subject, summary, tags
from alerts.messages.wording import Wording
from config.world import World
from store import alerts, incidents, outbox
from store.records import Acknowledgement, Delivery, Incident

HERE = Path(__file__).parent
LANGUAGES = ("fr", "en")


@dataclass(frozen=True, slots=True)
class Shown:
    """One delivery with its incident as it is now, who was told and who answered."""

    delivery: Delivery
    incident: Incident
    lead: str
    told: tuple[Delivery, ...]
    answers: Mapping[str, Acknowledgement]


def load(conn: Connection, delivery_id: str) -> Shown | None:
    """What there is to show, or None where the delivery or its alert is gone."""
    delivery = outbox.get(conn, delivery_id)
    alert = alerts.get(conn, [delivery.alert_id]).get(delivery.alert_id) if delivery else None
    if delivery is None or alert is None:
        return None
    answers = outbox.acknowledgements(conn, [delivery.incident_id]).get(delivery.incident_id, [])
    return Shown(
        delivery,
        incidents.get(conn, delivery.incident_id) or alert.incident,
        alert.lead,
        tuple(one for one in outbox.of_incident(conn, delivery.incident_id) if one.event != "withdrawal"),
        {one.agency: one for one in answers},
    )


def wording(shown: Shown, world: World, asked: str | None) -> Wording:
    """The language asked for, else the contact's."""
    contact = directory.contact(world.bundle, shown.delivery.agency, shown.delivery.contact)
    own = contact.language if contact else "fr"
    return Wording(asked if asked in LANGUAGES else own, world.bundle.time_zone)


def page(shown: Shown, world: World, words: Wording, now: datetime, *, already: bool = False) -> str:
    """The page of one delivery, as HTML."""
    seen = tags(shown.incident, world.bundle, shown.delivery.agency)
    return _render(
        "page.html",
        words,
        incident=shown.incident,
        status=status_word(shown.incident, words),
        title=subject(shown.incident, words),
        lines=summary(shown.incident, seen, words, now),
        told=_told(shown, world, words, now),
        mine=shown.answers.get(shown.delivery.agency),
        agency=directory.agency_name(world.bundle, shown.delivery.agency, words.language),
        already=already,
        now=now,
    )


def refusal(kind: str, language: str | None, *, again: bool = False) -> str:
    """The page that says why nothing is shown; ``kind`` is bad, expired, busy, large, missing or storage.

    With ``again`` it has the button that was just pressed.
    """
    words = Wording(language if language in LANGUAGES else "fr", "UTC")
    return _render(
        "refusal.html", words, title=words.say(f"page.{kind}"), what=words.say(f"page.{kind}.what"), again=again
    )


@cache
def style() -> str:
    """The style sheet, which stands in the page."""
    return (HERE / "page.css").read_text(encoding="utf-8")


@cache
def style_hash() -> str:
    """The style sheet as a Content-Security-Policy names it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(style().encode()).digest()).decode("ascii")


def _told(shown: Shown, world: World, words: Wording, now: datetime) -> list[dict[str, Any]]:
    """One row an agency: its name, role, and how far the message or the answer got."""
    rows: dict[str, dict[str, Any]] = {}
    for one in sorted(shown.told, key=lambda each: each.agency != shown.lead):
        row = rows.setdefault(one.agency, {"state": "", "rank": -1})
        rank = ("cancelled", "failed", "pending", "sending", "sent").index(one.state)
        if rank > row["rank"]:
            time = words.clock(one.sent_at, now) if one.sent_at else ""
            row |= {"rank": rank, "state": words.say(f"page.state.{one.state}", time=time)}
        role = "lead" if one.agency == shown.lead else "support"
        name = directory.agency_name(world.bundle, one.agency, words.language)
        row |= {"name": name, "role": words.say(f"page.{role}")}
    for agency, answer in shown.answers.items():
        if agency in rows:
            rows[agency]["state"] = words.say("page.acknowledged", time=words.clock(answer.at, now))
    return list(rows.values())


@cache
def _templates() -> Environment:
    return Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined)


def _render(template: str, words: Wording, **values: Any) -> str:
    other = "en" if words.language == "fr" else "fr"
    return _templates().get_template(template).render(w=words, style=style(), other=other, **values)
