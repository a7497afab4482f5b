"""What X sends becomes an Incoming; and the adapter through which tweepy reaches another host than X's."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from math import cos, radians
from threading import Timer
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection

from listeners import x_sockets
from listeners.incoming import Gone, Incoming
from listeners.x_bytes import Bounded, Lines
from store import times
from store.records import Geo, Status

TWEEPY_HOST = "https://api.twitter.com"
STATUS_HEADER = "x-vigie-status"
RESET = "x-rate-limit-reset"
PLATFORM = "x"
FIELDS: Mapping[str, list[str]] = {
    "tweet_fields": ["created_at", "author_id", "lang", "geo", "referenced_tweets", "edit_history_tweet_ids"],
    "expansions": ["author_id", "geo.place_id"],
    "user_fields": ["location"],
    "place_fields": ["full_name", "country_code", "geo"],
}
"""What Vigie asks of each post, and no more."""

_METRES_PER_DEGREE = 111_320.0
MOST_VERSIONS = 100
"""X allows five edits."""


class Unusable(ValueError):
    """The credential or the address of X cannot be used as it is written; the message says which, never the secret."""


class NotAPost(ValueError):
    """A line or object of X that holds no post Vigie can use; the message says why, without its text."""


class BaseUrl(HTTPAdapter):
    """Sends tweepy's requests to ``base_url``, with times to connect and between bytes in seconds.

    ``last`` is the latest response, whose headers tweepy does not hand on. ``dropped`` is told the bytes of each line
    of the stream that is too long, ``busy`` that a request goes out.
    """

    def __init__(
        self,
        base_url: str,
        *,
        connect_seconds: float = 10.0,
        read_seconds: float = 30.0,
        dropped: Callable[[int], None] = lambda _: None,
        busy: Callable[[], None] = lambda: None,
    ) -> None:
        self._connection: HTTPConnection | None = None
        super().__init__()
        self.base_url = base_url.rstrip("/")
        self.timeout = (connect_seconds, read_seconds)
        self.last: Response | None = None
        self._dropped, self._busy = dropped, busy

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """Sends one request; what comes back is bounded, and its head must be whole within both times together."""
        if request.url and request.url.startswith(TWEEPY_HOST):
            request.url = self.base_url + request.url.removeprefix(TWEEPY_HOST)
        kwargs["timeout"] = self.timeout
        self._busy()
        bell = Timer(sum(self.timeout), lambda: x_sockets.end(self._connection))
        bell.daemon = True
        bell.start()
        try:
            answer = super().send(request, *args, **kwargs)
        finally:
            bell.cancel()
        endless = kwargs.get("stream") and answer.status_code == 200
        answer.raw = Lines(answer.raw, self._dropped) if endless else Bounded(answer.raw)
        if not _number(answer.headers.get(RESET, "0")):
            del answer.headers[RESET]  # tweepy would break on it
        self.last = answer
        return answer

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """As requests makes it, but its connections are known here."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = x_sockets.pools(self._opened)

    def _opened(self, connection: HTTPConnection) -> None:
        self._connection = connection

    def reset_in(self, now: datetime) -> timedelta:
        """How long X allows nothing more, at most 15 minutes; no time where its latest answer does not say so."""
        reset, remaining = self.header(RESET), self.header("x-rate-limit-remaining")
        if not (reset and _number(reset) and remaining in ("0", None)):
            return timedelta(0)
        return timedelta(seconds=min(float(reset) - now.timestamp(), 900.0))

    def cut(self) -> None:
        """Ends, from another thread, what is being read, or waited for."""
        if self.last is not None:
            with suppress(ValueError, RuntimeError, OSError, AttributeError):
                self.last.raw.shutdown()
        x_sockets.end(self._connection)

    def header(self, name: str) -> str | None:
        """A header of the latest response."""
        return self.last.headers.get(name) if self.last is not None else None


def mount(session: Session, adapter: BaseUrl) -> None:
    """Lets the session of a tweepy client go through ``adapter``. Raises Unusable for a base URL that is none."""
    try:
        parts = urlsplit(adapter.base_url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise Unusable(f"VIGIE_X_BASE_URL must be like https://api.twitter.com, not {adapter.base_url!r}")
    logging.getLogger("tweepy").setLevel(logging.WARNING)  # at DEBUG it would log the credential
    session.max_redirects = 0  # X sends nobody elsewhere
    session.mount(TWEEPY_HOST, adapter)


def usable(token: str) -> str:
    """The bearer token without space around it. Raises Unusable where it holds what no token holds."""
    token = token.strip()
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        raise Unusable("the bearer token is empty or holds spaces, line breaks or accents: copy it again, alone")
    return token


def status_said(adapter: BaseUrl) -> Status | None:
    """``Exercise`` or ``Test`` where the server says that it is not the real X."""
    said: dict[str | None, Status] = {"Exercise": "Exercise", "Test": "Test"}
    return said.get(adapter.header(STATUS_HEADER))


def incoming(
    data: Any, includes: Any, *, rules: Any = (), status: Status | None = None, backfilled: bool = False
) -> Incoming:
    """One post object of X with its ``includes``. Raises NotAPost where a part is missing or of the wrong kind."""
    try:
        return Incoming(
            platform=PLATFORM,
            native_id=_id(data["id"]),
            text=_text(data["text"]),
            created_at=times.from_iso(data["created_at"]),
            lang=_words(data.get("lang")),
            author_id=_words(data.get("author_id")),
            geo=_geo(data.get("geo") or {}, includes.get("places") or ()),
            repost_of=_repost(data.get("referenced_tweets") or ()),
            location=_location(data.get("author_id"), includes.get("users") or ()),
            status=status,
            backfilled=backfilled,
            rules=_tags(rules),
            earlier=tuple(one for one in _versions(data) if int(one) < int(data["id"])),
            superseded=any(int(one) > int(data["id"]) for one in _versions(data)),
        )
    except (KeyError, TypeError, AttributeError, ValueError, IndexError, OverflowError) as error:
        raise NotAPost(f"{type(error).__name__}: {error}"[:200]) from error


def gone(data: Any) -> Gone | None:
    """The post that a line of the stream says was deleted, or None where it says no such thing. Raises NotAPost.

    ``data`` is ``{"delete": {"tweet": {"id": …}, "event_at": …}}``, as X's compliance streams have it.
    """
    if not (isinstance(data, dict) and "delete" in data):
        return None
    try:
        notice = data["delete"]
        return Gone(PLATFORM, _id(notice["tweet"]["id"]), times.from_iso(notice["event_at"]))
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise NotAPost(f"a deletion, but {type(error).__name__}: {error}"[:200]) from error


def newest_version(data: Any) -> str | None:
    """The id of the newest version of a post, of which ``data`` is one; None where it does not say."""
    try:
        return _versions(data)[-1]
    except (KeyError, TypeError, AttributeError, ValueError, IndexError):
        return None


def _tags(rules: Any) -> tuple[str, ...]:
    """The tags of the rules that have one; what else stands there is no reason to lose a post."""
    found = (rule.get("tag") for rule in rules if isinstance(rule, dict)) if isinstance(rules, list) else ()
    return tuple(tag for tag in found if tag and isinstance(tag, str))


def _number(said: str) -> bool:
    return said.isascii() and said.isdecimal() and len(said) <= 20


def _words(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _id(value: Any) -> str:
    if not (isinstance(value, str) and _number(value)):
        raise ValueError("its id is not a number in a string")
    return value


def _versions(data: Mapping[str, Any]) -> list[str]:
    """The ids of all versions of a post, the oldest first; they rise with time."""
    history = data.get("edit_history_tweet_ids") or ()
    if len(history) > MOST_VERSIONS:
        raise ValueError(f"it has more than {MOST_VERSIONS} versions")
    return sorted((_id(one) for one in history), key=int)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("its text is not a string")
    return value


def _geo(geo: Any, places: Any) -> Geo | None:
    """Where it was posted; a position that is none is no reason to lose a post."""
    try:
        found = _position(geo, places)
    except (KeyError, TypeError, AttributeError, ValueError):
        return None
    return found if found and abs(found.lat) <= 90 and abs(found.lon) <= 180 else None


def _position(geo: Mapping[str, Any], places: Any) -> Geo | None:
    place = next((one for one in places if one["id"] == geo.get("place_id")), None)
    name = _words(place.get("full_name")) if place else None
    if point := geo.get("coordinates"):
        lon, lat = point["coordinates"]
        return Geo(float(lat), float(lon), None, name)
    if not place or "geo" not in place:
        return None
    west, south, east, north = (float(side) for side in place["geo"]["bbox"])
    lat = (south + north) / 2
    radius = max(north - south, (east - west) * cos(radians(lat))) / 2 * _METRES_PER_DEGREE
    return Geo(lat, (west + east) / 2, radius, name)


def _repost(references: Any) -> str | None:
    return next((_id(one["id"]) for one in references if one["type"] == "retweeted"), None)


def _location(author_id: str | None, users: Any) -> str | None:
    return _words(next((user.get("location") for user in users if user["id"] == author_id), None))
