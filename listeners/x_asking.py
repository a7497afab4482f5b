"""Asking X's recent search: one query over one stretch of time, page by page, newest first."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import tweepy

from listeners import x_wire
from listeners.incoming import Incoming
from listeners.spans import Span
from listeners.x_queries import Query

log = logging.getLogger(__name__)
PAGE = 100
REACH = timedelta(days=7) - timedelta(minutes=5)
"""How far back X searches, with a little less on our side so that a slow request is not refused."""

NEWEST = timedelta(seconds=15)
"""X wants ``end_time`` at least 10 s ago, and indexes a post some seconds after it was written."""

_AHEAD = timedelta(hours=1)
_EPOCH_MS = 1_288_834_974_657


class Garbled(ValueError):
    """X's answer is none that its search gives; the message says in what way."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A query over ``span`` (UTC). With ``newer``, all that came after its start or after the post ``since_id``, also
    beyond its end. At most ``most_pages`` pages, all of them where None."""

    query: Query
    span: Span
    newer: bool = False
    since_id: str | None = None
    most_pages: int | None = None

    @property
    def window(self) -> dict[str, Any]:
        """The parameters that say so to X, which counts whole seconds."""
        if self.since_id:
            return {"since_id": self.since_id}
        start = {"start_time": self.span.start.replace(microsecond=0)}
        return start if self.newer else start | {"end_time": _second_after(self.span.end)}


@dataclass(frozen=True, slots=True)
class Page:
    """A page of an answer: its posts, the time of the ask that is read with it, and the id of its newest post."""

    ask: Ask
    posts: tuple[Incoming, ...]
    covered: Span
    newest: str | None = None


def pages(client: tweepy.Client, adapter: x_wire.BaseUrl, ask: Ask) -> Iterator[Page]:
    """Every page of an answer. Raises tweepy's and requests' exceptions, and Garbled."""
    following: dict[str, Any] = {}
    end, number = ask.span.end, 0
    last: int | None = None
    while True:
        answer = _answer(client, ask, following)
        number += 1
        meta = answer["meta"]
        token, oldest = meta.get("next_token"), _id(meta.get("oldest_id"), ask)
        if token and (oldest is None or (last is not None and int(oldest) >= last)):
            raise Garbled("its pages do not go on")
        last = int(oldest) if oldest else None
        start = max(ask.span.start, min(time_of(oldest), end)) if token and oldest else ask.span.start
        yield Page(ask, tuple(_posts(answer, ask, adapter)), Span(start, end), _id(meta.get("newest_id"), ask))
        if not token or number == ask.most_pages:
            return
        following, end = {"next_token": str(token)}, start


def _answer(client: tweepy.Client, ask: Ask, following: dict[str, Any]) -> dict[str, Any]:
    """One answer, of which ``meta`` is a mapping and ``data`` a list."""
    try:
        answer = client.search_recent_tweets(
            ask.query.text, max_results=PAGE, **ask.window, **following, **x_wire.FIELDS
        )
    except (AttributeError, TypeError, KeyError) as error:  # tweepy, of an error without its form
        raise Garbled(f"{type(error).__name__}: {error}") from error
    if not isinstance(answer, dict):
        raise Garbled("it is not a JSON object")
    answer = {"meta": {}, "data": []} | {key: value for key, value in answer.items() if value is not None}
    if not isinstance(answer["meta"], dict) or not isinstance(answer["data"], list):
        raise Garbled("its meta or data are not of their kind")
    return answer


def _id(value: Any, ask: Ask) -> str | None:
    """An id of a post that can have been written by then; None for anything else."""
    said = str(value) if isinstance(value, str | int) else ""
    known = said.isascii() and said.isdecimal() and len(said) <= 19
    return said if known and time_of(said) < ask.span.end + _AHEAD else None


def _second_after(moment: datetime) -> datetime:
    whole = moment.replace(microsecond=0)
    return whole if whole == moment else whole + timedelta(seconds=1)


def time_of(id: str) -> datetime:
    """When the post of that id was written (UTC): X's ids hold it."""
    return datetime.fromtimestamp(((int(id) >> 22) + _EPOCH_MS) / 1000, UTC)


def _posts(answer: dict[str, Any], ask: Ask, adapter: x_wire.BaseUrl) -> Iterator[Incoming]:
    status, includes = x_wire.status_said(adapter), answer.get("includes") or {}
    for one in answer["data"]:
        try:
            post = x_wire.incoming(one, includes, status=status, backfilled=True)
        except x_wire.NotAPost as error:
            log.warning("a result of X is no post: %s", error)
            continue
        yield replace(post, sought=() if ask.query.shared else ask.query.filters)
