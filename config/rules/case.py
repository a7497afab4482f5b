"""The bundle under examination, as every rule receives it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from config.areas import Areas
from config.bundle import Bundle
from config.faults import Fault
from config.load import Joined, KeyPath
from store import times


@dataclass(frozen=True)
class Case:
    """A typed bundle under examination: ``now`` is an aware moment, the present by default."""

    bundle: Bundle
    source: Joined
    at: datetime | None = field(default=None)

    @cached_property
    def now(self) -> datetime:
        """The moment that decides what is over."""
        return self.at or times.now()

    @cached_property
    def areas(self) -> Areas:
        """What the areas cover."""
        return Areas(self.bundle)

    def error(self, path: KeyPath, message: str, advice: str) -> Fault:
        """A fault that keeps the bundle from being used."""
        return self.source.fault(path, message, advice)

    def warning(self, path: KeyPath, message: str, advice: str) -> Fault:
        """A fault that somebody should look at."""
        return self.source.fault(path, message, advice, warning=True)
