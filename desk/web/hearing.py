"""Quiet or blind? What the sources allow us to conclude from silence."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from store.records import Lease, SourceHealth

QUIET_AFTER = timedelta(minutes=5)
KEEP = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Hearing:
    """``hearing``: posts arrive and are understood; ``silent``: a source is on and nothing comes; ``blind``: nothing
    listens; ``halted``: posts may arrive, but a stage that would tell somebody does not run.

    ``last`` is when a post last arrived (UTC); ``off`` counts waiting sources too; ``stopped`` names stages without a
    living lease.
    """

    state: Literal["hearing", "silent", "blind", "halted"]
    last: datetime | None
    on: tuple[str, ...]
    off: tuple[str, ...]
    stopped: tuple[str, ...] = ()


def hearing(
    sources: Sequence[SourceHealth],
    now: datetime,
    *,
    leases: Mapping[str, Lease | None] | None = None,
    by_hand: Collection[str] = ("hand",),
) -> Hearing:
    """What silence means at ``now`` (UTC), from the health of the sources and the lease of each stage.

    Entry by hand does not count as listening, nor does the configuration's state: ``by_hand`` names those.
    """
    listening = [source for source in sources if source.source not in by_hand]
    on = tuple(source.source for source in listening if source.state == "on")
    off = tuple(source.source for source in listening if source.state != "on")
    last = max((source.last_post_at for source in listening if source.last_post_at), default=None)
    stopped = tuple(stage for stage, lease in (leases or {}).items() if lease is None or lease.expires_at <= now)
    fresh = last is not None and now - last < QUIET_AFTER
    if not on or "collect" in stopped:
        return Hearing("blind", last, on, off, stopped)
    if stopped:
        return Hearing("halted", last, on, off, stopped)
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

    def per_minute(self, source: SourceHealth, now: datetime) -> float | None:
        """Received posts a minute over the last five minutes; None before the desk has watched for 20 seconds."""
        seen = self._seen.get(source.source)
        if not seen or now - seen[0][0] < timedelta(seconds=20):
            return None
        start, count = seen[0]
        return max(0, source.received - count) / ((now - start).total_seconds() / 60)
