"""Requests counted per window, and the headers in which X tells the count."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

from listeners.standin.wire import PROBLEMS, Problem

WINDOW = timedelta(minutes=15)


class Limit:
    """At most ``at_most`` requests in each window of 15 minutes, which begins with its first request."""

    def __init__(self, at_most: int, clock: Callable[[], datetime]) -> None:
        self.at_most, self.clock = at_most, clock
        self.used = 0
        self._until = clock()
        self._lock = Lock()

    def take(self) -> dict[str, str]:
        """Counts one request and returns the headers. Raises Problem 429 with the same headers when none is left."""
        with self._lock:
            now = self.clock()
            if now >= self._until:
                self.used, self._until = 0, now + WINDOW
            refused = self.used >= self.at_most
            self.used += not refused
            headers = {
                "x-rate-limit-limit": str(self.at_most),
                "x-rate-limit-remaining": str(self.at_most - self.used),
                "x-rate-limit-reset": str(int(self._until.timestamp()) + 1),
            }
        if refused:
            problem = Problem(429, "Too Many Requests", "Too Many Requests", status=429)
            problem.headers = headers
            raise problem
        return headers


class Seats:
    """How many streams may be open at once."""

    def __init__(self, at_most: int) -> None:
        self.at_most = at_most
        self.taken = 0
        self._lock = Lock()

    def take(self) -> None:
        """Takes a seat. Raises Problem 429 when none is free."""
        with self._lock:
            if self.taken >= self.at_most:
                raise Problem(
                    429, "ConnectionException", "This stream is currently at the maximum allowed connection limit.",
                    f"{PROBLEMS}/streaming-connection", connection_issue="TooManyConnections",
                )  # fmt: skip
            self.taken += 1

    def leave(self) -> None:
        """Gives the seat back."""
        with self._lock:
            self.taken -= 1
