"""Generated input: whatever comes, an answer or a named refusal."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from config.bundle import Filter
from listeners import replay, x_wire
from listeners.collect import departement_of
from listeners.hand import NotUsable, entered
from listeners.incoming import cleaned
from listeners.standin.breaking import Breaker
from listeners.standin.query import QueryError, parse
from listeners.standin.rules import Rules
from listeners.standin.script import KINDS, ScriptError
from listeners.standin.script import parse as read_script
from listeners.standin.tweet import Tweet, User
from listeners.standin.wire import Problem
from listeners.x_text import TooLong, compose

STEADY = settings(deadline=None, derandomize=True)
NOON = datetime(2031, 5, 4, 12, tzinfo=UTC)
ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=200)
PIECES = st.lists(
    st.sampled_from(
        ["(", ")", "-", "OR", '"', "a", "lang:fr", "has:geo", "point_radius:[1 2 3km]", "#é", "@b", ":", "[", "]"]
    )
).map(" ".join)
KEYS = st.sampled_from(
    [
        "id",
        "text",
        "created_at",
        "geo",
        "author_id",
        "add",
        "delete",
        "value",
        "tag",
        "ids",
        "coordinates",
        "places",
        "users",
    ]
)
JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)


@STEADY
@given(ANY_TEXT | PIECES)
def test_any_query_is_read_or_refused(text: str) -> None:
    post = Tweet("1", text, NOON, User("1", "a", "a"))
    with suppress(QueryError):
        term = parse(text)
        assert term.matches(post, accents=True) in (True, False)
        assert term.matches(post, accents=False) in (True, False)


@STEADY
@given(
    st.sampled_from(sorted(KINDS)) | ANY_TEXT,
    st.dictionaries(
        st.sampled_from(["at", "connect", "post", "for", "times", "every", "on", "id", "text", "bytes"]), JSON
    ),
)
def test_any_fault_script_is_read_or_explained(what: str, entry: Any) -> None:
    with suppress(ScriptError):
        (read,) = read_script("f.yaml", json.dumps({"faults": [entry | {"what": what}]}))
        breaker = Breaker([read], lambda: NOON)
        breaker.begin(NOON)
        breaker.take(KINDS)


@STEADY
@given(ANY_TEXT)
def test_any_text_is_a_fault_script_or_explained(text: str) -> None:
    with suppress(ScriptError):
        read_script("f.yaml", f"faults: {text}")


@STEADY
@given(JSON, JSON)
def test_any_object_of_x_is_a_post_or_named_as_none(data: Any, includes: Any) -> None:
    good = {"id": "1", "text": "a", "created_at": "2031-05-04T12:00:00Z"}
    with suppress(x_wire.NotAPost):
        x_wire.incoming(data, includes)
    with suppress(x_wire.NotAPost):
        x_wire.incoming(good | (data if isinstance(data, dict) else {}), includes)


@STEADY
@given(JSON)
def test_any_recorded_object_is_a_post_or_named_as_none(data: Any) -> None:
    good = {"id": "1", "text": "a", "created_at": "2031-05-04T12:00:00Z"}
    for line in (data, good | data if isinstance(data, dict) else data):
        with suppress(replay.NotAPost):
            cleaned(replay.parse(json.dumps(line).encode()).text).encode()


@STEADY
@given(st.binary(max_size=200))
def test_any_recorded_bytes_are_a_post_or_named_as_none(raw: bytes) -> None:
    with suppress(replay.NotAPost):
        replay.parse(raw)


@STEADY
@given(JSON)
def test_any_change_of_rules_is_answered(body: Any) -> None:
    with suppress(Problem):
        assert Rules().change(body, dry_run=False)[0] in (200, 201)


@STEADY
@given(st.lists(ANY_TEXT.filter(lambda text: any(char.isalnum() for char in text)), min_size=1, max_size=30))
def test_any_filter_becomes_rules_that_x_can_read(keywords: list[str]) -> None:
    declared = Filter(id="a", purpose="Try what becomes of it", keywords=tuple(keywords))
    with suppress(TooLong):
        for rule in compose(declared, [], longest=512, accents=True, retweets=False):
            assert len(rule) <= 512
            parse(rule)


@STEADY
@given(ANY_TEXT, st.none() | ANY_TEXT, st.none() | st.floats(), st.none() | st.floats())
def test_any_report_is_taken_or_refused_with_a_reason(
    text: str, place: str | None, lat: float | None, lon: float | None
) -> None:
    with suppress(NotUsable):
        entered(text, now=NOON, place=place, lat=lat, lon=lon)


@STEADY
@given(ANY_TEXT)
def test_any_location_of_an_account_is_looked_at(said: str) -> None:
    assert departement_of(said) is None or len(str(departement_of(said))) in (2, 3)
