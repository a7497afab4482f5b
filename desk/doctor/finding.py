"""What a look gives, and what it may look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from config.settings import Settings
from config.world import World
from store.database import Database

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """How one thing is: ``said`` in a sentence, ``do`` what a person does about it ("" where it is well)."""

    name: str
    level: Level
    said: str
    do: str = ""


@dataclass(frozen=True, slots=True)
class Patient:
    """The installation. ``db`` is None where the database cannot be opened or is of another version, ``world`` where
    neither a published configuration nor the folder loads. ``reach`` allows questions to other machines."""

    settings: Settings
    env: Mapping[str, str]
    now: datetime
    db: Database | None
    world: World | None
    reach: bool


Look = Callable[[Patient], Iterator[Finding]]
