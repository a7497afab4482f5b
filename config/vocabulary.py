"""The closed lists: hazards, needs, tags, levels and the words of CAP, each with its French and English label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import yaml

from config.bundle import Text

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Hazard:
    """One hazard: its name in messages and rules, its CAP 1.2 category, its labels."""

    name: str
    cap: str
    label: Text


def _hazards() -> Mapping[str, Hazard]:
    rows = yaml.safe_load((_HERE / "hazards.yaml").read_text(encoding="utf-8"))
    return MappingProxyType({r["name"]: Hazard(r["name"], r["cap"], Text(fr=r["fr"], en=r["en"])) for r in rows})


def _lists() -> Mapping[str, Mapping[str, Text]]:
    lists = yaml.safe_load((_HERE / "vocabulary.yaml").read_text(encoding="utf-8"))
    named = ((name, {r["name"]: Text(fr=r["fr"], en=r["en"]) for r in rows}) for name, rows in lists.items())
    return MappingProxyType({name: MappingProxyType(labels) for name, labels in named})


HAZARDS = _hazards()
LISTS = _lists()
NEEDS = LISTS["needs"]
TAGS = LISTS["tags"]
LEVELS = LISTS["levels"]
SEVERITIES = LISTS["severities"]
CERTAINTIES = LISTS["certainties"]
VERIFICATIONS = LISTS["verifications"]
TOPICS = (*HAZARDS, *TAGS)
