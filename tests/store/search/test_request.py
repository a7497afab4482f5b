from datetime import UTC, datetime

import pytest

from store.search.request import Area, Query, check

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        ({"tag": "weather"}, "tag must be one of rumour, public_order_threat, emerging_incident"),
        ({"least": 0.5}, "needs the tag"),
        ({"tag": "rumour", "least": 1.5}, "least is a probability"),
        ({"about": -0.1}, "about is a probability"),
        ({"relevance": float("nan")}, "relevance is a probability"),
        ({"tag": "public_order_threat", "cleared": False}, "not for everybody"),
        ({"since": NOON.replace(tzinfo=None)}, "since needs its zone"),
        ({"until": NOON.replace(tzinfo=None)}, "until needs its zone"),
    ],
)
def test_a_query_that_nobody_can_answer_is_refused(conditions, said):
    with pytest.raises(ValueError, match=said):
        Query(**conditions)


@pytest.mark.parametrize(
    "ring",
    [
        (),
        ((0, 0), (1, 1), (0, 0)),
        ((0, 0), (91, 0), (0, 1)),
        ((0, 0), (1, 181), (0, 1)),
        ((0, 0), (float("nan"), 1), (0, 1)),
        ((0, 0), (float("inf"), 1), (0, 1)),
        tuple((n / 10, n % 2) for n in range(501)),
    ],
)
def test_an_area_that_is_none_is_refused(ring):
    with pytest.raises(ValueError, match="area"):
        Area(ring)


@pytest.mark.parametrize(
    "asked",
    [
        {"sort": "best"},
        {"limit": 0},
        {"limit": 1001},
        {"after": (1,)},
        {"after": ("a", 1)},
        {"after": (1, 2, 3)},
        {"after": (float("nan"), 1)},
        {"step": "week"},
        {"field": "author"},
        {"zoom": -1},
        {"zoom": 30},
    ],
)
def test_a_page_or_a_count_that_there_is_not_is_refused(asked):
    with pytest.raises(ValueError, match=next(iter(asked))):
        check(**asked)
