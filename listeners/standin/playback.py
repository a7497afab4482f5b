"""A file of posts, played on its own clock.

A line is ``{"id", "text", "lang", "author", "geo": {"lat", "lon", "place", "country"}, "reply_to", "retweet_of",
"quote_of"}`` with its time as ``created_at`` (ISO 8601), or ``at`` (seconds) or ``minute`` after the start. The first
post comes at the start; at speed N everything comes N times sooner, and ``created_at`` on the wire is the moment at
which a post comes, as on X, never the future.

A line ``{"at": …, "delete": ID}`` (with a ``reason`` where it is not ``deleted``) takes a post of the file away again,
``{"at": …, "edit": ID, "text": …}`` gives it a new text under a new id.
"""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

import orjson

from listeners.standin.archive import REASONS, Archive
from listeners.standin.tweet import Deletion, Place, Tweet, User

log = logging.getLogger(__name__)
SNOWFLAKE_EPOCH_MS = 1_288_834_974_657
_PLACE_HALF_DEGREES = 0.02
_EDITS = 0x200000


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
                timed.append((_seconds(line), number, line))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise FileFault(f"{path}, line {number}: {_reason(error)}; correct or remove the line") from error
    timed.sort(key=lambda one: one[0])
    known: set[str] = set()
    for _, number, line in timed:
        changed = str(line.get("delete") or line.get("edit") or "")
        if changed and changed not in known:
            raise FileFault(f'{path}, line {number}: no post "{changed}" comes before this change; correct the id')
        if "delete" in line:
            known.discard(changed)
        elif "id" in line:
            known.add(str(line["id"]))
    first = timed[0][0] if timed else 0.0
    return [Draft(seconds - first, line) for seconds, _, line in timed]


def _seconds(line: dict[str, Any]) -> float:
    if "delete" in line:
        if line.get("reason", "deleted") not in REASONS:
            raise ValueError(f"its reason must be one of {', '.join(REASONS)}")
    elif not isinstance(line["text"], str) or not isinstance(line["edit" if "edit" in line else "id"], str | int):
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

    Ids rise with time and order, and follow from ``start`` and the file alone. Edits and deletions are left out.
    """
    done: dict[str, Tweet] = {}
    for order, draft in enumerate(drafts):
        if "id" in draft.line:
            moment = start + timedelta(seconds=draft.offset / speed)
            yield (tweet := _tweet(draft.line, _snowflake(moment, order), moment, done))
            done[str(draft.line["id"])] = tweet


def _snowflake(moment: datetime, order: int) -> str:
    milliseconds = int(moment.timestamp() * 1000) - SNOWFLAKE_EPOCH_MS
    return str((milliseconds << 22) | (order & 0x3FFFFF))


def _tweet(line: dict[str, Any], new_id: str, moment: datetime, done: Mapping[str, Tweet]) -> Tweet:
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
    """Plays drafts in a thread of its own, handing each post and each deletion to ``publish`` when it is due.

    ``archive`` holds what has come so far. With ``loop`` the file starts again, with new ids, when it ends.
    """

    def __init__(
        self,
        drafts: list[Draft],
        publish: Callable[[Tweet | Deletion], None],
        *,
        clock: Callable[[], datetime],
        speed: float = 1.0,
        loop: bool = False,
    ) -> None:
        self.drafts, self.publish, self.clock, self.speed, self.loop = drafts, publish, clock, speed, loop
        self.archive = Archive()
        self.started_at: datetime | None = None
        self.finished = False
        self._edits = 0
        self._stop = Event()
        self._lock = Lock()

    @property
    def played(self) -> list[Tweet]:
        """Every post and every version of it that has come so far, oldest first."""
        return self.archive.played

    def start(self) -> None:
        """Begins to play; calls after the first change nothing."""
        with self._lock:
            if self.started_at is None:
                self.started_at = self.clock()
                Thread(target=self._play, args=(self.started_at,), name="playback", daemon=True).start()

    def stop(self) -> None:
        """Ends the play within a moment."""
        self._stop.set()

    def delete(self, name: str, reason: str = "deleted") -> None:
        """Takes a post away, with all its versions, now. ``name``: its id in the file or on the wire; raises KeyError.

        ``scrub_geo`` takes only its point and its place away, which the stream does not tell.
        """
        for gone in self.archive.delete(name, self.clock(), reason):
            self.publish(gone)

    def edit(self, name: str, text: str) -> Tweet:
        """Gives a post a new text under a new id, now. ``name`` as for :meth:`delete`; raises KeyError."""
        now = self.clock()
        with self._lock:
            self._edits += 1
            number = _snowflake(now, _EDITS | self._edits)
        tweet = self.archive.edit(name, number, text, now)
        self.publish(tweet)
        return tweet

    def _play(self, start: datetime) -> None:
        while self.drafts:
            for order, draft in enumerate(self.drafts):
                moment = start + timedelta(seconds=draft.offset / self.speed)
                delay = (moment - self.clock()).total_seconds()
                if delay > 0:
                    self._stop.wait(delay)
                if self._stop.is_set():
                    return
                self._do(draft.line, moment, order)
            start = self.clock() + timedelta(seconds=1)
            if not self.loop:
                break
        self.finished = True

    def _do(self, line: dict[str, Any], moment: datetime, order: int) -> None:
        try:
            if "delete" in line:
                self.delete(str(line["delete"]), line.get("reason", "deleted"))
            elif "edit" in line:
                self.edit(str(line["edit"]), line["text"])
            else:
                tweet = _tweet(line, _snowflake(moment, order), moment, self.archive.named)
                self.archive.add(str(line["id"]), tweet)
                self.publish(tweet)
        except KeyError as error:  # someone took the post away by hand before its line came
            log.warning("the play passes over a change: %s", error.args[0])
