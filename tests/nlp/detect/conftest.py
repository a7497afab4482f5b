"""A street of posts for detection: a store, a world, and annotations made by hand."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from config.world import World
from nlp.detect import Memory, detect_stage
from store import annotations, changes, incidents, posts
from store.database import Database
from store.records import Annotation, Incident, IncidentEvent, Location, Post, Scored

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
CHOLET = Location("Cholet", 0, 6, "Cholet", "commune", "event", 47.06, -0.88, 6000.0, "FR", None, "49", "49099", 0.9)
SAUMUR = Location("Saumur", 0, 6, "Saumur", "commune", "event", 47.26, -0.08, 5000.0, "FR", None, "49", "49328", 0.9)
BUNDLE = """
name: {fr: Essai, en: Test}
policy: keep_all
default_lead: desk
agencies: [{id: desk, name: {fr: Pupitre, en: Desk}, kind: desk}]
areas: [{id: maine-et-loire, name: {fr: Maine-et-Loire, en: Maine-et-Loire}, departements: ["49"]}]
gate: {min_voices: 3, min_score: 0.5, window_minutes: 30, quiet_minutes: 60}
"""
OPERATION = """
operations:
  - id: flood-watch
    name: {fr: Crue, en: Flood}
    hazards: [flood]
    areas: [maine-et-loire]
    since: 2026-03-01T00:00:00Z
    until: 2026-03-10T00:00:00Z
    agency: desk
"""


def world(extra: str = "") -> World:
    return World.from_files("v1", {"bundle.yaml": BUNDLE + extra})


@dataclass
class Street:
    """Says posts, and lets detection look at them."""

    db: Database
    world: World = field(default_factory=world)
    late: timedelta = timedelta()
    minute: float = 0.0
    said: list[str] = field(default_factory=list)
    memory: Memory | None = None
    waiting: dict[str, Annotation] = field(default_factory=dict)

    def say(
        self,
        text: str,
        *,
        author: str | None = None,
        at: float | None = None,
        post: dict[str, Any] | None = None,
        wait: bool = False,
        **read: Any,
    ) -> str:
        """A post one minute after the last (or ``at`` minutes after the start), and what was understood of it.

        With ``wait`` that is understood only when :meth:`annotate` is called.
        """
        self.minute = self.minute + 1 if at is None else at
        time = START + timedelta(minutes=self.minute)
        id = f"test:{len(self.said)}"
        given = {"source": "test", "created_at": time, "received_at": time, "author": author, **(post or {})}
        understood = {
            "lang": "fr",
            "depth": "full",
            "about": 0.95,
            "relevance": 0.9,
            "tags": {"emerging_incident": 0.9, "rumour": 0.0, "public_order_threat": 0.0},
            "hazard": Scored("fire", 0.9),
            "locations": (CHOLET,),
            "when": "now",
            **read,
        }
        with self.db.write() as conn:
            posts.add(conn, [Post(id=id, text=text, **given)])
        self.said.append(id)
        self.waiting[id] = Annotation(post_id=id, **understood)
        if not wait:
            self.annotate(id)
        return id

    def annotate(self, id: str) -> None:
        with self.db.write() as conn:
            annotations.put(conn, [self.waiting.pop(id)])

    def forget(self, id: str) -> None:
        with self.db.write() as conn:
            posts.delete(conn, [id])

    def read_again(self) -> None:
        """What was said is annotated anew, a little differently."""
        with self.db.write() as conn:
            known = annotations.get(conn, self.said)
            annotations.put(conn, [replace(each, why=("again",), urgency=0.5) for each in known.values()])

    def look(self, *, limit: int = 512, restart: bool = False, after: float = 0.0) -> list[IncidentEvent]:
        """Run detection until nothing is left, ``after`` minutes past the last post; gives every event so far."""
        now = START + timedelta(minutes=self.minute + after) + self.late
        if self.memory is None:
            self.memory = Memory.load(self.db)
        while detect_stage(self.db, self.world, memory=self.memory, clock=lambda: now, limit=limit):
            if restart:
                self.memory = Memory.load(self.db)
        return self.events()

    def events(self) -> list[IncidentEvent]:
        with self.db.read() as conn:
            found = changes.after(conn, 0, ("incident_events",), 10_000)
            return list(incidents.events(conn, [each.key for each in found]).values())

    def incident(self, id: str) -> Incident:
        with self.db.read() as conn:
            found = incidents.get(conn, id)
        assert found
        return found

    def linked(self) -> dict[str, str]:
        with self.db.read() as conn:
            return incidents.incident_of(conn, self.said)


@pytest.fixture
def new_street(tmp_path: Path, migrated: Path) -> Iterator[Callable[..., Street]]:
    opened: list[Database] = []

    def make(extra: str = "") -> Street:
        file = shutil.copy(migrated, tmp_path / f"{len(opened)}.db")
        opened.append(Database.open(f"sqlite:///{file}"))
        return Street(opened[-1], world(extra))

    yield make
    for db in opened:
        db.close()


@pytest.fixture
def street(new_street: Callable[..., Street]) -> Street:
    return new_street()


@pytest.fixture
def saumur() -> Location:
    return SAUMUR


@pytest.fixture
def operation() -> str:
    return OPERATION


@pytest.fixture
def fire() -> tuple[str, ...]:
    """Different people on one fire, in their own words."""
    return (
        "Grosse fumée noire au-dessus de la zone industrielle de Cholet",
        "Un entrepôt brûle à Cholet, les flammes dépassent les toits",
        "On voit les flammes de l'entrepôt depuis la rocade de Cholet",
        "Cholet : les pompiers arrivent en nombre devant l'entrepôt",
        "Ça sent le plastique brûlé dans tout le quartier, Cholet",
        "Des explosions dans l'entrepôt qui brûle à Cholet, restez loin",
        "La police ferme la route de l'entrepôt à Cholet",
        "Toujours des flammes énormes sur la zone industrielle, Cholet",
        "Fumée épaisse sur Cholet ce matin, je ferme mes fenêtres",
    )
