"""The stream listener, with the real tweepy, against the stand-in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from config.secrets import MissingSecret
from config.world import World
from listeners.authors import AuthorKeys
from listeners.collect import collect
from listeners.standin.playback import Draft
from listeners.standin.server import Options, StandIn
from listeners.x_stream import XStream
from store import posts, sources, state
from store.database import Database
from store.records import SourceHealth

KEY = AuthorKeys.of_bytes(b"test")
LOOK = timedelta(seconds=0.1)
GEO = {"lat": 47.06, "lon": -0.88}
POSTS = [
    Draft(0.0, {"id": "a", "text": "Grosse fumée à Cholet", "lang": "fr", "author": "4242", "geo": GEO}),
    Draft(0.1, {"id": "b", "text": "Barbecue à Cholet, belle fumée", "lang": "fr", "author": "lea"}),
    Draft(0.2, {"id": "c", "text": "On a vu la FUMEE depuis Cholet", "lang": "fr", "author": "paul"}),
]  # fmt: skip


def clock() -> datetime:
    return datetime.now(UTC)


@contextmanager
def listening(
    db: Database, world: World, standin: StandIn, token: Callable[[], str] = lambda: "token", **more: Any
) -> Iterator[XStream]:
    stream = XStream(
        "x",
        db,
        world,
        token=token,
        base_url=standin.url,
        clock=clock,
        rng=Random(1),
        wait_seconds=0.05,
        **{"look": LOOK} | more,
    )
    try:
        yield stream
    finally:
        stream.close()


def take(db: Database, world: World, stream: XStream, until: Callable[[], Any], seconds: float = 6) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, f"it did not happen in time: {health(db)}"
        collect(db, world, stream.posts(), source="x", clock=clock, key=KEY)
        stream.note()


def health(db: Database) -> SourceHealth | None:
    with db.read() as conn:
        return next(iter(sources.all(conn)), None)


def said(db: Database, words: str) -> bool:
    known = health(db)
    return known is not None and words in known.reason


def kept(db: Database) -> int:
    with db.read() as conn:
        return conn.exec_driver_sql("SELECT count(*) FROM posts").scalar_one()


def test_posts_of_x_reach_the_store_as_exercise_with_what_the_matcher_says(db: Database, world: World) -> None:
    with StandIn(POSTS, Options(port=0)) as standin, listening(db, world, standin) as stream:
        take(db, world, stream, lambda: kept(db) == 2)
        first, second = standin.play.played[0], standin.play.played[2]
        with db.read() as conn:
            found = posts.get(conn, [f"x:{first.id}", f"x:{second.id}"])
        known = health(db)
    post = found[f"x:{first.id}"]
    assert post.filters == ("fire",)
    assert post.status == "Exercise"
    assert post.trusted
    assert post.author == KEY.pseudonym("x", "4242", post.received_at)
    assert (post.geo and post.geo.lat) == 47.06
    assert not found[f"x:{second.id}"].trusted
    assert known is not None
    assert (known.state, known.kept) == ("on", 2)


def test_a_post_is_in_the_store_within_200_ms_of_its_coming(db: Database, world: World) -> None:
    later = [Draft(0.0, POSTS[0].line), Draft(0.5, POSTS[2].line)]
    with StandIn(later, Options(port=0)) as standin, listening(db, world, standin) as stream:
        take(db, world, stream, lambda: kept(db) == 2)
        delay = clock() - standin.play.played[1].created_at
    assert delay < timedelta(milliseconds=200)


def test_a_missing_credential_is_told_and_taken_up_when_it_comes(db: Database, world: World) -> None:
    given: list[str] = []

    def token() -> str:
        if not given:
            raise MissingSecret("X_BEARER_TOKEN is not set")
        return given[0]

    with StandIn(POSTS, Options(port=0)) as standin, listening(db, world, standin, token) as stream:
        take(db, world, stream, lambda: said(db, "X_BEARER_TOKEN is not set"))
        assert (known := health(db))
        assert known.state == "off"
        given.append("token")
        take(db, world, stream, lambda: kept(db) == 2)


@pytest.mark.parametrize(("token", "code"), [("rejected", "401"), ("forbidden", "403")])
def test_a_refused_credential_is_tried_once_and_told(db: Database, world: World, token: str, code: str) -> None:
    with StandIn(POSTS, Options(port=0)) as standin, listening(db, world, standin, lambda: token) as stream:
        take(db, world, stream, lambda: said(db, code))
        asked = standin.requests
        end = time.monotonic() + 0.5
        take(db, world, stream, lambda: time.monotonic() > end)
        assert standin.requests == asked
        assert (known := health(db))
        assert known.state == "off"


@pytest.mark.parametrize("token", ["", " ", "a\nb", "clé", "\ud800", "🔥"])
def test_a_token_that_is_none_is_told_and_never_shown(db: Database, world: World, token: str) -> None:
    with StandIn(POSTS, Options(port=0)) as standin, listening(db, world, standin, lambda: token) as stream:
        take(db, world, stream, lambda: said(db, "copy it again"))
        assert standin.requests == 0


def test_an_address_that_is_none_is_told(db: Database, world: World) -> None:
    stream = XStream(
        "x", db, world, token=lambda: "t", base_url="api.twitter.com", clock=clock, rng=Random(1), wait_seconds=0.05
    )
    take(db, world, stream, lambda: said(db, "VIGIE_X_BASE_URL must be like"))
    stream.close()


def test_close_does_not_wait_for_the_next_line(db: Database, world: World) -> None:
    quiet = [Draft(0.0, {"id": "z", "text": "rien"})]
    with StandIn(quiet, Options(port=0)) as standin, listening(db, world, standin) as stream:
        take(db, world, stream, lambda: standin.status()["connected"] == 1)
        start, thread = time.monotonic(), stream._thread
        stream.close()
        assert time.monotonic() - start < 0.5
        assert thread is not None
        assert not thread.is_alive()


def test_silence_without_keep_alive_is_noticed(db: Database, world: World) -> None:
    with (
        StandIn([Draft(0.0, {"id": "z", "text": "rien"})], Options(port=0, keep_alive=60)) as standin,
        listening(db, world, standin, stall_seconds=0.3) as stream,
    ):
        take(db, world, stream, lambda: standin.connects.used >= 2)
        with db.read() as conn:
            assert len(state.get(conn, "x_stream:x")["connects"]) == standin.connects.used


def test_a_full_limit_of_x_is_waited_for(db: Database, world: World) -> None:
    with StandIn(POSTS, Options(port=0, connects=0)) as standin, listening(db, world, standin) as stream:
        take(db, world, stream, lambda: said(db, "429"))
        end = time.monotonic() + 0.5
        take(db, world, stream, lambda: time.monotonic() > end)
        with db.read() as conn:
            assert len(state.get(conn, "x_stream:x")["connects"]) == 1


def test_connects_are_counted_across_restarts(db: Database, world: World) -> None:
    many = [(clock() - timedelta(seconds=second)).isoformat() for second in range(50)]
    with db.write() as conn:
        state.put(conn, "x_stream:x", {"connects": many})
    with StandIn(POSTS, Options(port=0)) as standin, listening(db, world, standin) as stream:
        take(db, world, stream, lambda: said(db, "50 connects"))
        assert standin.requests == 0


def test_a_server_that_is_not_there_is_told_and_found_when_it_comes(db: Database, world: World) -> None:
    with StandIn(POSTS, Options(port=0)) as gone:
        port = int(gone.url.rpartition(":")[2])
    with listening(db, world, gone) as stream:
        take(db, world, stream, lambda: said(db, "cannot be reached"))
        with StandIn(POSTS, Options(port=port)):
            take(db, world, stream, lambda: kept(db) == 2)


def test_a_changed_configuration_changes_the_rules_without_a_new_connection(db: Database, world: World) -> None:
    later = [POSTS[0], Draft(1.0, {"id": "e", "text": "séisme ressenti", "lang": "fr"})]
    quake = "filters: [{id: quake, purpose: Hear of earthquakes, keywords: [séisme], where: anywhere}]"
    base = "name: {fr: a, en: b}\ndefault_lead: p\nagencies: [{id: p, name: {fr: a, en: b}, kind: prefecture}]\n"
    changed = World.from_files("v2", {"bundle.yaml": base + quake})
    with StandIn(later, Options(port=0)) as standin, listening(db, world, standin) as stream:
        take(db, world, stream, lambda: kept(db) == 1)
        stream.adopt(changed)
        take(db, changed, stream, lambda: kept(db) == 2)
        assert standin.connects.used == 1
        assert [rule["value"] for rule in standin.rules.listed()] == ["(séisme OR seisme) -is:retweet"]
