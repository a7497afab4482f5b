"""What a trial plays: an invented day of posts with fires in several towns, and a bundle with three agencies."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import orjson

from desk.bench._posts import fires, texts

SOURCE = "recorded"
START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
HOURS = 8
WORSE = (
    "Deux morts dans l'incendie de l'entrepôt à {}, c'est terrible",
    "Incendie à {} : deux personnes décédées selon un pompier sur place",
    "On parle de deux morts et de blessés graves dans le feu de {}",
)
BUNDLE = """
name: {{fr: Épreuve, en: Trial}}
status: Exercise
policy: {policy}
default_lead: prefecture
agencies:
  - id: prefecture
    name: {{fr: Préfecture, en: Prefecture}}
    kind: prefecture_civil_protection
    contacts:
      - {{id: prefecture-duty, name: Cadre d'astreinte, channel: mail, address: prefecture@example.org}}
      - {{id: prefecture-system, name: Système d'alerte, channel: webhook, address: "http://127.0.0.1:{webhook}/p"}}
  - id: fire
    name: {{fr: Pompiers, en: Fire service}}
    kind: fire_rescue
    contacts:
      - {{id: fire-duty, name: Officier de permanence, channel: mail, address: fire@example.org}}
      - {{id: fire-system, name: Système d'alerte, channel: webhook, address: "http://127.0.0.1:{webhook}/f"}}
  - id: town
    name: {{fr: Ville, en: Town}}
    kind: city
    contacts:
      - {{id: town-duty, name: Astreinte de direction, channel: mail, address: town@example.org}}
rosters:
  - {{agency: town, shifts: [{{contacts: [town-duty], hours: {{from: "10:00", to: "18:00"}}}}]}}
channels:
  - {{id: mail, kind: mail, settings: {{host: 127.0.0.1, port: {mail}, from: vigie@example.org}}}}
  - {{id: webhook, kind: webhook, secrets: {{key: VIGIE_WEBHOOK_KEY}}}}
areas:
  - {{id: world, name: {{fr: Monde, en: World}}, world: true}}
ownership:
  - {{id: fires, topics: [fire, explosion], areas: [world], lead: fire, support: [town]}}
  - {{id: everything, topics: ["*"], areas: [world], lead: prefecture}}
gate: {{min_voices: 3, quiet_minutes: 30}}
sources:
  - {sources}
filters: [{filters}]
"""


def write_bundle(folder: Path, *, mail: int, webhook: int, sources: str, filters: str = "") -> None:
    """The bundle, whose channels end at these ports; ``sources`` and ``filters`` are YAML. No filters: all is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    policy = "filters" if filters else "keep_all"
    made = BUNDLE.format(mail=mail, webhook=webhook, sources=sources, filters=filters, policy=policy)
    (folder / "bundle.yaml").write_text(made, encoding="utf-8")


def write_posts(path: Path, draw: Random, number: int, burning: int) -> None:
    """A file of ``number`` everyday posts and the many voices on fires in ``burning`` towns, in the order of time."""
    said = [*_everyday(draw, number), *_fires(draw, burning)]
    said.sort(key=lambda each: each[0])
    path.write_bytes(b"\n".join(orjson.dumps(_line(at, text, count, draw)) for count, (at, text) in enumerate(said)))


def _everyday(draw: Random, number: int) -> Iterator[tuple[float, str]]:
    """Seconds from the start, and a text: mostly ordinary, some that speak of a harmful situation or seem to."""
    crisis, ordinary, alike = texts()
    for kind in draw.choices((crisis, alike, ordinary), (0.05, 0.1, 0.85), k=number):
        yield draw.uniform(0, 3600 * HOURS), draw.choice(kind)


def _fires(draw: Random, burning: int) -> Iterator[tuple[float, str]]:
    for town, said in islice(fires(draw), burning):
        began = draw.uniform(0, 3600 * (HOURS - 3))
        for number in range(draw.randint(5, 9)):
            yield began + 120 * number + draw.uniform(0, 60), f"{draw.choice(said)} ({number})"
        if draw.random() < 0.5:
            for number, text in enumerate(WORSE):
                yield began + 1500 + 120 * number, text.format(town.name)


def _line(at: float, text: str, number: int, draw: Random) -> dict[str, Any]:
    written = (START + timedelta(seconds=at)).isoformat()
    return {"id": f"t{number:05d}", "text": text, "created_at": written, "author": f"author-{draw.randrange(5000)}"}
