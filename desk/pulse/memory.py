"""What the watchdog remembers across its own restarts: a small JSON file in the home, past the database."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from store import times

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Memory:
    """``began`` is since when the watchdog has looked without a break, ``looked_at`` its last look (UTC); ``well``
    says whether nothing stood still at some look since.

    ``seen``: trouble → when it began; ``told``: the same of those that were told, until all is well; ``told_at``: when,
    last; ``reached``: who was told; ``number`` counts messages.
    """

    began: datetime
    looked_at: datetime
    seen: dict[str, datetime] = field(default_factory=dict)
    told: dict[str, datetime] = field(default_factory=dict)
    told_at: datetime | None = None
    reached: list[str] = field(default_factory=list)
    number: int = 0
    well: bool = False

    def forget(self) -> None:
        """All is well again, and everybody knows."""
        self.told, self.told_at, self.reached = {}, None, []


def load(path: Path, now: datetime) -> Memory:
    """What was kept; a fresh memory where nothing was, or nothing that can be read."""
    try:
        return _of_json(orjson.loads(path.read_bytes())) if path.exists() else Memory(now, now)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("what the watchdog remembered cannot be read (%s): it begins anew", error)
        return Memory(now, now)


def save(path: Path, memory: Memory) -> None:
    """Keep it, whole or not at all. A disk that is full is logged, and what is in memory goes on."""
    fresh = path.with_suffix(".new")
    try:
        fresh.write_bytes(orjson.dumps(_to_json(memory), option=orjson.OPT_INDENT_2))
        os.replace(fresh, path)
    except OSError as error:
        log.error("the watchdog cannot keep what it told: %s", error)


def _to_json(memory: Memory) -> dict[str, Any]:
    return {
        "began": times.to_iso(memory.began),
        "looked_at": times.to_iso(memory.looked_at),
        "seen": {code: times.to_iso(at) for code, at in memory.seen.items()},
        "told": {code: times.to_iso(at) for code, at in memory.told.items()},
        "told_at": memory.told_at and times.to_iso(memory.told_at),
        "reached": memory.reached,
        "number": memory.number,
        "well": memory.well,
    }


def _of_json(value: Mapping[str, Any]) -> Memory:
    return Memory(
        began=times.from_iso(value["began"]),
        looked_at=times.from_iso(value["looked_at"]),
        seen={code: times.from_iso(at) for code, at in value["seen"].items()},
        told={code: times.from_iso(at) for code, at in value["told"].items()},
        told_at=times.from_iso(value["told_at"]) if value["told_at"] else None,
        reached=list(value["reached"]),
        number=int(value["number"]),
        well=bool(value["well"]),
    )
