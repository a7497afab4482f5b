"""Generations of a family's indices: which one is asked, which is being built beside it, and how far that is.

Kept in the database, so that the feeder reads in one snapshot what has changed and where it must go: while a generation
is being built, every change goes to both. The alias moves once the new one is whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from store import state
from store.index.families import FAMILIES, Family

STATE = "index generations"
_PERIOD = r"\d{4}\.\d{2}(?:\.\d{2})?|all"


class Generation(NamedTuple):
    """Indices of one family that were filled together: the version of their mapping, and their number (0 at first)."""

    version: int
    number: int = 0

    def stem(self, family: Family, prefix: str) -> str:
        """What the names of its indices begin with, before the dash and the period."""
        rebuilt = f"-r{self.number}" if self.number else ""
        return f"{family.alias(prefix)}-v{self.version}{rebuilt}"

    def name(self, family: Family, prefix: str, at: datetime) -> str:
        """The name of its index for a document of that time."""
        return f"{self.stem(family, prefix)}-{family.period_of(at)}"


class Named(NamedTuple):
    """What the name of an index tells."""

    generation: Generation
    period: str


@dataclass(frozen=True, slots=True)
class Standing:
    """One family. ``live`` is what its alias leads to; ``building`` is being filled: its documents up to the key
    ``after`` are in, ``done`` of ``total``, of which it ``refused`` some. ``wanted`` says why a new generation must be
    built, None where none must; ``why`` is the same of the one that is being built."""

    live: Generation
    building: Generation | None = None
    after: tuple[Any, ...] | None = None
    done: int = 0
    total: int = 0
    refused: int = 0
    why: str | None = None
    wanted: str | None = None

    @property
    def targets(self) -> tuple[Generation, ...]:
        """Where every change must go."""
        return (self.live,) if self.building is None else (self.live, self.building)


def standing(conn: Connection, family: Family) -> Standing:
    """How the family stands; one that was never fed has its first generation live, and empty."""
    return known(conn, family) or Standing(Generation(family.version))


def known(conn: Connection, family: Family) -> Standing | None:
    """How the family stands, None where that was never written down."""
    kept = state.value(conn, STATE, family.name)
    return _of_json(kept) if kept else None


def put(conn: Connection, family: Family, new: Standing) -> None:
    """Remember how the family stands."""
    state.put(conn, STATE, {family.name: asdict(new)})


def ask(conn: Connection, family: Family, why: str) -> None:
    """Ask for a new generation: its indices were lost, its mapping changed, or somebody wants it. It is built by
    whoever feeds the index; one that is being built for another reason is begun anew."""
    put(conn, family, replace(standing(conn, family), wanted=why))


def unsettled(conn: Connection, families: Iterable[Family] = FAMILIES) -> Iterator[tuple[Family, Standing]]:
    """Those of ``families`` for which a generation is wanted or being built."""
    for family in families:
        found = standing(conn, family)
        if found.wanted or found.building:
            yield family, found


def named(index: str, family: Family, prefix: str) -> Named | None:
    """What the name of an index tells, None for one of another family."""
    found = re.fullmatch(rf"{re.escape(family.alias(prefix))}-v(\d+)(?:-r(\d+))?-({_PERIOD})", index)
    return Named(Generation(int(found[1]), int(found[2] or 0)), found[3]) if found else None


def _of_json(kept: dict[str, Any]) -> Standing:
    after, building = kept["after"], kept["building"]
    return Standing(
        **kept
        | {
            "live": Generation(*kept["live"]),
            "building": Generation(*building) if building else None,
            "after": None if after is None else tuple(after),
        }
    )
