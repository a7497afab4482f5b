"""The records by which Vigie watches over itself; rooms import them from :mod:`store.records`.

Every time is an aware ``datetime`` in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

GapState = Literal["open", "waiting", "filled", "partly", "lost"]


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which a source did not hear. ``ended_at`` is None while it lasts; ``filters`` are those that were deaf.

    ``state``: open (lasting), waiting (to be filled), filled, partly (as the source allows), lost (never can be).
    ``found`` counts the posts that filling kept; ``note`` says what was not filled, and why.
    """

    id: str
    source: str
    started_at: datetime
    ended_at: datetime | None
    reason: str
    filters: tuple[str, ...] = ()
    state: GapState = "open"
    found: int = 0
    settled_at: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class SetAside:
    """Something a stage could not deal with, after ``tries`` attempts: left out, so that the rest goes on."""

    stage: str
    key: str
    tries: int
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold: what ``subject`` names (``incident:ID``, ``post:ID``, ``all``) is not erased by age meanwhile."""

    id: str
    subject: str
    by: str
    reason: str
    legal_basis: str
    since: datetime
    until: datetime | None = None
    released_at: datetime | None = None
    released_by: str | None = None


@dataclass(frozen=True, slots=True)
class Anchor:
    """The ledger's head as somebody outside was told it: entry ``seq`` had ``digest``. ``place`` is where it went."""

    seq: int
    digest: str
    at: datetime
    place: str
    receipt: str = ""
