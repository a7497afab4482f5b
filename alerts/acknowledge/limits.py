"""How often one address may ask. Kept in memory, and bounded."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime

BURST = 120.0
PER_SECOND = 2.0
BAD_LINK = 10.0
REMEMBERED = 10_000


class Limits:
    """A bucket of 120 requests for each address, filled again at two a second. A bad link costs ten requests."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, datetime]] = OrderedDict()

    def spend(self, address: str, cost: float = 1.0) -> bool:
        """Whether ``address`` may ask now; ``cost`` requests are taken from its bucket where it may."""
        now = self._clock()
        left, since = self._buckets.pop(address, (BURST, now))
        left = min(BURST, left + PER_SECOND * max(0.0, (now - since).total_seconds()))
        allowed = left >= 1.0
        self._buckets[address] = (max(0.0, left - cost) if allowed else left, now)
        while len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)
        return allowed
