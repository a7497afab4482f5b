from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from config.areas import Areas
from config.bundle import Bundle
from config.filters import Matcher
from config.settings import Settings, settings
from config.world import World
from desk.pulse.vitals import STAGES
from desk.web.app import create_app
from store import alerts, annotations, incidents, leases, ledger, outbox, posts, sources
from store.database import Database
from store.records import (
    Acknowledgement,
    Alert,
    Annotation,
    Delivery,
    Incident,
    LedgerEntry,
    Place,
    Post,
    Scored,
    SourceHealth,
)

NOW = datetime(2027, 2, 11, 2, 12, 40, tzinfo=UTC)
CHOLET = Place("Cholet", 47.06, -0.878, 5200.0, "commune", "49099", "49", "FR", 0.9)
SAUMUR = Place("Saumur", 47.26, -0.077, 4700.0, "commune", "49328", "49", "FR", 0.9)


def ago(**length: float) -> datetime:
    return NOW - timedelta(**length)


def bundle(status: str = "Actual", **more: object) -> Bundle:
    def agency(id: str, fr: str, en: str, channel: str) -> dict[str, object]:
        contact = {"id": f"{id}-duty", "name": f"Astreinte {fr}", "channel": channel, "address": f"{id}@example.test"}
        return {"id": id, "name": {"fr": fr, "en": en}, "kind": "generic", "contacts": [contact]}

    return Bundle.model_validate(
        {
            "name": {"fr": "Maine-et-Loire", "en": "Maine-et-Loire"},
            "status": status,
            "default_lead": "prefecture",
            "areas": [{"id": "dept", "name": {"fr": "Maine-et-Loire", "en": "Maine-et-Loire"}, "departements": ["49"]}],
            "agencies": [
                agency("prefecture", "Préfecture", "Prefecture", "mail"),
                agency("fire", "Sapeurs-pompiers", "Fire and rescue", "mail"),
                agency("police", "Police nationale", "Police", "webhook"),
                agency("health", "Agence de santé", "Health agency", "mail"),
            ],
            **more,
        }
    )


def world_of(bundle: Bundle) -> World:
    areas = Areas(bundle)
    return World(bundle, "0123456789ab", Matcher(bundle, areas), areas)


class Desk:
    """A desk on a store with invented incidents; ``client`` is a browser without script."""

    def __init__(self, home: Path, bundle: Bundle, migrated: Path, **env: str) -> None:
        self.now, self.world = NOW, world_of(bundle)
        self.settings: Settings = settings({"VIGIE_HOME": str(home), **env})
        shutil.copy(migrated, home / "vigie.db")
        self.db = Database.open(f"sqlite:///{home / 'vigie.db'}")
        self.app = create_app(
            self.db, self.settings, lambda: self.now, world=lambda: self.world, interval=0.05, beat=1.0
        )
        self.later(timedelta(0))
        self.client = TestClient(self.app, base_url="http://127.0.0.1:8710", raise_server_exceptions=False)

    def later(self, length: timedelta) -> None:
        """Time passes, with every stage still running."""
        self.now += length
        for stage in STAGES:
            leases.acquire(self.db, stage, "test", self.now)

    def incident(self, id: str = "inc-1", **changed: object) -> Incident:
        made = replace(INCIDENT, id=id, **changed)
        with self.db.write() as conn:
            incidents.put(conn, [made])
        return made

    def post(
        self,
        id: str,
        text: str,
        incident: str | None = None,
        *,
        why: tuple[str, ...] = (),
        labels: tuple[str, ...] = ("emerging_incident",),
        **changed: object,
    ) -> Post:
        made = replace(POST, id=id, text=text, **changed)
        with self.db.write() as conn:
            posts.add(conn, [made])
            annotations.put(conn, [replace(ANNOTATION, post_id=id, why=why, labels=labels)])
            if incident:
                incidents.link(conn, incident, [id])
        return made

    def alert(self, incident: Incident, **changed: object) -> Alert:
        known = {"id": f"alert-{incident.id}", "incident_id": incident.id, "incident": incident}
        made = replace(ALERT, **(known | changed))
        with self.db.write(durable=True) as conn:
            alerts.add(conn, [made])
            ledger.append(conn, [LedgerEntry(made.at, "alert", made.id, "vigie", {"lead": made.lead})])
        return made

    def deliver(self, alert: Alert, agency: str, **changed: object) -> Delivery:
        made = replace(
            DELIVERY,
            id=f"{alert.id}-{agency}",
            alert_id=alert.id,
            incident_id=alert.incident_id,
            agency=agency,
            contact=f"{agency}-duty",
            role="lead" if agency == alert.lead else "support",
            **changed,
        )
        with self.db.write(durable=True) as conn:
            outbox.add(conn, [made])
        return made

    def acknowledge(self, incident: str, agency: str) -> None:
        with self.db.write(durable=True) as conn:
            outbox.acknowledge(conn, Acknowledgement(incident, agency, "Officier de garde", ago(seconds=50), "link"))

    def source(self, name: str, **changed: object) -> None:
        with self.db.write() as conn:
            sources.report(conn, replace(HEALTH, source=name, **changed))

    def text(self, path: str = "/") -> str:
        return self.client.get(path).text

    def token(self) -> str:
        return self.text("/report").partition('name="token" value="')[2].partition('"')[0]


INCIDENT = Incident(
    id="inc-1",
    status="Actual",
    state="open",
    first_post_at=ago(minutes=6),
    opened_at=ago(minutes=4),
    updated_at=ago(seconds=40),
    hazard="industrial_fire",
    tags=("emerging_incident",),
    severity="Severe",
    urgency="Immediate",
    place=CHOLET,
    posts=12,
    voices=9,
    authors_known=8,
    why=("entrepôt", "fumée noire"),
)
POST = Post("file:1", "file", "", ago(minutes=5), ago(minutes=5), "fr")
ANNOTATION = Annotation(
    "file:1", "fr", "full", 0.9, 0.9, {}, ("emerging_incident",), Scored("industrial_fire", 0.8), source="eyewitness"
)
ALERT = Alert(
    "alert-1", "inc-1", "event-1", "new", ago(minutes=3), INCIDENT, "fire", ("prefecture",), ("règle incendie × 49",)
)
DELIVERY = Delivery(
    "d", "alert-1", "inc-1", "new", "fire", "lead", "fire-duty", "mail", ago(minutes=3), "sent", 1, None,
    ago(minutes=3), ago(seconds=178),
)  # fmt: skip
STREAM = {"id": "x-flux", "kind": "x_stream"}
FIRE = {"id": "feu", "purpose": "Hear of fires anywhere", "keywords": ["feu"], "where": "anywhere"}
HEALTH = SourceHealth("x-stream", "on", "", ago(hours=1), ago(seconds=12), 4210, 318)


@pytest.fixture
def desk(tmp_path: Path, migrated: Path) -> Iterator[Desk]:
    made = Desk(tmp_path, bundle(), migrated)
    yield made
    made.db.close()


@pytest.fixture
def indexed(tmp_path: Path, migrated: Path) -> Iterator[Desk]:
    """A desk of an installation with a cluster to feed, which never answers here."""
    made = Desk(tmp_path, bundle(), migrated, VIGIE_ELASTICSEARCH="http://127.0.0.1:9")
    yield made
    made.db.close()


@pytest.fixture
def judged(tmp_path: Path, migrated: Path) -> Iterator[Desk]:
    """A desk whose bundle declares a stream and a filter, which are compared with their past."""
    made = Desk(tmp_path, bundle(sources=[STREAM], filters=[FIRE]), migrated)
    yield made
    made.db.close()


@pytest.fixture
def drill(tmp_path: Path, migrated: Path) -> Iterator[Desk]:
    made = Desk(tmp_path, bundle("Exercise", sources=[STREAM]), migrated)
    yield made
    made.db.close()


@pytest.fixture
def playing(tmp_path: Path, migrated: Path) -> Iterator[Desk]:
    """The bundled drill plays, under a bundle that is not an exercise."""
    made = Desk(tmp_path, bundle(), migrated, VIGIE_STATUS="Exercise")
    yield made
    made.db.close()
