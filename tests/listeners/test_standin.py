"""The stand-in for X, spoken to by the unmodified tweepy."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
import tweepy

from listeners import x_wire
from listeners.standin.playback import Draft, FileFault, read
from listeners.standin.server import Options, PortInUse, StandIn


def draft(offset: float, text: str, **more: Any) -> Draft:
    return Draft(offset, {"id": f"d{offset}", "text": text, "lang": "fr", "author": "lea"} | more)


SMOKE = [
    draft(0.0, "fumée noire sur la zone", geo={"lat": 47.06, "lon": -0.88, "place": "Cholet"}),
    draft(0.1, "un café ?", author="4242"),
    draft(0.2, "encore de la fumée", reply_to="d0.0"),
]


@contextmanager
def playing(posts: list[Draft] = SMOKE, **options: Any) -> Iterator[StandIn]:
    with StandIn(posts, Options(**({"port": 0, "keep_alive": 0.2} | options))) as standin:
        yield standin


def through(session: requests.Session, standin: StandIn) -> x_wire.BaseUrl:
    adapter = x_wire.BaseUrl(standin.url, read_seconds=5)
    x_wire.mount(session, adapter)
    return adapter


def client(standin: StandIn, token: str = "token", **more: Any) -> tweepy.Client:
    made = tweepy.Client(token, **more)
    through(made.session, standin)
    return made


class Stream(tweepy.StreamingClient):
    def __init__(self, standin: StandIn, token: str = "token") -> None:
        super().__init__(token, max_retries=0, daemon=True)
        through(self.session, standin)
        self.heard: list[tweepy.StreamResponse] = []
        self.keep_alives = 0
        self.status = 0

    def on_response(self, response: tweepy.StreamResponse) -> None:
        self.heard.append(response)

    def on_keep_alive(self) -> None:
        self.keep_alives += 1

    def on_request_error(self, status_code: int) -> None:
        self.status = status_code
        self.disconnect()

    def on_closed(self, response: requests.Response) -> None:
        self.disconnect()


def until(condition: Callable[[], Any], seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def test_tweepy_hears_matching_posts_with_users_places_and_rules() -> None:
    with playing() as standin:
        stream = Stream(standin)
        stream.add_rules(tweepy.StreamRule("fumée -is:retweet", tag="smoke"))
        stream.filter(threaded=True, **x_wire.FIELDS)
        until(lambda: len(stream.heard) == 2)
        stream.disconnect()
    first, second = stream.heard
    assert first.data.text == "fumée noire sur la zone"
    assert first.data.geo["coordinates"]["coordinates"] == [-0.88, 47.06]
    assert first.includes["places"][0].full_name == "Cholet"
    assert first.includes["users"][0].username == "lea"
    assert [rule.tag for rule in first.matching_rules] == ["smoke"]
    assert second.data.referenced_tweets[0].type == "replied_to"
    assert second.data.referenced_tweets[0].id == first.data.id
    assert abs((first.data.created_at - datetime.now(UTC)).total_seconds()) < 5


def test_only_asked_fields_come() -> None:
    with playing() as standin:
        stream = Stream(standin)
        stream.add_rules(tweepy.StreamRule("fumée"))
        stream.filter(threaded=True)
        until(lambda: stream.keep_alives or stream.heard)
        until(lambda: standin.delivered)
        raw = client(standin, return_type=dict).search_recent_tweets("fumée")
    assert set(raw["data"][0]) == {"id", "text", "edit_history_tweet_ids"}
    assert "includes" not in raw


def test_a_quiet_stream_is_kept_alive() -> None:
    with playing([draft(0, "rien")]) as standin:
        stream = Stream(standin)
        stream.add_rules(tweepy.StreamRule("fumée"))
        stream.filter(threaded=True)
        until(lambda: stream.keep_alives >= 2)
        stream.disconnect()


def test_a_second_connection_is_refused_and_the_place_is_free_again_afterwards() -> None:
    with playing() as standin:
        first, second, third = Stream(standin), Stream(standin), Stream(standin)
        first.add_rules(tweepy.StreamRule("fumée", tag="t"))
        first.filter(threaded=True)
        until(lambda: standin.status()["connected"] == 1)
        second.filter()
        assert second.status == 429
        first.disconnect()
        until(lambda: standin.status()["connected"] == 0)
        third.filter(threaded=True)
        until(lambda: standin.status()["connected"] == 1)
        third.disconnect()


def test_the_fifty_first_connect_in_a_quarter_of_an_hour_is_refused_with_its_reset() -> None:
    with playing(connects=2) as standin:
        stream = Stream(standin)
        stream.add_rules(tweepy.StreamRule("fumée"))
        url, headers = f"{standin.url}/2/tweets/search/stream", {"Authorization": "Bearer t"}
        for _ in range(2):
            requests.get(url, headers=headers, stream=True, timeout=5).close()
            until(lambda: standin.status()["connected"] == 0)
        refused = requests.get(url, headers=headers, timeout=5)
    assert refused.status_code == 429
    assert refused.headers["x-rate-limit-remaining"] == "0"
    assert 0 < int(refused.headers["x-rate-limit-reset"]) - time.time() <= 902


def test_a_stream_without_rules_is_refused() -> None:
    with playing() as standin:
        stream = Stream(standin)
        stream.filter()
    assert stream.status == 409


@pytest.mark.parametrize(("token", "error"), [("rejected", tweepy.Unauthorized), ("forbidden", tweepy.Forbidden)])
def test_a_refused_credential_is_told_apart(token: str, error: type[Exception]) -> None:
    with playing() as standin, pytest.raises(error):
        client(standin, token).search_recent_tweets("fumée")


def test_a_missing_credential_is_unauthorized() -> None:
    with playing() as standin:
        assert requests.get(f"{standin.url}/2/tweets/search/recent?query=a", timeout=5).status_code == 401


def test_rules_are_listed_and_deleted() -> None:
    with playing() as standin:
        stream = Stream(standin)
        made = stream.add_rules([tweepy.StreamRule("fumée", tag="a"), tweepy.StreamRule("feu")]).data
        assert [(rule.value, rule.tag) for rule in stream.get_rules().data] == [("fumée", "a"), ("feu", None)]
        answer = stream.delete_rules([made[0].id])
        assert answer.meta["summary"] == {"deleted": 1, "not_deleted": 0}
        assert [rule.value for rule in stream.get_rules().data] == ["feu"]


def test_a_dry_run_checks_and_changes_nothing() -> None:
    with playing() as standin:
        stream = Stream(standin)
        assert stream.add_rules(tweepy.StreamRule("fumée"), dry_run=True).meta["summary"]["valid"] == 1
        assert stream.get_rules().data is None


def test_a_twin_and_a_rule_that_cannot_be_read_are_named_as_x_names_them() -> None:
    with playing() as standin:
        stream = Stream(standin)
        stream.add_rules(tweepy.StreamRule("fumée"))
        twin = stream.add_rules(tweepy.StreamRule("fumée")).errors[0]
        unreadable = stream.add_rules(tweepy.StreamRule("has:geo")).errors[0]
        long = stream.add_rules(tweepy.StreamRule("a" * 1025)).errors[0]
    assert (twin["title"], twin["value"]) == ("DuplicateRule", "fumée")
    assert unreadable["title"] == "UnprocessableEntity"
    assert "stand-alone" in unreadable["details"][0]
    assert "1024" in long["details"][0]


def test_the_thousand_and_first_rule_is_refused() -> None:
    with playing(rules=3) as standin:
        stream = Stream(standin)
        stream.add_rules([tweepy.StreamRule(f"mot{number}") for number in range(3)])
        with pytest.raises(tweepy.HTTPException, match="maximum number of rules"):
            stream.add_rules(tweepy.StreamRule("encore"))


def test_a_changed_rule_acts_at_once() -> None:
    posts = [draft(0.0, "fumée"), draft(0.6, "inondation")]
    with playing(posts) as standin:
        stream = Stream(standin)
        stream.add_rules(tweepy.StreamRule("fumée"))
        stream.filter(threaded=True)
        until(lambda: standin.delivered == 1)
        stream.add_rules(tweepy.StreamRule("inondation"))
        until(lambda: standin.delivered == 2)
        stream.disconnect()


def test_search_pages_through_everything_newest_first() -> None:
    posts = [draft(number / 1000, f"fumée {number}") for number in range(25)]
    with playing(posts, at_once=True) as standin:
        until(lambda: standin.status()["finished"])
        pages = [page.data for page in tweepy.Paginator(client(standin).search_recent_tweets, "fumee", max_results=10)]
    texts = [tweet.text for page in pages for tweet in page]
    assert [len(page) for page in pages] == [10, 10, 5]
    assert texts == [f"fumée {number}" for number in reversed(range(25))]


def test_search_gives_only_what_is_newer_than_since_id() -> None:
    with playing(at_once=True) as standin:
        until(lambda: standin.status()["finished"])
        newest, oldest = client(standin).search_recent_tweets("fumée").data
        assert [tweet.id for tweet in client(standin).search_recent_tweets("fumée", since_id=oldest.id).data] == [
            newest.id
        ]


def test_search_keeps_to_its_window() -> None:
    now, ahead = datetime.now(UTC), [timedelta(0)]
    with StandIn(SMOKE, Options(port=0, at_once=True), clock=lambda: datetime.now(UTC) + ahead[0]) as standin:
        until(lambda: len(standin.play.played) == 3)
        ahead[0] = timedelta(minutes=30)
        asked = client(standin)
        assert asked.search_recent_tweets("fumée", start_time=now + timedelta(minutes=5)).data is None
        assert len(asked.search_recent_tweets("fumée", end_time=now + timedelta(minutes=5)).data) == 2
        with pytest.raises(tweepy.BadRequest):
            asked.search_recent_tweets("fumée", start_time=now - timedelta(days=8))


@pytest.mark.parametrize(
    "params",
    [
        {"query": "a" * 513},
        {"query": "has:geo"},
        {"query": "fumée", "max_results": 101},
        {"query": "fumée", "max_results": 9},
        {"query": "fumée", "since_id": "abc"},
        {"query": "fumée", "next_token": "zz-"},
        {"query": "fumée", "tweet_fields": ["mood"]},
        {"query": "fumée", "start_time": "yesterday"},
    ],
)
def test_search_refuses_what_x_refuses(params: dict[str, Any]) -> None:
    with playing() as standin, pytest.raises(tweepy.BadRequest):
        client(standin).search_recent_tweets(**params)


def test_search_counts_requests_and_says_when_the_window_ends() -> None:
    with playing(searches=1) as standin:
        asked = client(standin, return_type=requests.Response)
        assert asked.search_recent_tweets("fumée").headers["x-rate-limit-remaining"] == "0"
        with pytest.raises(tweepy.TooManyRequests) as refused:
            asked.search_recent_tweets("fumée")
    assert refused.value.reset_time > time.time()


def test_speed_shortens_the_wait_and_ids_rise() -> None:
    with playing([draft(number * 10, f"fumée {number}") for number in range(10)], speed=1000, at_once=True) as standin:
        until(lambda: standin.status()["finished"], 2)
        played = standin.play.played
    ids = [int(tweet.id) for tweet in played]
    assert ids == sorted(set(ids))
    assert timedelta(seconds=0.08) < played[-1].created_at - played[0].created_at < timedelta(seconds=0.1)


def test_a_loop_starts_again_with_new_ids() -> None:
    with playing([draft(0, "fumée")], loop=True, at_once=True) as standin:
        until(lambda: len(standin.play.played) == 2)
        assert standin.play.played[0].id != standin.play.played[1].id


def test_every_answer_says_that_it_is_an_exercise() -> None:
    with playing() as standin:
        health = requests.get(f"{standin.url}/health", timeout=5)
        refused = requests.get(f"{standin.url}/2/nothing", timeout=5)
    assert health.json()["posts"] == 3
    assert health.headers["x-vigie-status"] == refused.headers["x-vigie-status"] == "Exercise"


def test_a_taken_port_is_named_with_what_to_do() -> None:
    with playing() as standin:
        port = int(standin.url.rpartition(":")[2])
        with pytest.raises(PortInUse, match=rf"port {port} .*--port"):
            StandIn(SMOKE, Options(port=port))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{not json", "line 2"),
        ('{"id": "a", "at": 0}', "no text"),
        ('{"id": "a", "text": "b"}', "no created_at"),
        ('{"id": "a", "text": "b", "created_at": "tomorrow"}', "tomorrow"),
        ('["a"]', "line 2"),
        ('{"id": "a", "text": 3, "at": 0}', "text must be a string"),
    ],
)
def test_a_bad_line_of_the_file_is_named(line: str, says: str, tmp_path: Any) -> None:
    file = tmp_path / "posts.jsonl"
    file.write_text(json.dumps({"id": "0", "text": "a", "at": 0}) + "\n" + line)
    with pytest.raises(FileFault, match=says):
        read(file)


def test_a_body_that_is_not_json_gets_an_answer() -> None:
    with playing() as standin:
        url, headers = f"{standin.url}/2/tweets/search/stream/rules", {"Authorization": "Bearer t"}
        for body in (b"\xff{", b"[]", b'{"add": []}', b'{"add": [{"value": 3}]}', b'{"delete": 3}', b"null"):
            assert requests.post(url, data=body, headers=headers, timeout=5).status_code == 400
