"""A file of posts, played on its own clock.

A line is ``{"id", "text", "lang", "author", "geo": {"lat", "lon", "place", "country"}, "reply_to", "retweet_of",
"quote_of"}`` with its time as ``created_at`` (ISO 8601), or ``at`` (seconds) or ``minute`` after the start. The first
post comes at the start; at speed N everything comes N times sooner, and ``created_at`` on the wire is the moment at
which a post comes, as on X, never the future.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

import orjson

from listeners.standin.tweet import Place, Tweet, User

SNOWFLAKE_EPOCH_MS = 1_288_834_974_657
_PLACE_HALF_DEGREES = 0.02


class FileFault(ValueError):
    """A line of the file that cannot be played; the message names file, line and what is wrong."""


@dataclass(frozen=True)
class Draft:
    """A line of the file: what it says, and its offset in seconds from the first post."""

    offset: float
    line: dict[str, Any]


def read(path: Path) -> list[Draft]:
    """The posts of a JSON-lines file in the order of their times. Raises FileFault at the first bad line, OSError."""
    timed = []
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            if not raw.strip():
                continue
            try:
                line = orjson.loads(raw)
                timed.append((_seconds(line), line))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise FileFault(f"{path}, line {number}: {_reason(error)}; correct or remove the line") from error
    first = min((seconds for seconds, _ in timed), default=0.0)
    return sorted((Draft(seconds - first, line) for seconds, line in timed), key=lambda draft: draft.offset)


def _seconds(line: dict[str, Any]) -> float:
    if not isinstance(line["text"], str) or not isinstance(line["id"], str | int):
        raise TypeError("id must be a string and text must be a string")
    if "at" in line or "minute" in line:
        seconds = float(line["at"]) if "at" in line else 60 * float(line["minute"])
    else:
        moment = datetime.fromisoformat(line["created_at"])
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if not math.isfinite(seconds):
        raise ValueError("its time is not a finite number")
    return seconds


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"it has no {error.args[0]}"
    return "it is not a JSON object" if isinstance(error, AttributeError) else str(error)


def tweets(drafts: Iterable[Draft], start: datetime, speed: float) -> Iterator[Tweet]:
    """The posts as they will go out when playing starts at ``start`` (UTC): times, ids, accounts and places given.

    Ids rise with time and order, and follow from ``start`` and the file alone.
    """
    done: dict[str, Tweet] = {}
    for order, draft in enumerate(drafts):
        moment = start + timedelta(seconds=draft.offset / speed)
        tweet = _tweet(draft.line, _snowflake(moment, order), moment, done)
        done[str(draft.line["id"])] = tweet
        yield tweet


def _snowflake(moment: datetime, order: int) -> str:
    milliseconds = int(moment.timestamp() * 1000) - SNOWFLAKE_EPOCH_MS
    return str((milliseconds << 22) | (order & 0x3FFFFF))


def _tweet(line: dict[str, Any], new_id: str, moment: datetime, done: dict[str, Tweet]) -> Tweet:
    def other(key: str) -> Tweet | None:
        named = str(line.get(key) or "")
        return done.get(named, _unknown(named, moment)) if named else None

    geo = line.get("geo") or {}
    return Tweet(
        id=new_id,
        text=line["text"],
        created_at=moment,
        user=_user(str(line.get("author") or f"anonymous{line['id']}"), line.get("location")),
        lang=line.get("lang") or "und",
        point=(float(geo["lat"]), float(geo["lon"])) if geo else None,
        place=_place(geo) if geo.get("place") else None,
        reply_to=other("reply_to"),
        retweet_of=other("retweet_of"),
        quote_of=other("quote_of"),
    )


def _unknown(named: str, moment: datetime) -> Tweet:
    return Tweet(id=_number(f"post {named}"), text="", created_at=moment, user=_user("unknown", None))


def _user(author: str, location: str | None) -> User:
    name = "".join(char for char in author if char.isascii() and (char.isalnum() or char == "_"))[:15] or "user"
    return User(
        id=author if author.isdecimal() else _number(f"user {author}"), username=name, name=author, location=location
    )


def _place(geo: dict[str, Any]) -> Place:
    lat, lon, half = float(geo["lat"]), float(geo["lon"]), _PLACE_HALF_DEGREES
    name, country = str(geo["place"]), str(geo.get("country") or "FR")
    identity = hashlib.sha256(f"place {country} {name}".encode()).hexdigest()[:16]
    return Place(identity, name, country, (lon - half, lat - half, lon + half, lat + half))


def _number(name: str) -> str:
    return str(int(hashlib.sha256(name.encode()).hexdigest()[:15], 16))


class Playback:
    """Plays drafts in a thread of its own, handing each post to ``publish`` when it is due.

    ``played`` holds what has come so far, oldest first. With ``loop`` the file starts again,
    with new ids, when it ends.
    """

    def __init__(
        self,
        drafts: list[Draft],
        publish: Callable[[Tweet], None],
        *,
        clock: Callable[[], datetime],
        speed: float = 1.0,
        loop: bool = False,
    ) -> None:
        self.drafts, self.publish, self.clock, self.speed, self.loop = drafts, publish, clock, speed, loop
        self.played: list[Tweet] = []
        self.started_at: datetime | None = None
        self._stop = Event()
        self._lock = Lock()

    def start(self) -> None:
        """Begins to play; calls after the first change nothing."""
        with self._lock:
            if self.started_at is None:
                self.started_at = self.clock()
                Thread(target=self._play, args=(self.started_at,), name="playback", daemon=True).start()

    def stop(self) -> None:
        """Ends the play within a moment."""
        self._stop.set()

    def _play(self, start: datetime) -> None:
        while self.drafts:
            for tweet in tweets(self.drafts, start, self.speed):
                delay = (tweet.created_at - self.clock()).total_seconds()
                if delay > 0:
                    self._stop.wait(delay)
                if self._stop.is_set():
                    return
                self.played.append(tweet)
                self.publish(tweet)
            start = self.clock() + timedelta(seconds=1)
            if not self.loop:
                return
