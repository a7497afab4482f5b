"""What can be asked of the posts, and what comes back, whichever engine answers.

Times are aware and in UTC, positions WGS 84 degrees. A post lies where the place read in it is, else where the platform
says; one without a position is in no area and on no tile.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

Sort = Literal["newest", "oldest", "relevance"]
Field = Literal["source", "hazard", "need", "labels", "lang", "filters", "incident", "place", "voice", "departement"]
Step = Literal["minute", "hour", "day"]
After = tuple[float | int | str, ...]
"""Where a page ended: opaque, to be handed back with the same words, conditions and order."""
Ring = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Area:
    """What somebody drew: the corners (lat, lon) of a simple polygon, closed or not. Raises ValueError below three."""

    ring: Ring

    def __post_init__(self) -> None:
        if len(set(self.ring)) < 3:
            raise ValueError("an area has at least three different corners (lat, lon)")


@dataclass(frozen=True, slots=True)
class Query:
    """Which posts. Every condition that is given must be met.

    ``words``: each must be in the text, accents and case aside, the last one as a beginning; what stands between
    double quotes is a phrase. ``tag`` with ``least`` is its probability, without it the label. ``since`` is included,
    ``until`` is not; both are of ``created_at``.
    """

    words: str = ""
    tag: str | None = None
    least: float | None = None
    about: float | None = None
    relevance: float | None = None
    hazard: str | None = None
    incident: str | None = None
    source: str | None = None
    filter: str | None = None
    lang: str | None = None
    area: Area | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a word that was asked for stands in the text; offsets count Unicode code points, ``end`` not included."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Found:
    """A post that was found, by its id, with the marks of the words and, for order by relevance, a score."""

    post_id: str
    marks: tuple[Mark, ...] = ()
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Posts in the order asked for; ``after`` asks for the next page, None at the end; ``total`` counts all that match.

    ``engine`` is who answered; ``behind`` counts the changes that it does not know yet."""

    found: tuple[Found, ...]
    total: int
    after: After | None = None
    engine: str = ""
    behind: int = 0


@dataclass(frozen=True, slots=True)
class Count:
    """How many posts share a value, or lie between ``key`` and the next one (a UTC time in ISO form)."""

    key: str
    posts: int


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile of the map (``zoom/x/y`` of the usual web map) with its posts and their mean position."""

    key: str
    posts: int
    lat: float
    lon: float


class Engine(Protocol):
    """Who answers. Each call raises :class:`Away` while the engine cannot be asked, ValueError for what nobody can."""

    @property
    def name(self) -> str:
        """``sqlite`` or ``elasticsearch``."""
        ...

    def search(self, query: Query, *, sort: Sort = "newest", limit: int = 50, after: After | None = None) -> Page:
        """One page."""
        ...

    def histogram(self, query: Query, step: Step) -> list[Count]:
        """Posts by ``created_at``, from the first to the last, times without any included; at most 10,000 steps."""
        ...

    def top(self, query: Query, field: Field, limit: int = 10) -> list[Count]:
        """The values that most posts have, equals by value; a post with several counts for each."""
        ...

    def tiles(self, query: Query, zoom: int) -> list[Tile]:
        """The tiles that hold posts, those with most first; ``zoom`` is 0 to 29; at most 10,000."""
        ...


class Away(Exception):
    """The engine cannot be reached, or cannot answer now; the message says why, for people."""


@dataclass(frozen=True, slots=True)
class Answered:
    """Who answers now, and why it is not the one that is configured."""

    engine: str
    instead_of: str | None = None
    reason: str = field(default="")
