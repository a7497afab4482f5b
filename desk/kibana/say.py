"""The words that Kibana shows, in French and English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from config.vocabulary import HAZARDS, LISTS
from desk.web.words import Lang
from desk.web.words import strings as desk_strings

FILE = Path(__file__).with_name("strings.yaml")
LANGS: tuple[Lang, ...] = ("fr", "en")


@cache
def strings() -> Mapping[str, Mapping[Lang, str]]:
    """Every text: key → language → text."""
    loaded = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


@dataclass(frozen=True, slots=True)
class Say:
    """The texts of one language."""

    lang: Lang

    def __call__(self, key: str) -> str:
        """The text of ``key``; KeyError where there is none."""
        return strings()[key][self.lang]

    def desk(self, prefix: str, *codes: str) -> dict[str, str]:
        """What the desk's page calls these codes: code → text of ``prefix.code``."""
        return {code: desk_strings()[f"{prefix}.{code}"][self.lang] for code in codes}

    def listed(self, name: str) -> dict[str, str]:
        """A closed list of the vocabulary: name → label."""
        return {key: getattr(text, self.lang) for key, text in LISTS[name].items()}

    def hazards(self) -> dict[str, str]:
        """The closed list of hazards: name → label."""
        return {name: getattr(hazard.label, self.lang) for name, hazard in HAZARDS.items()}
