"""A fresh database, a clock that tests move, and makers of invented records."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from store.database import Database
from store.records import Acknowledgement, Alert, Annotation, Delivery, Incident, IncidentEvent, Place, Post, Scored

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now


class Make:
    """Invented records, each with what a test does not care about filled in."""

    def post(self, n: int = 1, text: str = "Fumée noire au-dessus de la zone", **more: Any) -> Post:
        at = NOON + timedelta(seconds=n)
        return Post(**{"id": f"file:{n}", "source": "file", "text": text, "created_at": at, "received_at": at, **more})

    def annotation(self, n: int = 1, **more: Any) -> Annotation:
        tags = {"rumour": 0.1, "public_order_threat": 0.0, "emerging_incident": 0.9}
        labels, hazard = ("emerging_incident",), Scored("fire", 0.8)
        given = {"lang": "fr", "depth": "fast", "about": 0.9, "relevance": 0.8, "tags": tags, "labels": labels}
        return Annotation(**{"post_id": f"file:{n}", "hazard": hazard, **given, **more})

    def incident(self, id: str = "i1", **more: Any) -> Incident:
        times = {"first_post_at": NOON, "opened_at": NOON, "updated_at": NOON}
        place = Place("Cholet", 47.06, -0.88, 4000.0, insee="49099")
        return Incident(**{"id": id, "status": "Exercise", "state": "open", "place": place, **times, **more})

    def event(self, id: str = "e1", **more: Any) -> IncidentEvent:
        return IncidentEvent(**{"id": id, "event": "new", "at": NOON, "incident": self.incident(), **more})

    def alert(self, id: str = "a1", **more: Any) -> Alert:
        given = {"incident_id": "i1", "event_id": "e1", "event": "new", "at": NOON, "lead": "sdis"}
        return Alert(**{"id": id, "incident": self.incident(), **given, **more})

    def delivery(self, id: str = "d1", **more: Any) -> Delivery:
        given = {"alert_id": "a1", "incident_id": "i1", "event": "new", "agency": "sdis", "role": "lead"}
        return Delivery(**{"id": id, "contact": "garde", "channel": "mail", "created_at": NOON, **given, **more})

    def acknowledgement(self, agency: str = "sdis", **more: Any) -> Acknowledgement:
        return Acknowledgement(
            **{"incident_id": "i1", "agency": agency, "by": "Maud", "at": NOON, "via": "link", **more}
        )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make() -> Make:
    return Make()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'vigie.db'}"


@pytest.fixture
def db(url: str, migrated: Path, clock: Clock) -> Iterator[Database]:
    shutil.copy(migrated, url.removeprefix("sqlite:///"))
    database = Database.open(url, clock=clock)
    yield database
    database.close()
