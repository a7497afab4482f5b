"""Recent search, with the real tweepy, against the stand-in."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from config.secrets import MissingSecret
from config.world import World
from listeners.authors import AuthorKeys
from listeners.collect import Collected, collect
from listeners.standin.playback import Draft
from listeners.standin.server import Options, StandIn
from listeners.x_search import XSearch
from store import posts, sources, state
from store.database import Database
from store.search.embedded import Embedded
from store.search.request import Query

KEY = AuthorKeys.of_bytes(b"test")
DRAFTS = [Draft(n / 1000, {"id": f"d{n}", "text": f"incendie à Cholet {n}", "lang": "fr"}) for n in range(120)]


def clock() -> datetime:
    return datetime.now(UTC)


def searcher(db: Database, world: World, standin: StandIn, token: str = "token", **more: Any) -> XSearch:
    return XSearch("s", db, world, token=lambda: token, base_url=standin.url, clock=clock, **more)


def round_of(db: Database, world: World, one: XSearch) -> Collected:
    return collect(db, world, one.posts(), source="s", clock=clock, key=KEY, mark=one.mark)


def played(drafts: list[Draft] = DRAFTS, **options: Any) -> StandIn:
    standin = StandIn(drafts, Options(port=0, at_once=True, **options)).start()
    while not standin.status()["finished"]:
        time.sleep(0.02)
    return standin


def reason(db: Database) -> tuple[str, str]:
    with db.read() as conn:
        (health,) = [one for one in sources.all(conn) if one.source == "s"]
    return health.state, health.reason


def test_every_page_is_read_and_posts_are_marked_backfilled(db: Database, world: World) -> None:
    with played() as standin:
        assert round_of(db, world, searcher(db, world, standin)).kept == 120
        with db.read() as conn:
            (post,) = posts.get(conn, [f"x:{standin.play.played[0].id}"]).values()
    assert post.backfilled
    assert post.status == "Exercise"
    assert reason(db) == ("on", "")


def test_the_next_round_asks_only_for_what_is_new(db: Database, world: World) -> None:
    with played() as standin:
        round_of(db, world, searcher(db, world, standin))
        assert round_of(db, world, searcher(db, world, standin)) == Collected(0, 0)


def test_a_round_that_was_not_kept_is_asked_for_again(db: Database, world: World) -> None:
    with played() as standin:
        assert len(list(searcher(db, world, standin).posts())) == 120
        assert round_of(db, world, searcher(db, world, standin)).received == 120


def test_the_first_round_looks_back_as_far_as_it_is_told(db: Database, world: World) -> None:
    with played() as standin:
        one = searcher(db, world, standin)
        assert list(one.posts(since=clock() - timedelta(days=30)))
        assert len(list(one.posts(since=clock()))) == 120


def test_no_more_than_the_pages_allowed_are_read(db: Database, world: World) -> None:
    with played() as standin:
        assert len(list(searcher(db, world, standin, most_pages=1).posts())) == 100


def test_a_used_up_limit_is_waited_for_and_told(db: Database, world: World) -> None:
    with played(searches=1) as standin:
        first = round_of(db, world, searcher(db, world, standin))
        assert first.received == 100
        assert reason(db)[0] == "waiting"
        asked = standin.requests
        assert round_of(db, world, searcher(db, world, standin)).received == 0
        assert standin.requests == asked


def test_a_round_cut_short_begins_anew_with_what_it_left(db: Database, world: World) -> None:
    with played(searches=3) as standin:
        round_of(db, world, searcher(db, world, standin))
        with db.write() as conn:
            before = asked(state.get(conn, "x_search:s"))
            state.put(conn, "x_search:s", {"rest_until": None})
        standin.searches.at_most = 4
        round_of(db, world, searcher(db, world, standin))
        with db.read() as conn:
            assert asked(state.get(conn, "x_search:s")) > before


def asked(memory: dict[str, Any]) -> set[str]:
    return {key for key in memory if key.startswith("covered:")}


@pytest.mark.parametrize(("token", "code"), [("rejected", "401"), ("forbidden", "403")])
def test_a_refused_credential_is_told(db: Database, world: World, token: str, code: str) -> None:
    with played() as standin:
        round_of(db, world, searcher(db, world, standin, token))
    assert reason(db)[0] == "off"
    assert code in reason(db)[1]


def test_a_missing_credential_is_told(db: Database, world: World) -> None:
    def token() -> str:
        raise MissingSecret("X_BEARER_TOKEN is not set")

    one = XSearch("s", db, world, token=token, base_url="http://127.0.0.1:1", clock=clock)
    assert list(one.posts()) == []
    assert reason(db) == ("off", "no credential: X_BEARER_TOKEN is not set")


def test_a_server_that_is_not_there_is_told(db: Database, world: World) -> None:
    one = XSearch("s", db, world, token=lambda: "t", base_url="http://127.0.0.1:1", clock=clock)
    assert list(one.posts()) == []
    assert "cannot be reached" in reason(db)[1]


def test_what_was_found_can_be_searched_for(db: Database, world: World) -> None:
    with played(DRAFTS[:1]) as standin:
        round_of(db, world, searcher(db, world, standin))
    assert Embedded(db).search(Query("incendie")).total == 1


@pytest.mark.parametrize("remembered", ["rest_until", "covered"])
def test_a_clock_that_was_put_back_makes_no_search_wait(db: Database, world: World, remembered: str) -> None:
    ahead = (clock() + timedelta(hours=1)).isoformat()
    with played() as standin:
        round_of(db, world, searcher(db, world, standin))
        with db.write() as conn:
            keys = [key for key in state.get(conn, "x_search:s") if key.startswith("covered:")]
            spans: dict[str, Any] = {key: [[clock().isoformat(), ahead]] for key in keys}
            state.put(conn, "x_search:s", {"rest_until": ahead} if remembered == "rest_until" else spans)
        asked = standin.requests
        round_of(db, world, searcher(db, world, standin))
        assert standin.requests > asked
        with db.read() as conn:
            after = state.get(conn, "x_search:s")
    assert all(span[1] <= clock().isoformat() for key in keys for span in after[key])
