"""The terms of X's query language, each able to say whether a post matches.

Source: "Building rules for filtered stream" and "Building queries for Search" of the X API v2 documentation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt

from listeners.standin.tweet import Tweet, plain, tokens

EARTH_KM = 6371.0088
KM_PER_MILE = 1.609344


class Term:
    """Part of a query. ``alone`` says whether X accepts it without a companion."""

    alone: bool = True

    def matches(self, tweet: Tweet, *, accents: bool) -> bool:
        """Whether the post matches; ``accents`` is True for the stream, False for search."""
        raise NotImplementedError


@dataclass(frozen=True)
class Words(Term):
    """A keyword, or a quoted phrase: its words in a row."""

    exact: str
    folded: str

    @classmethod
    def of(cls, text: str) -> Words | None:
        """The term for these words, or None where no letter or digit is left."""
        found = tokens(text)
        exact = f" {' '.join(found)} "
        return cls(exact, plain(exact)) if found else None

    def matches(self, tweet: Tweet, *, accents: bool) -> bool:
        """Whether the words stand in a row in the post."""
        return self.exact in tweet.exact if accents else self.folded in tweet.folded


@dataclass(frozen=True)
class Hashtag(Term):
    """``#tag``: the whole hashtag."""

    tag: str

    def matches(self, tweet: Tweet, *, accents: bool) -> bool:
        """Whether the post bears the hashtag."""
        if accents:
            return self.tag in tweet.hashtags
        return plain(self.tag) in {plain(tag) for tag in tweet.hashtags}


@dataclass(frozen=True)
class Simple(Term):
    """An operator whose answer is one look at the post."""

    look: Callable[[Tweet], bool]
    alone: bool = True

    def matches(self, tweet: Tweet, *, accents: bool) -> bool:  # noqa: ARG002 -- same seam as words
        """Whether the look says yes."""
        return self.look(tweet)


@dataclass(frozen=True)
class Not(Term):
    """``-term``."""

    term: Term
    alone: bool = False

    def matches(self, tweet: Tweet, *, accents: bool) -> bool:
        """Whether the term does not match."""
        return not self.term.matches(tweet, accents=accents)


class And(Term):
    """Terms side by side: all must match; one that can stand alone carries the others."""

    def __init__(self, terms: list[Term]) -> None:
        self.terms = terms
        self.alone = any(term.alone for term in terms)

    def matches(self, tweet: Tweet, *, accents: bool) -> bool:
        """Whether all match."""
        return all(term.matches(tweet, accents=accents) for term in self.terms)


class Or(Term):
    """Terms joined with OR: one must match; each must be able to stand alone."""

    def __init__(self, terms: list[Term]) -> None:
        self.alone = all(term.alone for term in terms)
        words = [term for term in terms if isinstance(term, Words)]
        self._others = [term for term in terms if not isinstance(term, Words)]
        self._exact, self._folded = _Bag([one.exact for one in words]), _Bag([one.folded for one in words])

    def matches(self, tweet: Tweet, *, accents: bool) -> bool:
        """Whether one matches; words are looked up together, since a rule holds a hundred of them."""
        if accents and self._exact.found(tweet.exact, tweet.exact_words):
            return True
        if not accents and self._folded.found(tweet.folded, tweet.folded_words):
            return True
        return any(term.matches(tweet, accents=accents) for term in self._others)


class _Bag:
    """Words and phrases of which one must stand in a text; a phrase is looked for when its longest word is there."""

    def __init__(self, wanted: list[str]) -> None:
        parts = [one.split() for one in wanted]
        self._single = frozenset(words[0] for words in parts if len(words) == 1)
        self._phrases = [one for one, words in zip(wanted, parts, strict=True) if len(words) > 1]
        self._hints = frozenset(max(words, key=len) for words in parts if len(words) > 1)

    def found(self, text: str, words: frozenset[str]) -> bool:
        """Whether one of them stands in ``text``, whose words are ``words``."""
        if not self._single.isdisjoint(words):
            return True
        return not self._hints.isdisjoint(words) and any(phrase in text for phrase in self._phrases)


def in_radius(lon: float, lat: float, km: float) -> Callable[[Tweet], bool]:
    """Whether the point, or every corner of the place, lies within ``km`` of the centre."""

    def look(tweet: Tweet) -> bool:
        if (box := tweet.box) is None:
            return False
        west, south, east, north = box
        corners = ((west, south), (west, north), (east, south), (east, north))
        return all(distance_km(lat, lon, corner_lat, corner_lon) <= km for corner_lon, corner_lat in corners)

    return look


def in_box(west: float, south: float, east: float, north: float) -> Callable[[Tweet], bool]:
    """Whether the point, or the whole place, lies in the box."""

    def look(tweet: Tweet) -> bool:
        if (box := tweet.box) is None:
            return False
        return west <= box[0] and south <= box[1] and box[2] <= east and box[3] <= north

    return look


def distance_km(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Great-circle distance in kilometres between two points in degrees (haversine)."""
    a = sin(radians(lat2 - lat1) / 2) ** 2
    b = cos(radians(lat1)) * cos(radians(lat2)) * sin(radians(lon2 - lon1) / 2) ** 2
    return 2 * EARTH_KM * asin(sqrt(a + b))
