"""What people and mishaps add to recorded posts: more incidents at once, who takes them on, who decides, what is deaf.

Recorded posts alone leave panels with a row or none, where a wrong filter would not be seen.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import Connection

from store import alerts, gaps, hourly, incidents, outbox, sources
from store.database import Database
from store.records import (
    Acknowledgement,
    Alert,
    Delivery,
    Incident,
    IncidentState,
    Place,
    Severity,
    SourceHealth,
    Status,
    Verification,
)

MINUTE = timedelta(minutes=1)
NUMBER = 40
VERDICTS: tuple[Verification, ...] = ("confirmed", "refuted", "being_checked")
AGENCIES = ("sdis", "samu", "prefecture-sidpc", "ville-cholet")
HAZARDS = ("industrial_fire", "flood", "explosion", "storm", None)
SEVERITIES: tuple[Severity, ...] = ("Extreme", "Severe", "Moderate", "Minor", "Unknown")
STATUSES: tuple[Status, ...] = ("Exercise", "Exercise", "Test", "Actual")
STATES: tuple[IncidentState, ...] = ("open", "watching", "closed")
PLACES = (("Cholet", 47.06, -0.88), ("Saumur", 47.26, -0.08), ("Angers", 47.47, -0.55), ("Segré", 47.69, -0.87))


def invent(db: Database, start: datetime, chance: Random, number: int = NUMBER) -> None:
    """``number`` incidents of the hour from ``start``, of every hazard and severity, decided on, sent at any speed."""
    with db.write() as conn:
        for place in range(number):
            one = _incident(place, start + timedelta(seconds=chance.randrange(3600)), chance)
            alert = Alert(
                f"al-{place:03}", one.id, f"ev-{place:03}", "new", one.opened_at, one, chance.choice(AGENCIES),
                trigger_received_at=one.opened_at,
            )  # fmt: skip
            incidents.put(conn, [one])
            alerts.add(conn, [alert] if place % 7 else [])
            outbox.add(conn, [_delivery(alert, agency, chance) for agency in AGENCIES[: place % 4] if place % 7])


def _incident(number: int, at: datetime, chance: Random) -> Incident:
    name, lat, lon = chance.choice(PLACES)
    return Incident(
        f"inc-{number:03}",
        status=chance.choice(STATUSES),
        state=chance.choice(STATES),
        first_post_at=at,
        opened_at=at,
        updated_at=at + 5 * MINUTE,
        hazard=chance.choice(HAZARDS),
        tags=("emerging_incident", "rumour")[: chance.randrange(3)],
        severity=chance.choice(SEVERITIES),
        place=Place(name, lat, lon, 3000.0, "commune") if number % 9 else None,
        posts=chance.randrange(3, 400),
        voices=chance.randrange(1, 60),
    )


def _delivery(alert: Alert, agency: str, chance: Random) -> Delivery:
    first = alert.at + timedelta(seconds=chance.expovariate(1 / 9))
    sent = chance.choice((True, True, True, False))
    return Delivery(
        f"d-{alert.id}-{agency}", alert.id, alert.incident_id, "new", agency, "lead", "duty", "mail", alert.at,
        "sent" if sent else "failed", 1, None, first, first if sent else None, trigger_received_at=alert.at,
    )  # fmt: skip


def act(db: Database, start: datetime, end: datetime) -> None:
    """Agencies take incidents on, an analyst decides, a source falls silent, another was never on."""
    with db.write() as conn:
        told = sorted(incidents.recent(conn, 200), key=lambda one: one.id)
        _take_on(conn, told)
        incidents.put(conn, [_judged(one, number, end) for number, one in enumerate(told) if number % 4 < 3])
        _deafen(conn, start, end)


def _take_on(conn: Connection, told: list[Incident]) -> None:
    """Two deliveries in three are answered, after a minute or four."""
    sent = [one for incident in told for one in outbox.of_incident(conn, incident.id) if one.sent_at]
    for number, delivery in enumerate(sent):
        if number % 3 != 2 and delivery.sent_at:
            at = delivery.sent_at + timedelta(seconds=45 + 17 * (number % 11))
            outbox.acknowledge(conn, Acknowledgement(delivery.incident_id, delivery.agency, "Camille", at, "desk"))


def _judged(incident: Incident, number: int, at: datetime) -> Incident:
    return replace(incident, verification=VERDICTS[number % 4], revision=incident.revision + 1, updated_at=at)


def _deafen(conn: Connection, start: datetime, end: datetime) -> None:
    sources.report(conn, SourceHealth("x-flux", "off", "401: the key is not known", start, end, 900, 40))
    sources.report(conn, SourceHealth("mastodon-une", "waiting", "VIGIE_MASTODON is not set", start))
    gap = gaps.begin(conn, "x-flux", start + 5 * MINUTE, "no answer for 60 s", ("incendie",))
    gaps.put(conn, replace(gap, ended_at=start + 12 * MINUTE, state="filled", found=7, settled_at=end))
    gaps.begin(conn, "x-flux", start + 30 * MINUTE, "401: the key is not known")
    for back in range(3):
        hour = start - timedelta(hours=back)
        hourly.add(conn, hour, {"source:x-flux": (300 + back, 14, 3600.0), "filter:incendie": (20, 9 + back, 1800.0)})
