"""Stretches of time: what was asked of a platform, and what of a hole was not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple


class Span(NamedTuple):
    """From ``start`` on, up to ``end`` (UTC)."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """How long it is; below zero where it is none."""
        return self.end - self.start


def union(spans: Iterable[Span], *, within: timedelta = timedelta(0)) -> list[Span]:
    """The same time in the fewest spans, oldest first; those at most ``within`` apart become one."""
    joined: list[Span] = []
    for span in sorted(span for span in spans if span.length > timedelta(0)):
        if joined and span.start - joined[-1].end <= within:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined


def missing(wanted: Span, covered: Sequence[Span]) -> list[Span]:
    """What of ``wanted`` is in none of ``covered``, oldest first."""
    found: list[Span] = []
    start = wanted.start
    for span in union(covered):
        found.append(Span(start, min(span.start, wanted.end)))
        start = max(start, span.end)
    return [span for span in (*found, Span(start, wanted.end)) if span.length > timedelta(0)]


def to_json(spans: Iterable[Span]) -> list[list[str]]:
    """As pairs of ISO times."""
    return [[span.start.isoformat(), span.end.isoformat()] for span in spans]


def of_json(pairs: Any) -> list[Span]:
    """What :func:`to_json` wrote; nothing where it is None."""
    return [Span(*(datetime.fromisoformat(moment) for moment in pair)) for pair in pairs or ()]
