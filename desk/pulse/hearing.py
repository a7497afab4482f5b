"""Quiet or blind? What the sources allow us to conclude from silence."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from desk.pulse.baseline import Verdict
from store.leases import alive
from store.records import Lease, SourceHealth

QUIET_AFTER = timedelta(minutes=5)
KEEP = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Deaf:
    """A source or a filter (``kind``) that gives less than ever before at such an hour.

    Since ``since`` (UTC) ``received`` posts came, and at least ``expected`` should have.
    """

    kind: Literal["source", "filter"]
    id: str
    since: datetime
    expected: float
    received: int


@dataclass(frozen=True, slots=True)
class Hearing:
    """``hearing``: posts arrive and are understood; ``quiet``: none for a while, as usual at such an hour; ``silent``:
    a source is on, nothing comes, and nothing is known to compare with; ``blind``: nothing listens, or a source or
    filter gives less than it ever does at such an hour; ``halted``: posts may arrive, but a stage that would tell
    somebody does not run.

    ``last`` is when a post last arrived (UTC); ``off`` counts waiting sources too; ``stopped`` names stages without a
    living lease, or that do not turn; ``deaf`` is what gives too little, the longest first; ``unknown`` are the
    sources that are on and have no baseline yet.
    """

    state: Literal["hearing", "quiet", "silent", "blind", "halted"]
    last: datetime | None
    on: tuple[str, ...]
    off: tuple[str, ...]
    stopped: tuple[str, ...] = ()
    deaf: tuple[Deaf, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """The state; ``deaf`` where it is blind although something listens."""
        listens = bool(self.on) and "collect" not in self.stopped
        return "deaf" if self.state == "blind" and listens else self.state


def hearing(
    sources: Sequence[SourceHealth],
    now: datetime,
    *,
    leases: Mapping[str, Lease | None] | None = None,
    by_hand: Collection[str] = ("hand",),
    verdicts: Mapping[str, Verdict] | None = None,
    hung: Collection[str] = (),
) -> Hearing:
    """What silence means at ``now`` (UTC), from the health of the sources and the lease of each stage.

    Entry by hand does not count as listening, nor does the configuration's state: ``by_hand`` names those.
    ``verdicts`` (subject → verdict) compare with the past; ``hung`` are stages that hold their lease and do not turn.
    """
    listening = [source for source in sources if source.source not in by_hand]
    on = tuple(source.source for source in listening if source.state == "on")
    off = tuple(source.source for source in listening if source.state != "on")
    last = max((source.last_post_at for source in listening if source.last_post_at), default=None)
    held = (leases or {}).items()
    stopped = tuple(stage for stage, lease in held if lease is None or not alive(lease, now) or stage in hung)
    judged = verdicts or {}
    deaf = tuple(sorted(_deaf(judged, on), key=lambda one: one.since))
    judgements = {one: judged.get(f"source:{one}", Verdict("unknown")).state for one in on}
    unknown = tuple(one for one, verdict in judgements.items() if verdict == "unknown")
    usual = "heard" in judgements.values() and not unknown
    state = _state(on, stopped, deaf, fresh=last is not None and abs(now - last) < QUIET_AFTER, usual=usual)
    return Hearing(state, last, on, off, stopped, deaf, unknown)


def _state(
    on: Sequence[str], stopped: Sequence[str], deaf: Sequence[Deaf], *, fresh: bool, usual: bool
) -> Literal["hearing", "quiet", "silent", "blind", "halted"]:
    if not on or "collect" in stopped:
        return "blind"
    if stopped:
        return "halted"
    if deaf:
        return "blind"
    if fresh:
        return "hearing"
    return "quiet" if usual else "silent"


def _deaf(verdicts: Mapping[str, Verdict], on: Collection[str]) -> Iterator[Deaf]:
    """Filters, and the sources that are on: one that is off says so itself."""
    for subject, one in verdicts.items():
        kind, _, id = subject.partition(":")
        if one.state == "deaf" and one.since and (kind == "filter" or id in on):
            yield Deaf("filter" if kind == "filter" else "source", id, one.since, one.expected, one.received)


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
