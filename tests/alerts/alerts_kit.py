"""A small invented bundle and its incidents, a clock that tests move, what the servers of the tests keep."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from config.world import World
from store import incidents
from store.database import Database
from store.records import Incident, IncidentEvent, Place, Post

NIGHT = datetime(2026, 3, 2, 2, 12, tzinfo=UTC)  # a Monday, 03:12 in Paris
KEY = b"k" * 32

BUNDLE = """
name: {fr: Veille d'essai, en: Trial watch}
status: Exercise
time_zone: Europe/Paris
policy: keep_all
default_lead: prefecture
public_order: {legal_basis: invented for tests, roles: [police], keep_days: 3}
areas:
  - {id: county, name: {fr: Département, en: County}, departements: ["49"]}
  - {id: cholet, name: {fr: Cholet, en: Cholet}, communes: ["49099"]}
agencies:
  - id: prefecture
    name: {fr: Préfecture, en: Prefecture}
    kind: prefecture
    contacts:
      - {id: duty, name: Permanence, channel: mail, address: duty@example.org}
      - {id: cabinet, name: Cabinet, channel: mail, address: cabinet@example.org}
  - id: rescue
    name: {fr: Secours, en: Rescue}
    kind: fire_rescue
    contacts:
      - {id: officer, name: Officier, channel: mail, address: officer@example.org}
      - {id: chief, name: Chef, channel: mail, address: chief@example.org}
      - {id: system, name: Système, channel: hook, address: "@@HOOK@@"}
  - id: police
    name: {fr: Police, en: Police}
    kind: police
    contacts: [{id: desk-officer, name: Desk officer, channel: mail, address: police@example.org, language: en}]
  - id: parks
    name: {fr: Parcs, en: Parks}
    kind: parks
    contacts: [{id: keeper, name: Gardien, channel: mail, address: keeper@example.org}]
rosters:
  - agency: prefecture
    shifts: [{contacts: [duty]}]
    escalate_after_minutes: 10
    escalate_to: [cabinet]
  - agency: rescue
    shifts: [{contacts: [officer, system]}]
    escalate_after_minutes: 5
    escalate_to: [chief]
  - agency: parks
    shifts: [{contacts: [keeper], hours: {days: [mon, tue, wed, thu, fri], from: "08:00", to: "18:00"}}]
channels:
  - {id: mail, kind: mail, settings: {host: 127.0.0.1, port: 1, from: vigie@example.org}}
  - {id: hook, kind: webhook, secrets: {key: TEST_WEBHOOK_KEY}}
ownership:
  - {id: fires, topics: [fire, industrial_fire], areas: [county], lead: rescue, support: [prefecture]}
  - {id: fires-cholet, topics: [industrial_fire], areas: [cholet], lead: rescue, support: [prefecture, parks]}
  - {id: order, topics: [public_order_threat, looting], areas: [county], lead: police}
  - {id: rest, topics: ["*"], areas: [county], lead: prefecture}
operations:
  - id: training-fire
    name: {fr: Feu d'entraînement, en: Training fire}
    hazards: [wildfire]
    areas: [county]
    since: 2026-03-01T00:00:00Z
    until: 2026-03-03T00:00:00Z
    agency: rescue
"""


class Clock:
    """Says what time it is, until a test moves it."""

    def __init__(self, now: datetime = NIGHT) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **time: float) -> datetime:
        self.now += timedelta(**time)
        return self.now


@cache
def world(*, smtp: int = 1, hook: str = "http://127.0.0.1:1/") -> World:
    text = BUNDLE.replace("port: 1,", f"port: {smtp},").replace("@@HOOK@@", hook)
    return World.from_files("test", {"bundle.yaml": text})


def incident(**more: Any) -> Incident:
    given: dict[str, Any] = {
        "id": "inc-1",
        "status": "Exercise",
        "state": "open",
        "first_post_at": NIGHT - timedelta(minutes=4),
        "opened_at": NIGHT,
        "updated_at": NIGHT,
        "hazard": "industrial_fire",
        "tags": ("emerging_incident",),
        "severity": "Severe",
        "place": Place("Cholet", 47.06, -0.88, 4000, insee="49099", departement="49", confidence=0.9),
        "posts": 12,
        "voices": 9,
        "authors_known": 8,
        "evidence": ("file:1", "file:2", "file:3"),
    }
    return Incident(**(given | more))


def event(name: str = "new", at: datetime = NIGHT, **more: Any) -> IncidentEvent:
    one = incident(**({"revision": 1} | more))
    return IncidentEvent(f"{one.id}-{one.revision}", name, at, one, ("3 voices",), "file:1", at)  # type: ignore[arg-type]


def invented_posts() -> list[Post]:
    texts = (
        "Grosse fumée noire au-dessus de la zone, ça pique les yeux https://t.co/abc",
        "RT @voisine: on entend des détonations depuis le parking, restez chez vous",
        "@ami tu as vu l'entrepôt ? les flammes dépassent le toit",
    )
    return [Post(f"file:{n}", "file", text, NIGHT, NIGHT) for n, text in enumerate(texts, 1)]


def happens(db: Database, *events: IncidentEvent) -> None:
    """Detect tells of these events."""
    with db.write() as conn:
        incidents.put(conn, [one.incident for one in events])
        incidents.add_events(conn, events)


class Inbox:
    """What the SMTP server took; ``answers`` are given first, then 250."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.answers: list[str] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.answers:
            return self.answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append(envelope)
        return "250 OK"


class Receiver(ThreadingHTTPServer):
    """A webhook receiver; ``answers`` (status, headers, body) are given first, then 204."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.taken: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[tuple[int, dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/alerts"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((dict(self.headers), body))
        status, headers, answer = self.server.answers.pop(0) if self.server.answers else (204, {}, b"")
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        return
