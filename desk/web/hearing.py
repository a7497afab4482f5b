"""Quiet or blind? What the sources allow us to conclude from silence."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from store.records import SourceHealth

QUIET_AFTER = timedelta(minutes=5)
KEEP = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Hearing:
    """``hearing``: posts arrive; ``silent``: a source is on and nothing comes; ``blind``: nothing listens.

    ``on`` and ``off`` hold the sources in each condition; ``off`` counts waiting ones too.
    """

    state: Literal["hearing", "silent", "blind"]
    last: datetime | None
    on: tuple[str, ...]
    off: tuple[str, ...]


def hearing(sources: Sequence[SourceHealth], now: datetime) -> Hearing:
    """What the health of the sources says at ``now`` (UTC). Entry by hand does not count as listening."""
    listening = [source for source in sources if source.source != "hand"]
    on = tuple(source.source for source in listening if source.state == "on")
    off = tuple(source.source for source in listening if source.state != "on")
    times = [source.last_post_at for source in listening if source.last_post_at]
    last = max(times, default=None)
    if not on:
        return Hearing("blind", last, on, off)
    fresh = last is not None and now - last < QUIET_AFTER
    return Hearing("hearing" if fresh else "silent", last, on, off)


class Rates:
    """Posts a minute of each source over the last minutes, from what the desk saw of its counters."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[tuple[datetime, int]]] = {}

    def see(self, sources: Iterable[SourceHealth], now: datetime) -> None:
        """Note the counters at ``now``; a counter that fell (a restart) begins again."""
        for source in sources:
            seen = self._seen.setdefault(source.source, deque())
            if seen and source.received < seen[-1][1]:
                seen.clear()
            if not seen or now - seen[-1][0] >= timedelta(seconds=2):
                seen.append((now, source.received))
            while now - seen[0][0] > KEEP:
                seen.popleft()

    def per_minute(self, source: SourceHealth, now: datetime) -> float:
        """Received posts a minute, over what was seen, or since the source came on where little was seen."""
        seen = self._seen.get(source.source)
        start, count = (seen[0]) if seen and now - seen[0][0] >= timedelta(seconds=20) else (source.since, 0)
        minutes = (now - start).total_seconds() / 60
        return (source.received - count) / minutes if minutes > 0 else 0.0
