"""One connection to X's filtered stream through tweepy: nothing that X sends ends it but the end of the stream."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

import orjson
import requests
import tweepy

from listeners import x_wire
from listeners.incoming import Gone, Incoming
from store.codec import read

log = logging.getLogger(__name__)
_END = "operational-disconnect"


class Ear(Protocol):
    """Who listens: is told of each thing that comes, in the thread that reads."""

    source: str
    clock: Callable[[], datetime]

    @property
    def closing(self) -> bool:
        """Whether nobody wants to hear any more."""
        ...

    def connected(self) -> None:
        """X has accepted the connection."""
        ...

    def alive(self) -> None:
        """A whole line came, or a keep-alive."""
        ...

    def heard(self, one: Incoming | Gone) -> None:
        """A post, or a notice that one is gone."""
        ...

    def garbage(self) -> None:
        """A line that holds nothing came."""
        ...


class Client(tweepy.StreamingClient):  # type: ignore[misc]
    """One connection, which ends with ``ended`` as its reason; ``status`` is X's answer.

    ``moved_at`` is when something last got on, by time.monotonic(): a line completed, a request sent. Raises
    x_wire.Unusable for a base URL that is none.
    """

    def __init__(self, ear: Ear, token: str, base_url: str, *, stall_seconds: float) -> None:
        super().__init__(token, return_type=dict)
        self.ear = ear
        self.adapter = x_wire.BaseUrl(base_url, read_seconds=stall_seconds, dropped=self._dropped, busy=self._move)
        x_wire.mount(self.session, self.adapter)
        self.moved_at = time.monotonic()
        self.status = 200
        self.ended = "X closed the stream"

    def cut(self, reason: str) -> None:
        """Ends the connection from another thread, without waiting for the next line."""
        self.ended = reason
        self.disconnect()
        self.adapter.cut()

    def on_connect(self) -> None:
        """X has accepted."""
        self._move()
        if self.ear.closing:
            self.disconnect()
        else:
            self.ear.connected()

    def on_keep_alive(self) -> None:
        """Nothing to say, but there."""
        self._completed()

    def on_data(self, raw_data: bytes) -> None:
        """One line: a post, the deletion of one, or an error in the stream."""
        try:
            line = read(raw_data)
            if isinstance(line, dict) and "data" in line:
                self.ear.heard(self._read(line))
            else:
                self._no_post(line)
        except ValueError as error:
            self.ear.garbage()
            log.warning("%s: a line of X is no post: %s", self.ear.source, str(error)[:200])
        self._completed()

    def _completed(self) -> None:
        self._move()
        self.ear.alive()

    def _move(self) -> None:
        self.moved_at = time.monotonic()

    def _read(self, line: dict[str, Any]) -> Incoming | Gone:
        if notice := x_wire.gone(line["data"]):
            return notice
        post = x_wire.incoming(
            line["data"],
            line.get("includes") or {},
            rules=line.get("matching_rules"),
            status=x_wire.status_said(self.adapter),
        )
        return replace(post, received_at=self.ear.clock())

    def _no_post(self, line: Any) -> None:
        errors = line.get("errors") if isinstance(line, dict) else None
        known = [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
        titles = ", ".join(str(error.get("title"))[:100] for error in known)
        log.warning("%s: X sent no post but %s", self.ear.source, titles or "something unknown")
        self.ended = f"X announced the end of the stream: {titles or 'without a reason'}"
        if any(_END in (error.get("title"), str(error.get("type")).rpartition("/")[2]) for error in known):
            self.disconnect()  # X may keep such a connection open, and silent

    def _dropped(self, size: int) -> None:
        self.ear.garbage()
        self._completed()
        log.warning("%s: a line of X of %d bytes is too long: left out", self.ear.source, size)

    def on_request_error(self, status_code: int) -> None:
        """X answered with an error."""
        self.status = status_code
        self.disconnect()
        if self.adapter.last is not None:
            self.ended = answered(self.adapter.last)

    def on_connection_error(self) -> None:
        """The connection broke, or nothing came for the time of a stall."""
        if self.running:
            self.ended = "the connection to X broke or went silent"
        self.disconnect()

    def on_closed(self, response: requests.Response) -> None:  # noqa: ARG002 -- tweepy's signature
        """X closed the connection: the owner decides when to come back."""
        self.disconnect()

    def on_exception(self, exception: Exception) -> None:
        """Something else went wrong in tweepy."""
        log.error("%s: the stream ended with %s", self.ear.source, kind(exception))
        self.ended = f"the stream ended with {kind(exception)}"


def answered(answer: requests.Response) -> str:
    """An answer of X that is an error, in a few words. Raises requests' exceptions where the rest does not come."""
    try:
        said = orjson.loads(answer.content)
        detail = said.get("detail") or said.get("title") or ""
    except (ValueError, AttributeError):
        detail = ""
    return f"X answered {answer.status_code} {detail or answer.reason}"[:200].strip()


def kind(error: Exception) -> str:
    """An error in a few words."""
    return f"{type(error).__name__}: {error}"[:200]
