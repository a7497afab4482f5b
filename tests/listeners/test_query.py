"""The query language of the stand-in, as the documentation of X describes it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from listeners.standin.query import QueryError, parse
from listeners.standin.tweet import Place, Tweet, User

OTHER = Tweet("1", "bonjour", datetime(2031, 5, 4, tzinfo=UTC), User("11", "mairie_test", "Mairie"))
PLACE = Place("abc123", "Cholet, France", "FR", (-0.92, 47.03, -0.84, 47.09))
POST = Tweet(
    id="2",
    text="Épaisse fumée noire à l'usine, #Évacuation en cours @sdis_test https://t.co/x 🔥",
    created_at=datetime(2031, 5, 4, tzinfo=UTC),
    user=User("77", "Lea_M", "Léa"),
    lang="fr",
    point=(47.06, -0.88),
    place=PLACE,
    reply_to=OTHER,
)


@pytest.mark.parametrize(
    "query",
    [
        "fumée",
        "FUMÉE",
        '"fumée noire"',
        "fumée noire",
        "noire fumée",
        "incendie OR fumée",
        "(incendie OR fumée) noire",
        "fumée -grillade",
        "fumée -(grillade OR barbecue)",
        "fumée lang:fr",
        "fumée (lang:en OR lang:fr)",
        "l'usine",
        '"l’usine"',
        "évacuation",
        "#évacuation",
        "#ÉVACUATION",
        "@sdis_test",
        "@SDIS_TEST fumée",
        "from:lea_m",
        "from:77",
        "to:mairie_test",
        "to:11",
        "fumée has:geo",
        "fumée has:hashtags has:mentions has:links",
        "fumée is:reply",
        "fumée -is:retweet",
        "fumée -is:quote",
        "place:cholet",
        'place:"cholet france"',
        "place:abc123",
        "place_country:FR",
        "place_country:fr",
        "point_radius:[-0.88 47.06 5km]",
        "point_radius:[-0.88 47.06 25mi]",
        "bounding_box:[-1.0 47.0 -0.8 47.1]",
        "incendie OR point_radius:[-0.88 47.06 5km]",
        "a OR b OR fumée c OR noire",
        "fumée NOIRE",
    ],
)
def test_the_post_matches(query: str) -> None:
    assert parse(query).matches(POST, accents=True)


@pytest.mark.parametrize(
    "query",
    [
        "fumee",
        "fumé",
        '"noire fumée"',
        '"fumée à"',
        "fumée incendie",
        "incendie OR noir",
        "fumée -noire",
        "fumée -(noire OR barbecue)",
        "fumée lang:en",
        "#fumée",
        "@sdis",
        "from:mairie_test",
        "to:lea_m",
        "fumée is:retweet",
        "fumée -is:reply",
        "fumée -has:geo",
        "place:angers",
        "place_country:DE",
        "point_radius:[2.35 48.85 25km]",
        "point_radius:[47.06 -0.88 5km]",
        "bounding_box:[-0.8 47.0 -0.7 47.1]",
        "fumée place:angers OR incendie",
    ],
)
def test_the_post_does_not_match(query: str) -> None:
    assert not parse(query).matches(POST, accents=True)


def test_search_does_not_see_accents_and_the_stream_does() -> None:
    for query in ("fumee", '"fumee noire"', "#evacuation", "épaisse FUMEE"):
        assert parse(query).matches(POST, accents=False)
    assert not parse("fumee").matches(POST, accents=True)


def test_and_binds_tighter_than_or() -> None:
    assert parse("fumée zzz OR noire").matches(POST, accents=True)
    assert not parse("fumée zzz OR noire yyy").matches(POST, accents=True)
    assert not parse("(fumée OR noire) zzz").matches(POST, accents=True)


def test_a_place_without_a_point_counts_when_all_of_it_lies_inside() -> None:
    tagged = replace(POST, point=None)
    assert parse("point_radius:[-0.88 47.06 10km]").matches(tagged, accents=True)
    assert not parse("point_radius:[-0.88 47.06 2km]").matches(tagged, accents=True)
    assert parse("bounding_box:[-1.0 47.0 -0.8 47.1]").matches(tagged, accents=True)


def test_a_post_from_nowhere_has_no_geography() -> None:
    nowhere = replace(POST, point=None, place=None)
    for query in ("fumée has:geo", "place:cholet", "place_country:FR", "point_radius:[-0.88 47.06 5km]"):
        assert not parse(query).matches(nowhere, accents=True)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("", "no viable alternative"),
        ("   ", "no viable alternative"),
        ("has:geo", "stand-alone"),
        ("lang:fr", "stand-alone"),
        ("is:reply lang:fr", "stand-alone"),
        ("-fumée", "stand-alone"),
        ("fumée OR -noire", "stand-alone"),
        ("fumée OR lang:fr", "stand-alone"),
        ("(fumée", "missing ')'"),
        ("fumée)", "extraneous input ')'"),
        ("fumée OR", "no viable alternative"),
        ("OR fumée", "no viable alternative"),
        ("()", "no viable alternative"),
        ('"fumée', "no viable alternative"),
        ('""', "needs a letter"),
        ("🔥", "needs a letter"),
        ("fumée and noire", "Ambiguous use of and"),
        ("fumée or noire", "Ambiguous use of or"),
        ("near:cholet", "invalid operator 'near'"),
        ("fumée is:angry", "invalid value 'angry'"),
        ("fumée has:smell", "invalid value 'smell'"),
        ("fumée lang:FRA1", "invalid language"),
        ("fumée lang:", "needs a value"),
        ("place_country:FRA", "ISO alpha-2"),
        ("from:not-a-name", "not a user name"),
        ("point_radius:[-0.88 47.06 26mi]", "at most 25mi"),
        ("point_radius:[-0.88 47.06 41km]", "at most 25mi"),
        ("point_radius:[-0.88 47.06 0km]", "more than 0"),
        ("point_radius:[-0.88 147.06 5km]", "latitude within"),
        ("point_radius:[-0.88 47.06 5]", "must be [longitude latitude radius]"),
        ("point_radius:[a b 5km]", "not a number"),
        ("bounding_box:[-2 46 0 48]", "at most 25mi"),
        ("bounding_box:[-0.8 47.0 -1.0 47.1]", "from west to east"),
        ("bounding_box:[1 2 3]", "must be [west south east north]"),
        ("(" * 50 + "a" + ")" * 50, "nested more than"),
        ("-" * 500 + "a", "nested more than"),
    ],
)
def test_x_would_refuse_it_and_says_why(query: str, says: str) -> None:
    with pytest.raises(QueryError) as refusal:
        parse(query)
    assert says in str(refusal.value)
