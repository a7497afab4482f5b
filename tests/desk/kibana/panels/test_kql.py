"""KQL becomes the query that Kibana sends."""

import pytest

from desk.kibana.panels.errors import BadQuery, Untested
from desk.kibana.panels.kql import to_dsl
from desk.kibana.panels.views import Field

TYPES = {"state": "keyword", "posts": "integer", "at": "date", "text": "text", "late": "boolean"}
FIELDS = {name: Field(name, kind, True) for name, kind in TYPES.items()}


def dsl(text):
    return to_dsl(text, FIELDS, "Europe/Paris")


def one(query):
    return {"bool": {"should": [query], "minimum_should_match": 1}}


OPEN, WATCHING = one({"term": {"state": {"value": "open"}}}), one({"term": {"state": {"value": "watching"}}})


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", {"match_all": {}}),
        ("*", {"match_all": {}}),
        ("state: open", OPEN),
        ('state: "open"', OPEN),
        ("state: *", one({"exists": {"field": "state"}})),
        ("state: op*", one({"wildcard": {"state": {"value": "op*"}}})),
        ("not state: open", {"bool": {"must_not": OPEN}}),
        ("state: open and state: watching", {"bool": {"filter": [OPEN, WATCHING]}}),
        ("state: open OR state: watching", {"bool": {"should": [OPEN, WATCHING], "minimum_should_match": 1}}),
        ("state: (open or watching)", {"bool": {"should": [OPEN, WATCHING], "minimum_should_match": 1}}),
        ("posts >= 3", one({"range": {"posts": {"gte": 3}}})),
        ("posts > 0.5", one({"range": {"posts": {"gt": 0.5}}})),
        ('at < "2027-01-03"', one({"range": {"at": {"lt": "2027-01-03", "time_zone": "Europe/Paris"}}})),
        ("late: true", one({"match": {"late": True}})),
        ('late: "true"', one({"match_phrase": {"late": "true"}})),
        ("text: grosse fumée", one({"match": {"text": "grosse fumée"}})),
        ("text: fum*", one({"query_string": {"fields": ["text"], "query": "fum*"}})),
        ('"grosse fumée"', {"multi_match": {"type": "phrase", "query": "grosse fumée", "lenient": True}}),
    ],
)
def test_an_expression_becomes_its_query(text, query):
    assert dsl(text) == query


def test_and_binds_closer_than_or_and_not_closer_still():
    query = dsl("not state: open and posts > 1 or state: watching")
    left, right = query["bool"]["should"]
    assert right == WATCHING
    assert left["bool"]["filter"][0] == {"bool": {"must_not": OPEN}}


def test_parentheses_come_first():
    query = dsl("state: open and (posts > 1 or posts < 0)")
    assert query["bool"]["filter"][0] == OPEN
    assert len(query["bool"]["filter"][1]["bool"]["should"]) == 2


def test_a_word_that_begins_like_a_keyword_is_a_word():
    assert dsl("state: notable") == one({"term": {"state": {"value": "notable"}}})


@pytest.mark.parametrize("text", ["state:", "(state: open", "state: open)", 'state: "open', "nowhere: 1", "and"])
def test_what_cannot_be_read_is_told(text):
    with pytest.raises(BadQuery):
        dsl(text)


def test_nested_fields_are_refused():
    with pytest.raises(Untested):
        dsl("state: { of: open }")
