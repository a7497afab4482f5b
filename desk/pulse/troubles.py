"""What stands still, from the vitals: pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, get_args

from config.bundle import Bundle
from desk.pulse.ear import LISTENING
from desk.pulse.vitals import Vitals

Kind = Literal["database", "disk", "stopped", "hung", "deliveries", "blind", "deaf", "lag", "airflow"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""The gravest first."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that stands still. ``name`` says which stage, source or filter; ``since`` (UTC) is None where only the
    looks themselves can tell. ``channels`` are the ways out that do not work."""

    kind: Kind
    name: str = ""
    since: datetime | None = None
    detail: str = ""
    channels: frozenset[str] = field(default=frozenset(), compare=False)

    @property
    def code(self) -> str:
        """What makes it the same trouble at the next look."""
        return f"{self.kind}:{self.name}" if self.name else self.kind

    @classmethod
    def of_code(cls, code: str, since: datetime) -> Trouble:
        """The trouble that had this code."""
        kind, _, name = code.partition(":")
        return cls(next(one for one in KINDS if one == kind), name, since)


def of_vitals(vitals: Vitals, bundle: Bundle, stalled: timedelta) -> Iterator[Trouble]:
    """Every trouble that the store shows; ``stalled`` is how old what waits may be."""
    now = vitals.at
    for stage in vitals.stages:
        if not stage.held(now):
            yield Trouble("stopped", stage.name, stage.lease.expires_at if stage.lease else None)
        elif stage.hung(now) and stage.reading:
            yield Trouble("hung", stage.name, stage.reading.at)
        elif stage.behind_since and now - stage.behind_since >= stalled:
            yield Trouble("lag", stage.name, stage.behind_since, str(stage.lag))
    if vitals.unsent:
        yield Trouble("deliveries", "", vitals.unsent_since, ", ".join(vitals.unsent), frozenset(vitals.unsent))
    yield from _ears(vitals, bundle)


def _ears(vitals: Vitals, bundle: Bundle) -> Iterator[Trouble]:
    declared = {one.id for one in bundle.sources if one.enabled and one.kind in LISTENING}
    off = [one for one in vitals.sources if one.source in declared and one.source not in vitals.hearing.on]
    if declared and not vitals.hearing.on and off:
        reasons = "; ".join(dict.fromkeys(one.reason for one in off if one.reason))
        yield Trouble("blind", "", max(one.since for one in off), reasons)
    for deaf in vitals.hearing.deaf:
        counts = f"{deaf.received}/{deaf.expected:.0f}"
        yield Trouble("deaf", f"{deaf.kind}:{deaf.id}", deaf.since, counts)
