"""What can be asked of the posts, and what comes back, whichever engine answers.

Times are aware and in UTC, positions WGS 84 degrees. A post lies where the place of the event that was read in it with
the most confidence is, else where the platform says; one without a position is in no area and on no tile. ``lang`` is
the language that was read, else the one that the platform says; ``departement`` is that of the account, ``voice`` who
speaks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, get_args

from store.annotations import APART
from store.records import TAGS

Sort = Literal["newest", "oldest", "relevance"]
Field = Literal["source", "hazard", "need", "labels", "lang", "filters", "incident", "place", "voice", "departement"]
Step = Literal["minute", "hour", "day"]
After = tuple[int, int]
"""Where a page ended, to be handed back with the same words, conditions and order, and to the same engine: (created_at
in microseconds, seq) for newest and oldest; for relevance (how many posts came before, the newest seq of then)."""
Ring = tuple[tuple[float, float], ...]
AT_ONCE = 1000
"""Posts on one page, and values of :meth:`Engine.top`, at most."""
STEPS = 10_000
TILES = 10_000
ZOOM = 29
CORNERS = 500


@dataclass(frozen=True, slots=True)
class Area:
    """What somebody drew: the corners (lat, lon) of a simple polygon, closed or not.

    Raises ValueError below three corners, above :data:`CORNERS`, for a corner that is not on Earth, and for a border
    that crosses or touches itself: what lies inside of it is a matter of opinion."""

    ring: Ring

    def __post_init__(self) -> None:
        if not 3 <= len(set(self.ring)) <= CORNERS:
            raise ValueError(f"an area has at least three different corners (lat, lon), and at most {CORNERS}")
        if not all(abs(lat) <= 90 and abs(lon) <= 180 for lat, lon in self.ring):
            raise ValueError("a corner of the area is not on Earth: latitudes go to 90, longitudes to 180 degrees")
        from shapely import Polygon  # takes a tenth of a second, and few requests have an area

        if not Polygon(self.ring).is_valid:
            raise ValueError("the border of the area crosses or touches itself: draw a simple polygon")


@dataclass(frozen=True, slots=True)
class Query:
    """Which posts. Every condition that is given must be met.

    ``words``: each must be in the text, accents and case aside, the last one as a beginning; what stands between
    double quotes is a phrase. ``tag`` with ``least`` is its probability, without it the label. ``since`` is included,
    ``until`` is not; both are of ``created_at``. Without ``cleared`` the posts labelled public_order_threat are left
    out of everything, counts too, and that tag cannot be asked for.

    Raises ValueError for that, for a tag that is none of :data:`store.records.TAGS`, for ``least`` without a tag, a
    probability that is none, and a time without a zone.
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
    cleared: bool = True

    def __post_init__(self) -> None:
        if self.tag is not None and self.tag not in TAGS:
            raise ValueError(f"tag must be one of {', '.join(TAGS)}, not {self.tag!r}")
        if self.tag == APART and not self.cleared:
            raise ValueError(f"{APART} is not for everybody to ask for")
        if self.least is not None and self.tag is None:
            raise ValueError("a least probability needs the tag that it is of")
        for name in ("least", "about", "relevance"):
            p = getattr(self, name)
            if p is not None and not 0 <= p <= 1:
                raise ValueError(f"{name} is a probability from 0 to 1, not {p!r}")
        for name in ("since", "until"):
            at = getattr(self, name)
            if at is not None and at.tzinfo is None:
                raise ValueError(f"{name} needs its zone, this one has none: {at!r}; give an aware datetime in UTC")


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

    By relevance, equals come newest first; where no words are asked for, everything is equal. ``engine`` is who
    answered; ``behind`` counts the changes that it does not know yet."""

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
        """Posts by ``created_at``, from the first to the last, times without any included.

        Raises ValueError where that takes more than :data:`STEPS`."""
        ...

    def top(self, query: Query, field: Field, limit: int = 10) -> list[Count]:
        """The values that most posts have, equals by value; a post with several counts for each."""
        ...

    def tiles(self, query: Query, zoom: int) -> list[Tile]:
        """The tiles that hold posts, those with most first; ``zoom`` is 0 to :data:`ZOOM`; at most :data:`TILES`."""
        ...


class Away(Exception):
    """The engine cannot be reached, or cannot answer now; the message says why, for people."""


class Unfit(Away):
    """The engine is there and well, but this is not for it to answer; another may."""


@dataclass(frozen=True, slots=True)
class Answered:
    """Who answers now, and why it is not the one that is configured."""

    engine: str
    instead_of: str | None = None
    reason: str = field(default="")


def check(
    *,
    sort: str = "newest",
    limit: int = 1,
    after: After | None = None,
    step: str = "hour",
    field: str = "source",
    zoom: int = 0,
) -> None:
    """Raise ValueError, with what there is instead, for an order, a page, a step, a field or a zoom that is none.

    ``sort`` is the order that is followed: newest, not relevance, where no words are asked for."""
    for name, given, known in (("sort", sort, Sort), ("step", step, Step), ("field", field, Field)):
        if given not in get_args(known):
            raise ValueError(f"{name} must be one of {', '.join(get_args(known))}, not {given!r}")
    if not 1 <= limit <= AT_ONCE:
        raise ValueError(f"limit must be from 1 to {AT_ONCE}, not {limit}")
    if not 0 <= zoom <= ZOOM:
        raise ValueError(f"zoom must be from 0 to {ZOOM}, not {zoom}")
    if after is not None and not (
        len(after) == 2 and all(map(_whole, after)) and (sort != "relevance" or after[0] >= 0)
    ):
        raise ValueError(f"after must be what the page before said, not {after!r}")


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
