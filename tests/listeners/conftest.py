from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.world import World
from store.database import Database

sys.path.insert(0, str(Path(__file__).parent))

BUNDLE = """
name: {fr: Essai, en: Trial}
default_lead: prefecture
status: Actual
agencies:
  - {id: prefecture, name: {fr: Préfecture, en: Prefecture}, kind: prefecture}
areas:
  - {id: anjou, name: {fr: Anjou, en: Anjou}, departements: ["49"]}
  - {id: cholet, name: {fr: Cholet, en: Cholet}, circle: {lat: 47.06, lon: -0.88, radius_km: 12}}
  - {id: world, name: {fr: Monde, en: World}, world: true}
filters:
  - id: fire
    purpose: Hear of fires near Cholet before the first call
    keywords: [fumée, incendie, "feu d'entrepôt"]
    without: [barbecue]
    languages: [fr]
    areas: [cholet]
    topics: [fire]
  - id: flood
    purpose: Hear of floods anywhere in the département
    keywords: [inondation, crue]
    with: [évacuation, urgence]
    areas: [anjou]
    where: either
  - id: smoke-anywhere
    purpose: Hear of smoke in English, wherever it is
    keywords: [black smoke]
    where: anywhere
accounts:
  - {platform: x, id: "4242", name: SDIS 49, trusted: true}
"""


@pytest.fixture(scope="session")
def world() -> World:
    return World.from_files("v1", {"bundle.yaml": BUNDLE})


@pytest.fixture
def db(tmp_path: Path, migrated: Path) -> Iterator[Database]:
    shutil.copy(migrated, tmp_path / "vigie.db")
    database = Database.open(f"sqlite:///{tmp_path}/vigie.db")
    yield database
    database.close()
