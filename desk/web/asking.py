"""What an analyst asks for, read from what came with the request: a query, or what is wrong with it, field by field."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar, get_args
from zoneinfo import ZoneInfo

from config.vocabulary import HAZARDS
from desk.web.clearance import THREAT
from desk.web.evidence import readable
from store.records import TAGS
from store.search.either import ENGINES
from store.search.request import CORNERS, After, Area, Query, Sort, check
from store.search.words import LONGEST, MOST, terms

FIELDS = (
    *("q", "tag", "least", "about", "relevance", "hazard", "incident", "source", "filter", "language"),
    *("since", "until", "area", "sort", "after", "by"),
)
"""What can be asked with. ``language`` is that of the posts: ``lang`` is that of the page."""
T = TypeVar("T", bound=str)
LONGEST_NAME = 200
SORTS: tuple[Sort, ...] = get_args(Sort)
_NUMBER = re.compile(r"-?\d{1,3}(?:\.\d{1,12})?")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field: ``why`` is a key of the page's texts, after ``search.bad.``."""

    field: str
    why: str
    given: str


@dataclass(frozen=True, slots=True)
class Asked:
    """``given`` is what was typed, for the form; ``query`` stands on what could be read, without the fields that have
    ``problems``. ``after`` and ``by`` are where the page before ended and who answered it."""

    given: Mapping[str, str]
    query: Query
    sort: Sort = "newest"
    after: After | None = None
    by: str | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def anything(self) -> bool:
        """Whether something is asked at all: a form that was sent empty asks for everything, by its order."""
        return any(self.given.values())


def read(params: Mapping[str, str], zone: ZoneInfo, *, cleared: bool) -> Asked:
    """``params`` as a request; other names than :data:`FIELDS` mean nothing. Times without a zone are of ``zone``."""
    return _Reader(params, zone, cleared).asked()


class _Reader:
    def __init__(self, params: Mapping[str, str], zone: ZoneInfo, cleared: bool) -> None:
        self._given = {name: readable(params.get(name, "")) for name in FIELDS}
        self._zone, self._cleared = zone, cleared
        self._problems: list[Problem] = []

    def asked(self) -> Asked:
        tag, least = self._tag(), self._probability("least")
        if least is not None and not self._given["tag"]:
            self._wrong("least", "alone")
        since, until = self._time("since"), self._time("until")
        if since and until and since >= until:
            self._wrong("until", "order")
        query = Query(
            words=self._words(), tag=tag, least=least if tag else None, about=self._probability("about"),
            relevance=self._probability("relevance"), hazard=self._hazard(), incident=self._name("incident"),
            source=self._name("source"), filter=self._name("filter"), lang=self._name("language"),
            area=self._area(), since=since, until=until, cleared=self._cleared,
        )  # fmt: skip
        sort: Sort = self._one_of("sort", SORTS) or "newest"
        by = self._one_of("by", ENGINES)
        after = self._after(sort, query)
        if after and not by:
            self._wrong("after", "after")
        return Asked(self._given, query, sort, after, by, tuple(self._problems))

    def _wrong(self, field: str, why: str) -> None:
        self._problems.append(Problem(field, why, self._given[field][:80]))

    def _words(self) -> str:
        words = self._given["q"]
        try:
            terms(words)
        except ValueError:
            self._wrong("q", "words")
            return ""
        return words

    def _tag(self) -> str | None:
        tag = self._given["tag"]
        if tag == THREAT and not self._cleared:
            self._wrong("tag", "reserved")
            return None
        return self._one_of("tag", TAGS)

    def _hazard(self) -> str | None:
        return self._one_of("hazard", HAZARDS.keys())

    def _one_of(self, field: str, known: Collection[T]) -> T | None:
        value = self._given[field]
        found = next((one for one in known if one == value), None)
        if value and found is None:
            self._wrong(field, field)
        return found

    def _name(self, field: str) -> str | None:
        value = self._given[field]
        if len(value) > LONGEST_NAME:
            self._wrong(field, "long")
            return None
        return value or None

    def _probability(self, field: str) -> float | None:
        value = self._given[field].replace(",", ".")
        if not value:
            return None
        if not _NUMBER.fullmatch(value) or not 0 <= float(value) <= 1:
            self._wrong(field, "probability")
            return None
        return float(value)

    def _time(self, field: str) -> datetime | None:
        value = self._given[field]
        if not value:
            return None
        try:
            at = datetime.fromisoformat(value)
            return (at if at.tzinfo else at.replace(tzinfo=self._zone)).astimezone(UTC)
        except (ValueError, OverflowError):
            self._wrong(field, "time")
            return None

    def _area(self) -> Area | None:
        value = self._given["area"]
        if not value:
            return None
        try:
            return area(value)
        except ValueError:
            self._wrong("area", "area")
            return None

    def _after(self, sort: Sort, query: Query) -> After | None:
        value = self._given["after"]
        if not value:
            return None
        try:
            at, seq = (int(one) for one in value.split(","))
            check(sort=sort if sort != "relevance" or terms(query.words) else "newest", after=(at, seq))
        except ValueError:
            self._wrong("after", "after")
            return None
        return at, seq


def area(typed: str) -> Area:
    """Corners ``latitude,longitude`` with spaces or semicolons between: two are those of a rectangle.

    Raises ValueError for anything else, and for what is no :class:`Area`."""
    corners = [tuple(one.split(",")) for one in typed.replace(";", " ").split()]
    if not all(len(one) == 2 and all(_NUMBER.fullmatch(part) for part in one) for one in corners):
        raise ValueError(f"corners are latitude,longitude with spaces between, not {typed!r}")
    ring = [(float(lat), float(lon)) for lat, lon in corners]
    if len(ring) == 2:
        (south, west), (north, east) = ring
        ring = [(south, west), (south, east), (north, east), (north, west)]
    return Area(tuple(ring))


HOLES = {"longest": LONGEST, "most": MOST, "corners": CORNERS}
"""What the texts about problems say besides what was given."""
