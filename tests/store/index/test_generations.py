from datetime import UTC, datetime

import pytest

from store.index.families import FAMILIES, POSTS, PUBLIC_ORDER, SOURCES
from store.index.generations import Generation, Standing, ask, named, put, standing, unsettled

MARCH = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
@pytest.mark.parametrize("generation", [Generation(1), Generation(3, 12)], ids=str)
def test_the_name_of_an_index_tells_its_generation_and_period(family, generation):
    index = generation.name(family, "vigie", MARCH)
    assert named(index, family, "vigie") == (generation, family.period_of(MARCH))
    assert [one.name for one in FAMILIES if named(index, one, "vigie")] == [family.name]


def test_the_first_generation_is_not_numbered_and_a_rebuilt_one_is():
    assert Generation(1).name(POSTS, "vigie", MARCH) == "vigie-posts-v1-2026.03"
    assert Generation(1, 2).name(PUBLIC_ORDER, "town", MARCH) == "town-public-order-v1-r2-2026.03.31"
    assert Generation(2).name(SOURCES, "vigie", MARCH) == "vigie-sources-v2-all"


def test_what_is_being_built_is_written_to_beside_what_is_live(db):
    built = Standing(Generation(1), Generation(1, 1), ("x:1",), 1, 7, "lost")
    with db.write() as conn:
        put(conn, POSTS, built)
    with db.read() as conn:
        assert standing(conn, POSTS) == built
        assert standing(conn, POSTS).targets == (Generation(1), Generation(1, 1))
        assert standing(conn, SOURCES).targets == (Generation(1),)


def test_a_wish_for_a_new_generation_is_kept_beside_what_is_known(db):
    with db.write() as conn:
        put(conn, POSTS, Standing(Generation(1, 4)))
        ask(conn, POSTS, "lost")
    with db.read() as conn:
        assert list(unsettled(conn)) == [(POSTS, Standing(Generation(1, 4), wanted="lost"))]
