"""A post as the stand-in holds it, seen the two ways in which X matches words."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

_TOKEN = re.compile(r"\w+")
_HASHTAG = re.compile(r"[#＃](\w+)")
_MENTION = re.compile(r"[@＠](\w+)")
_LINK = re.compile(r"https?://\S+")


def tokens(text: str) -> list[str]:
    """The lower-case words of a text as the stream sees them: accents count, punctuation separates."""
    return _TOKEN.findall(unicodedata.normalize("NFC", text).lower())


def plain(word: str) -> str:
    """A word without accents, as search sees it."""
    spread = unicodedata.normalize("NFKD", word.replace("œ", "oe").replace("æ", "ae"))
    return "".join(char for char in spread if not unicodedata.combining(char))


@dataclass(frozen=True)
class User:
    """An account. ``id`` is a decimal string, as X gives."""

    id: str
    username: str
    name: str
    location: str | None = None


@dataclass(frozen=True)
class Place:
    """A place object: ``bbox`` is west, south, east, north in degrees."""

    id: str
    full_name: str
    country_code: str
    bbox: tuple[float, float, float, float]


@dataclass(frozen=True)
class Tweet:
    """One post of the file with the id and the time (UTC) that the stand-in gave it."""

    id: str
    text: str
    created_at: datetime
    user: User
    lang: str = "und"
    point: tuple[float, float] | None = None
    place: Place | None = None
    reply_to: Tweet | None = field(default=None, repr=False)
    retweet_of: Tweet | None = field(default=None, repr=False)
    quote_of: Tweet | None = field(default=None, repr=False)
    earlier: tuple[str, ...] = ()
    """Ids of the versions before this one, oldest first."""

    @cached_property
    def exact(self) -> str:
        """The words with accents, each between spaces."""
        return f" {' '.join(tokens(self.text))} "

    @cached_property
    def folded(self) -> str:
        """The words without accents, each between spaces."""
        return plain(self.exact)

    @cached_property
    def exact_words(self) -> frozenset[str]:
        """The words with accents."""
        return frozenset(self.exact.split())

    @cached_property
    def folded_words(self) -> frozenset[str]:
        """The words without accents."""
        return frozenset(self.folded.split())

    @cached_property
    def hashtags(self) -> frozenset[str]:
        """Hashtags, lower case, accents kept."""
        return frozenset(tag.lower() for tag in _HASHTAG.findall(unicodedata.normalize("NFC", self.text)))

    @cached_property
    def mentions(self) -> frozenset[str]:
        """User names that the text mentions, lower case."""
        return frozenset(name.lower() for name in _MENTION.findall(self.text))

    @property
    def has_link(self) -> bool:
        """Whether the text holds a web address."""
        return _LINK.search(self.text) is not None

    @property
    def box(self) -> tuple[float, float, float, float] | None:
        """West, south, east, north of where the post says it comes from: its point, or else its place."""
        if self.point:
            lat, lon = self.point
            return lon, lat, lon, lat
        return self.place.bbox if self.place else None


@dataclass(frozen=True)
class Deletion:
    """A post, or one version of it, that its source took away at a moment (UTC), for one of X's reasons."""

    tweet: Tweet
    at: datetime
    reason: str = "deleted"
