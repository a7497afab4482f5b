"""The words of messages and of the acknowledgement page, in French and English, and how times are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml

from config import vocabulary
from config.bundle import Text

FILE = Path(__file__).with_name("phrases.yaml")


@cache
def phrases() -> Mapping[str, Text]:
    """Every phrase: key → text in both languages, with ``{name}`` holes."""
    rows = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {key: Text(**row) for key, row in rows.items()}


@dataclass(frozen=True, slots=True)
class Wording:
    """The phrases of one language (``fr`` or ``en``), and times on the clock of ``zone``."""

    language: str
    zone: str

    def say(self, key: str, **holes: object) -> str:
        """The phrase of ``key`` with its holes filled; KeyError where there is none."""
        return self.of(phrases()[key]).format(**holes)

    def count(self, key: str, n: int) -> str:
        """The phrase for ``n`` things."""
        single = n == 1 or (n == 0 and self.language == "fr")
        return self.say(f"{key}.one").replace("1", str(n), 1) if single else self.say(f"{key}.many", n=n)

    def of(self, text: Text) -> str:
        """A bilingual text in this language."""
        return text.en if self.language == "en" else text.fr

    def clock(self, at: datetime, now: datetime) -> str:
        """Local time of ``at``: 03:12, with the day before it where ``now`` is on another day."""
        zone = ZoneInfo(self.zone)
        local, today = at.astimezone(zone), now.astimezone(zone)
        return f"{local:%H:%M}" if local.date() == today.date() else f"{local:%d/%m %H:%M}"

    def ago(self, at: datetime, now: datetime) -> str:
        """How long before ``now`` the time ``at`` was, in minutes, hours or days."""
        minutes = max(0, int((now - at).total_seconds() // 60))
        if minutes < 120:
            return self.say("minutes", n=minutes)
        return self.say("hours", n=minutes // 60) if minutes < 2880 else self.say("days", n=minutes // 1440)

    def hazard(self, name: str | None) -> str:
        """The label of a hazard."""
        known = vocabulary.HAZARDS.get(name or "")
        return self.of(known.label) if known else self.say("situation")

    def label(self, labels: Mapping[str, Text], name: str) -> str:
        """The label of a name of a closed list, as it stands in a sentence."""
        return self.of(labels[name]).lower() if name in labels else name
