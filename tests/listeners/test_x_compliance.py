"""The daily question to X what it took back, put to the stand-in through tweepy and plain HTTP."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event
from typing import Any

import hypothesis
import pytest
import tweepy
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from config.bundle import Source
from config.settings import settings
from config.world import World
from listeners import x_compliance, x_wire
from listeners.authors import AuthorKeys
from listeners.collect import collect
from listeners.health import COMPLIANCE
from listeners.standin.playback import Draft
from listeners.standin.server import Options, StandIn
from listeners.x_compliance import EVERY, Compliance, Job, comply
from listeners.x_wire import incoming
from store import ledger, posts, sources, state
from store.database import Database
from store.records import SourceHealth

KEY = AuthorKeys.of_bytes(b"test")
PATIENCE = timedelta(seconds=20)
GEO = {"lat": 47.06, "lon": -0.88, "place": "Cholet"}
NAMES = ("a", "b", "c", "d", "e")


class Clock:
    """The present, moved on where a test says so."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def standin() -> Iterator[StandIn]:
    drafts = [Draft(0, {"id": name, "text": f"incendie {name} à Cholet", "author": name, "geo": GEO}) for name in NAMES]
    with StandIn(drafts, Options(port=0, at_once=True, job_seconds=0)) as one:
        end = time.monotonic() + 5
        while len(one.play.played) < len(NAMES):
            assert time.monotonic() < end
            time.sleep(0.01)
        yield one


@pytest.fixture
def ids(standin: StandIn, db: Database, world: World) -> dict[str, str]:
    """Every post of the stand-in, kept; its name → its id in the store."""
    came = []
    for tweet in standin.play.played:
        data = {"id": tweet.id, "text": tweet.text, "created_at": tweet.created_at.isoformat(), "lang": "fr"}
        geo = {"coordinates": {"coordinates": [-0.88, 47.06]}}
        came.append(incoming(data | {"geo": geo, "author_id": "1"}, {}))
    collect(db, world, came, source="x", clock=lambda: datetime.now(UTC), key=KEY)
    return {name: f"x:{tweet.id}" for name, tweet in zip(NAMES, standin.play.played, strict=True)}


@pytest.fixture
def asked(db: Database, world: World, standin: StandIn, clock: Clock) -> Callable[..., Compliance]:
    def make(token: str = "token", base_url: str | None = None, **more: int) -> Compliance:
        here = base_url or standin.url
        return Compliance(
            "x", db, world, token=lambda: token, base_url=here, clock=clock, key=KEY, stop=Event(), **more
        )  # fmt: skip

    return make


def kept(db: Database, ids: dict[str, str]) -> set[str]:
    with db.read() as conn:
        there = posts.get(conn, list(ids.values()))
    return {name for name, id in ids.items() if id in there}


def said(db: Database) -> SourceHealth:
    with db.read() as conn:
        return next(one for one in sources.all(conn) if one.source == COMPLIANCE)


@pytest.mark.parametrize("reason", ["deleted", "deactivated", "protected", "suspended"])
def test_what_x_took_back_goes_whatever_the_reason(
    asked: Callable[..., Compliance], standin: StandIn, db: Database, ids: dict[str, str], reason: str
) -> None:
    standin.delete("b", reason)
    assert asked().run(PATIENCE) == 1
    assert kept(db, ids) == {"a", "c", "d", "e"}
    assert said(db).state == "on"
    with db.read() as conn:
        (line,) = ledger.entries(conn, kind="post.deleted")
    assert (line.subject, line.detail["via"]) == (ids["b"], "compliance")


def test_a_position_taken_back_goes_and_the_post_stays(
    asked: Callable[..., Compliance], standin: StandIn, db: Database, ids: dict[str, str]
) -> None:
    standin.delete("c", "scrub_geo")
    assert asked().run(PATIENCE) == 0
    with db.read() as conn:
        found = posts.get(conn, [ids["b"], ids["c"]])
        (line,) = ledger.entries(conn, kind="post.position")
    assert (found[ids["b"]].geo is None, found[ids["c"]].geo is None) == (False, True)
    assert line.subject == ids["c"]


def test_an_edit_that_the_stream_did_not_tell_is_looked_up(
    asked: Callable[..., Compliance], standin: StandIn, db: Database, ids: dict[str, str]
) -> None:
    standin.edit("a", "incendie éteint à Cholet")
    standin.edit("b", "un café à Cholet ?")
    asked().run(PATIENCE)
    with db.read() as conn:
        assert posts.get(conn, [ids["a"]])[ids["a"]].text == "incendie éteint à Cholet"
        told = {line.subject: line.detail["via"] for line in ledger.entries(conn, kind="post.edited")}
    assert kept(db, ids) == {"a", "c", "d", "e"}
    assert told == {ids["a"]: "compliance", ids["b"]: "compliance"}


def test_many_posts_take_several_jobs(
    asked: Callable[..., Compliance],
    standin: StandIn,
    db: Database,
    ids: dict[str, str],
) -> None:
    for name in NAMES:
        standin.delete(name)
    assert asked(most=2).run(PATIENCE) == 5
    assert len(standin.jobs.listed({"type": "tweets"})["data"]) == 3
    assert kept(db, ids) == set()


def test_a_round_is_begun_once_a_day(
    asked: Callable[..., Compliance], standin: StandIn, db: Database, ids: dict[str, str], clock: Clock
) -> None:
    asked().run(PATIENCE)
    standin.delete("a")
    assert asked().run(PATIENCE) == 0
    clock.ahead = EVERY
    assert asked().run(PATIENCE) == 1


def make_job(standin: StandIn, name: str) -> None:
    client = tweepy.Client("token", return_type=dict)
    x_wire.mount(client.session, x_wire.BaseUrl(standin.url))
    client.create_compliance_job("tweets", name=name)


def test_a_job_made_just_before_a_kill_is_taken_up(
    asked: Callable[..., Compliance], standin: StandIn, ids: dict[str, str]
) -> None:
    standin.delete("a")
    make_job(standin, f"vigie-0-{len(ids)}")
    assert asked().run(PATIENCE) == 1
    assert len(standin.jobs.listed({"type": "tweets"})["data"]) == 1


def test_a_job_of_somebody_else_is_waited_for(
    asked: Callable[..., Compliance], standin: StandIn, db: Database, ids: dict[str, str]
) -> None:
    make_job(standin, "nightly")
    asked().run(PATIENCE)
    assert "another job runs" in said(db).reason


def test_a_job_that_is_not_done_in_time_is_asked_for_by_the_next_process(
    asked: Callable[..., Compliance], db: Database, ids: dict[str, str], standin: StandIn
) -> None:
    standin.jobs.seconds = timedelta(hours=1)
    standin.delete("a")
    assert asked().run(timedelta(seconds=0.2)) == 0
    assert (said(db).state, "not done yet" in said(db).reason) == ("waiting", True)
    standin.jobs.seconds = timedelta()
    assert asked().run(PATIENCE) == 1
    assert said(db).state == "on"
    assert len(standin.jobs.listed({"type": "tweets"})["data"]) == 1


def test_a_job_that_ran_out_before_its_ids_came_is_made_anew(
    asked: Callable[..., Compliance], db: Database, ids: dict[str, str], standin: StandIn
) -> None:
    standin.delete("a")
    job = standin.jobs.create({"type": "tweets", "name": "vigie"})["data"]
    lost = Job(job["id"], "vigie", f"{standin.url}/compliance/upload/{job['id']}-wrong", 0, len(ids))
    with db.write() as conn:
        began = {"began": datetime.now(UTC).isoformat(), "after": 0, "job": asdict(lost)}
        state.put(conn, x_compliance.STAGE, began)
    assert asked().run(PATIENCE) == 0
    assert "sending the ids gave" in said(db).reason
    standin.jobs.upload(f"/compliance/upload/{job['upload_url'].rpartition('/')[2]}", b"")
    assert asked().run(PATIENCE) == 1


def test_a_refused_credential_is_not_tried_again_until_it_changes(
    asked: Callable[..., Compliance], standin: StandIn, db: Database, ids: dict[str, str], clock: Clock
) -> None:
    standin.break_with(403, on="compliance")
    asked().run(PATIENCE)
    standin.delete("a")
    assert said(db).state == "off"
    assert asked().run(PATIENCE) == 0
    assert asked("another").run(PATIENCE) == 1
    assert said(db).state == "on"


def test_after_too_many_requests_nothing_is_asked_until_the_reset(
    asked: Callable[..., Compliance], standin: StandIn, db: Database, ids: dict[str, str], clock: Clock
) -> None:
    standin.break_with(429, on="compliance")
    asked().run(PATIENCE)
    standin.delete("a")
    assert "allows no more" in said(db).reason
    assert asked().run(PATIENCE) == 0
    clock.ahead = timedelta(hours=1)
    assert asked().run(PATIENCE) == 1


def test_without_answer_the_reason_is_shown_and_the_round_goes_on_later(
    asked: Callable[..., Compliance], db: Database, ids: dict[str, str]
) -> None:
    assert asked(base_url="http://127.0.0.1:9").run(PATIENCE) == 0
    assert said(db).state == "waiting"
    with db.read() as conn:
        assert state.get(conn, x_compliance.STAGE)["after"] == 0


def test_ids_go_to_no_address_that_is_not_encrypted(asked: Callable[..., Compliance]) -> None:
    with pytest.raises(x_compliance.Broken, match="not encrypted"):
        asked()._ask("PUT", "http://elsewhere.test/upload", b"1")


def test_without_a_source_of_x_nothing_is_asked(db: Database, world: World, clock: Clock) -> None:
    assert comply(db, world, settings({}), clock=clock, stop=Event()) == 0
    with db.read() as conn:
        assert sources.all(conn) == []


def test_without_a_credential_it_is_off(
    db: Database, world: World, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("X_BEARER_TOKEN", raising=False)
    bundle = world.bundle.model_copy(update={"sources": (Source(id="x", kind="x_stream", enabled=True),)})
    comply(db, replace(world, bundle=bundle), settings({}), clock=clock, stop=Event())
    assert (said(db).state, "no credential" in said(db).reason) == ("off", True)


class Strange(ThreadingHTTPServer):
    """Answers every request alike, with a status, headers and a body that nobody expects."""

    status, body, reset = 200, b"{}", "0"


class _Answers(BaseHTTPRequestHandler):
    server: Strange

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(self.server.status)
        self.send_header("x-rate-limit-reset", self.server.reset)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    do_POST = do_PUT = do_GET


@pytest.fixture
def strange() -> Iterator[Strange]:
    with Strange(("127.0.0.1", 0), _Answers) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield server
        server.shutdown()


THINGS = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8), st.lists(st.integers(), max_size=2))
STATES = THINGS | st.sampled_from(["created", "in_progress", "complete", "expired", "failed"])
URLS = THINGS | st.sampled_from(["HERE/x", "https://127.0.0.1:9/x", "http://elsewhere.test/x", "https://[", ""])
JOB = st.fixed_dictionaries(
    {}, optional={"id": THINGS, "status": STATES, "name": THINGS, "upload_url": URLS, "download_url": URLS}
)
ANSWERS = st.one_of(
    THINGS, st.fixed_dictionaries({}, optional={"data": THINGS | JOB | st.lists(JOB), "errors": THINGS})
)


@hypothesis.settings(
    deadline=None, derandomize=True, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    status=st.sampled_from([200, 200, 200, 400, 404, 409, 429, 500]),
    answer=ANSWERS,
    reset=st.text("0159ab", max_size=25),
)
def test_whatever_x_answers_the_round_ends_with_a_reason(
    asked: Callable[..., Compliance],
    strange: Strange,
    db: Database,
    ids: dict[str, str],
    status: int,
    answer: Any,
    reset: str,
) -> None:
    here = f"http://127.0.0.1:{strange.server_address[1]}"
    strange.status, strange.reset = status, reset
    strange.body = json.dumps(answer).replace("HERE", here).encode()
    with db.write() as conn:
        state.put(conn, x_compliance.STAGE, {"began": None, "after": 0, "job": None, "rest_until": None})
    assert asked(base_url=here).run(timedelta(seconds=0.1)) == 0
    assert (said(db).state, bool(said(db).reason)) == ("waiting", True)
    assert kept(db, ids) == set(NAMES)


def test_histories_that_say_nothing_of_versions_are_passed_over(
    asked: Callable[..., Compliance], strange: Strange, db: Database, ids: dict[str, str]
) -> None:
    strange.body = json.dumps({"data": [{}, {"edit_history_tweet_ids": ["x"]}, 3, None]}).encode()
    here = f"http://127.0.0.1:{strange.server_address[1]}"
    client = tweepy.Client("token", return_type=dict)
    x_wire.mount(client.session, x_wire.BaseUrl(here))
    assert list(asked()._versions(client, ["1"])) == []
