"""Stretches of time, on any that Hypothesis thinks of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from listeners.spans import Span, missing, of_json, to_json, union

NOON = datetime(2031, 5, 4, 12, tzinfo=UTC)
STEADY = settings(deadline=None, derandomize=True)
SPANS = st.builds(
    lambda start, length: Span(at(start), at(start + length)), st.integers(0, 60), st.integers(-3, 20)
)  # fmt: skip


def at(minute: float) -> datetime:
    return NOON + timedelta(minutes=minute)


def minutes(spans: list[Span]) -> set[int]:
    return {n for n in range(100) for span in spans if span.start <= at(n) < span.end}


@STEADY
@given(SPANS, st.lists(SPANS, max_size=6))
def test_what_is_missing_is_what_was_wanted_and_not_covered(wanted: Span, covered: list[Span]) -> None:
    assert minutes(missing(wanted, covered)) == minutes([wanted]) - minutes(covered)


@STEADY
@given(st.lists(SPANS, max_size=6))
def test_a_union_holds_the_same_time_in_spans_that_do_not_touch(spans: list[Span]) -> None:
    joined = union(spans)
    assert minutes(joined) == minutes(spans)
    assert all(one.end < other.start for one, other in pairwise(joined))


@STEADY
@given(st.lists(SPANS, max_size=6))
def test_spans_come_back_from_json(spans: list[Span]) -> None:
    assert of_json(to_json(spans)) == spans
