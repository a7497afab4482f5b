import types
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import records
from store.codec import dumps, from_json, loads, to_json
from store.records import Annotation, Incident, Post, Road

RECORDS = [cls for cls in vars(records).values() if isinstance(cls, type) and hasattr(cls, "__dataclass_fields__")]

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
INTS = st.integers(-(2**53), 2**53)
PLAIN = st.none() | st.booleans() | INTS | FLOATS | TEXT
VALUES = st.recursive(
    PLAIN, lambda some: st.lists(some, max_size=3) | st.dictionaries(TEXT, some, max_size=3), max_leaves=5
)
TIMES = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - given a zone
BASIC = {str: TEXT, float: FLOATS, int: INTS, bool: st.booleans(), datetime: TIMES, Any: VALUES, type(None): st.none()}


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    origin, args = get_origin(hint), get_args(hint)
    if hint in BASIC:
        return BASIC[hint]
    if origin is Literal:
        return st.sampled_from(args)
    if origin is types.UnionType:
        return st.one_of(*map(values_of, args))
    if origin is tuple:
        return st.lists(values_of(args[0]), max_size=2).map(tuple)
    if origin is Mapping:
        return st.dictionaries(TEXT, values_of(args[1]), max_size=3)
    return records_of(hint)


def records_of(cls: type) -> st.SearchStrategy[Any]:
    hints = get_type_hints(cls)
    return st.builds(cls, **{field.name: values_of(hints[field.name]) for field in fields(cls)})


@pytest.mark.parametrize("cls", RECORDS, ids=lambda cls: cls.__name__)
def test_every_record_survives_json(cls):
    @settings(max_examples=15, deadline=None, database=None)
    @given(records_of(cls))
    def survives(record):
        assert from_json(cls, loads(dumps(record))) == record
        assert from_json(cls, to_json(record)) == record

    survives()


def test_a_road_says_from_as_the_contract_does():
    assert to_json(Road("A87", from_="Cholet", to="Angers"))["from"] == "Cholet"


def test_times_are_written_in_utc_with_a_final_z(make):
    paris = timezone(timedelta(hours=1))
    post = make.post(created_at=datetime(2026, 3, 2, 13, 0, 0, 250000, tzinfo=paris))
    assert to_json(post)["created_at"] == "2026-03-02T12:00:00.250000Z"


def test_a_time_without_a_zone_is_refused_on_the_way_out_and_in(make):
    naive = make.post(created_at=datetime(2026, 3, 2))  # noqa: DTZ001 - the fault under test
    with pytest.raises(ValueError, match="zone"):
        to_json(naive)
    with pytest.raises(ValueError, match=r"Post\.created_at.*zone"):
        from_json(Post, to_json(make.post()) | {"created_at": "2026-03-02T12:00:00"})


def test_keys_of_a_newer_vigie_are_ignored_and_absent_ones_take_their_default(make):
    data = {key: value for key, value in to_json(make.post()).items() if key != "filters"}
    assert from_json(Post, data | {"mood": "calm"}) == make.post()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"severity": "Terrible"}, r"Incident\.severity: expected one of Extreme, .*Terrible"),
        ({"posts": "3"}, r"Incident\.posts: expected int, got '3'"),
        ({"posts": True}, r"Incident\.posts: expected int"),
        ({"place": {"name": "Cholet", "lat": "47"}}, r"Incident\.place: Place\.lat: expected a number"),
        ({"place": {}}, r"Incident\.place: Place: name is missing"),
        ({"place": "Cholet"}, r"Incident\.place: Place: expected an object"),
        ({"tags": "rumour"}, r"Incident\.tags: expected a list"),
        ({"opened_at": 12}, r"Incident\.opened_at: expected an ISO 8601 time"),
        ({"opened_at": "hier"}, r"Incident\.opened_at: .*hier"),
        ({"status": []}, r"Incident\.status: expected one of"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_with_its_class_and_field(make, change, message):
    with pytest.raises(ValueError, match=message):
        from_json(Incident, to_json(make.incident()) | change)


def test_what_is_no_record_is_refused():
    with pytest.raises(TypeError, match="dataclass instance"):
        to_json({"a": 1})


def test_lone_surrogates_become_replacement_characters_when_written(make):
    written = dumps(make.annotation(why=("a\ud800b",)))
    assert from_json(Annotation, loads(written)).why == ("a\ufffdb",)


def test_numbers_of_numpy_are_written_as_numbers(make):
    assert loads(dumps(make.annotation(about=np.float64(0.5))))["about"] == 0.5
