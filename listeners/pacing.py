"""When to try again: pure rules for connecting to a service that counts connections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

WINDOW = timedelta(minutes=15)
AT_MOST = 50
FREE = 5
NONE = timedelta(0)


def recent(history: Sequence[datetime], now: datetime, window: timedelta = WINDOW) -> list[datetime]:
    """The connects that still count against the limit, oldest first."""
    return sorted(moment for moment in history if moment > now - window)


def wait(
    history: Sequence[datetime], now: datetime, *, at_most: int = AT_MOST, window: timedelta = WINDOW
) -> timedelta:
    """How long to wait before the next connect. The first five come freely; those that are left are spread over the
    rest of the window, so that a connection that breaks all the time never leaves us deaf for a quarter of an hour."""
    counted = recent(history, now, window)
    if len(counted) < FREE:
        return NONE
    end = counted[0] + window
    if len(counted) >= at_most:
        return max(NONE, end - now)
    spacing = (end - counted[-1]) / (at_most - len(counted))
    return max(NONE, min(counted[-1] + spacing, end) - now)


@dataclass
class Backoff:
    """Waits that grow with failures in a row, as X advises: linear to 16 s for the network, doubling from 5 to 320 s
    for HTTP errors. Half of each wait is drawn from ``rng``, so that many clients do not come back together."""

    rng: Random
    broken: int = 0
    refused: int = 0

    def network(self) -> timedelta:
        """After a connection that broke or was refused."""
        self.broken += 1
        return self._jittered(min(16.0, 0.25 * self.broken))

    def http(self) -> timedelta:
        """After an answer that is an error."""
        self.refused += 1
        return self._jittered(min(320.0, 5.0 * 2 ** min(self.refused - 1, 7)))

    def reset(self) -> None:
        """After a success."""
        self.broken = self.refused = 0

    def _jittered(self, seconds: float) -> timedelta:
        return timedelta(seconds=seconds * self.rng.uniform(0.5, 1.0))
