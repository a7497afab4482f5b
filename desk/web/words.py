"""The words on the screen, in French and English, and how times and numbers are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import yaml

Lang = Literal["fr", "en"]
FILE = Path(__file__).with_name("strings.yaml")


@cache
def strings() -> Mapping[str, Mapping[str, str]]:
    """Every text of the page: key → language → text with ``{name}`` holes."""
    loaded = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of one language, and times in one zone as seen at ``now`` (UTC)."""

    lang: Lang
    zone: ZoneInfo
    now: datetime

    def say(self, key: str, **holes: object) -> str:
        """The text of ``key`` with its holes filled; KeyError where there is none."""
        return strings()[key][self.lang].format(**holes)

    def known(self, key: str, otherwise: str) -> str:
        """The text of ``key``, or ``otherwise`` where there is none: for codes that other rooms may add to."""
        return self.say(key) if key in strings() else otherwise

    def count(self, key: str, n: int, **holes: object) -> str:
        """The text for ``n`` things: ``key.one`` for one (in French also for none), else ``key.many``."""
        single = n == 1 or (n == 0 and self.lang == "fr")
        return self.say(f"{key}.{'one' if single else 'many'}", n=self.number(n), **holes)

    def names(self, prefix: str, keys: Iterable[str]) -> str:
        """The texts of ``prefix.key`` for every key, with commas between."""
        return ", ".join(self.say(f"{prefix}.{key}") for key in keys)

    def number(self, n: float) -> str:
        """A number as people of the language group it."""
        n = round(n, 1)
        text = f"{n:,.0f}" if n >= 10 or n == int(n) else f"{n:.1f}"
        return text if self.lang == "en" else text.translate({ord(","): "\u202f", ord("."): ","})

    def clock(self, at: datetime, *, seconds: bool = False) -> str:
        """``at`` in local time: 03:12, or with the day where it is not today."""
        local, today = at.astimezone(self.zone), self.now.astimezone(self.zone)
        time = f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"
        if local.date() == today.date():
            return time
        day = f"{local.day} {self.say(f'month.{local.month}')}"
        return f"{day} {time}" if local.year == today.year else f"{day} {local.year} {time}"

    def day(self, at: datetime) -> str:
        """The day of ``at`` in local time: 3 févr."""
        local = at.astimezone(self.zone)
        return f"{local.day} {self.say(f'month.{local.month}')}"

    def ago(self, at: datetime) -> str:
        """How long ago ``at`` was: ``il y a 4 min``."""
        return self.say("ago", span=self.span(self.now - at))

    def span(self, length: timedelta) -> str:
        """A length of time in two figures at most; below zero counts as zero."""
        seconds = max(0, int(length.total_seconds()))
        if seconds < 60:
            return f"{seconds} s"
        minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
        if minutes < 60:
            return f"{minutes} min"
        if hours < 24:
            return f"{hours} h {minutes % 60:02d}"
        return self.say("days", n=days)

    def km(self, metres: float) -> str:
        """A distance: metres below one kilometre."""
        return f"{metres:.0f} m" if metres < 1000 else f"{self.number(round(metres / 1000, 1))} km"
