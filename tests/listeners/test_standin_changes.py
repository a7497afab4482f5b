"""Edits, deletions and compliance jobs on the stand-in, through the unmodified tweepy and plain HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import tweepy

from listeners import x_wire
from listeners.standin import archive, script
from listeners.standin.playback import Draft, FileFault, read
from listeners.standin.server import Options, StandIn

BEARER = {"Authorization": "Bearer token"}
POST = {"id": "a", "text": "fumée noire", "author": "4242", "geo": {"lat": 47.06, "lon": -0.88, "place": "Cholet"}}
OTHER = {"id": "b", "text": "fumée grise", "author": "lea"}


@contextmanager
def playing(*later: tuple[float, dict[str, Any]], **options: Any) -> Iterator[StandIn]:
    drafts = [Draft(0, POST), Draft(0, OTHER), *(Draft(offset, line) for offset, line in later)]
    with StandIn(
        drafts, Options(**({"port": 0, "keep_alive": 0.1, "at_once": True, "job_seconds": 0.1} | options))
    ) as one:
        until(lambda: len(one.play.played) >= 2)
        yield one


def until(condition: Callable[[], Any], seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def client(standin: StandIn) -> tweepy.Client:
    made = tweepy.Client("token", return_type=dict)
    x_wire.mount(made.session, x_wire.BaseUrl(standin.url))
    return made


def found(standin: StandIn) -> list[str]:
    answer = client(standin).search_recent_tweets("fumee", **x_wire.FIELDS)
    return [tweet["text"] for tweet in answer.get("data", [])]


@contextmanager
def listening(standin: StandIn) -> Iterator[Iterator[dict[str, Any]]]:
    url = f"{standin.url}/2/tweets/search/stream"
    requests.post(f"{url}/rules", json={"add": [{"value": "fumée"}]}, headers=BEARER, timeout=5)
    with requests.get(url, headers=BEARER, stream=True, timeout=5) as response:
        yield (json.loads(line) for line in response.iter_lines(chunk_size=1) if line)


def test_a_deleted_post_is_told_in_the_stream_in_the_words_of_compliance() -> None:
    with playing() as standin, listening(standin) as lines:
        gone = standin.play.played[0].id
        standin.delete("a")
        told = next(lines)["data"]["delete"]
    assert told["tweet"] == {"id": gone, "author_id": "4242"}
    assert abs(datetime.fromisoformat(told["event_at"]) - datetime.now(UTC)) < timedelta(seconds=5)


def test_search_no_longer_finds_a_deleted_post() -> None:
    with playing() as standin:
        standin.delete(standin.play.played[0].id)
        assert found(standin) == ["fumée grise"]


def test_an_edited_post_comes_again_with_its_history() -> None:
    with playing() as standin, listening(standin) as lines:
        first = standin.play.played[0].id
        second, third = standin.edit("a", "fumée blanche"), standin.edit(first, "fumée bleue")
        told = [next(lines)["data"] for _ in range(2)]
    assert [tweet["text"] for tweet in told] == ["fumée blanche", "fumée bleue"]
    assert [tweet["id"] for tweet in told] == [second, third]
    assert told[1]["edit_history_tweet_ids"] == [first, second, third]
    assert int(first) < int(second) < int(third)


def test_search_finds_only_the_newest_version() -> None:
    with playing() as standin:
        standin.edit("a", "fumée blanche")
        assert found(standin) == ["fumée blanche", "fumée grise"]


def test_what_comes_and_goes_between_two_pages_of_search_moves_nothing() -> None:
    later = [(0.0, {"id": f"p{number}", "text": f"fumée {number}"}) for number in range(20)]
    with playing(*later) as standin:
        until(lambda: standin.status()["finished"])
        asked = client(standin)
        first = asked.search_recent_tweets("fumee", max_results=10)
        standin.delete("p19")
        standin.delete("p18")
        standin.edit("p17", "fumée nouvelle")
        second = asked.search_recent_tweets("fumee", max_results=10, next_token=first["meta"]["next_token"])
    assert [tweet["text"] for tweet in second["data"]] == [f"fumée {number}" for number in reversed(range(10))]


def test_with_one_version_all_go() -> None:
    with playing() as standin, listening(standin) as lines:
        old = standin.play.played[0].id
        new = standin.edit("a", "fumée blanche")
        standin.delete(old)
        told = [next(lines) for _ in range(3)][1:]
        assert found(standin) == ["fumée grise"]
    assert [line["data"]["delete"]["tweet"]["id"] for line in told] == [old, new]


def test_a_deleted_post_cannot_be_edited() -> None:
    with playing() as standin:
        standin.delete("a")
        with pytest.raises(KeyError, match="taken away"):
            standin.edit("a", "encore")


def test_a_post_that_has_not_come_cannot_be_deleted() -> None:
    with playing() as standin, pytest.raises(KeyError, match="has come yet"):
        standin.delete("zzz")


def test_lines_of_the_file_edit_and_delete() -> None:
    changes = [(0.05, {"edit": "a", "text": "fumée blanche"}), (0.1, {"delete": "b", "reason": "suspended"})]
    with playing(*changes) as standin:
        until(lambda: standin.status()["finished"])
        assert found(standin) == ["fumée blanche"]
        assert (standin.status()["edited"], standin.status()["deleted"]) == (1, 1)


def test_the_fault_script_edits_and_deletes() -> None:
    text = 'faults: [{at: 0, what: edit, id: a, text: "fumée blanche"}, {at: 0.1, what: delete, id: b}]'
    with playing(faults=tuple(script.parse("f.yaml", text))) as standin:
        until(lambda: standin.status()["faults"] == {"edit": 1, "delete": 1})
        until(lambda: found(standin) == ["fumée blanche"])


def test_a_change_that_comes_too_late_does_not_end_the_play() -> None:
    with playing((0.2, {"edit": "a", "text": "trop tard"}), (0.2, {"id": "c", "text": "fumée c"})) as standin:
        standin.delete("a")
        until(lambda: standin.status()["finished"])
        assert found(standin) == ["fumée c", "fumée grise"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ({"at": 1, "delete": "x"}, 'line 2: no post "x" comes before'),
        ({"at": 1, "edit": "a"}, "line 2: it has no text"),
        ({"delete": "a"}, "line 2: it has no created_at"),
        ({"at": 1, "delete": "a", "reason": "bored"}, "line 2: its reason must be one of deleted"),
        ({"at": -1, "delete": "a"}, 'line 2: no post "a" comes before'),
    ],
)
def test_a_bad_change_in_the_file_is_named(line: dict[str, Any], says: str, tmp_path: Path) -> None:
    file = tmp_path / "posts.jsonl"
    file.write_text(json.dumps(POST | {"at": 0}) + "\n" + json.dumps(line))
    with pytest.raises(FileFault, match=says):
        read(file)


def run_job(standin: StandIn, ids: list[str]) -> list[dict[str, Any]]:
    """What a whole job says of the ids."""
    asked = client(standin)
    job = asked.create_compliance_job("tweets", name="nightly")["data"]
    text = {"Content-Type": "text/plain"}
    assert requests.put(job["upload_url"], "\n".join(ids).encode(), headers=text, timeout=5).status_code == 200
    until(lambda: asked.get_compliance_job(job["id"])["data"]["status"] == "complete")
    return [json.loads(line) for line in requests.get(job["download_url"], timeout=5).text.splitlines()]


def test_a_job_tells_which_posts_are_gone_and_why() -> None:
    with playing() as standin:
        gone, kept = (tweet.id for tweet in standin.play.played)
        standin.delete("a", "protected")
        (line,) = run_job(standin, [kept, gone, "12345"])
    assert (line["id"], line["action"], line["reason"]) == (gone, "delete", "protected")
    assert datetime.fromisoformat(line["created_at"]) <= datetime.fromisoformat(line["redacted_at"])


def test_a_job_names_the_old_versions_of_an_edited_post() -> None:
    with playing() as standin:
        old = standin.play.played[0].id
        new = standin.edit("a", "fumée blanche")
        assert [(line["id"], line["reason"]) for line in run_job(standin, [old, new])] == [(old, "edited")]


def test_a_place_taken_away_is_told_by_the_job_and_gone_from_search() -> None:
    with playing() as standin:
        bare = standin.play.played[0].id
        standin.delete("a", "scrub_geo")
        assert [(line["id"], line["reason"]) for line in run_job(standin, [bare])] == [(bare, "scrub_geo")]
        data = client(standin).search_recent_tweets("noire", **x_wire.FIELDS)["data"]
    assert [(tweet["text"], "geo" in tweet) for tweet in data] == [("fumée noire", False)]


def test_a_job_goes_from_created_over_in_progress_to_complete() -> None:
    now = datetime(2031, 5, 4, tzinfo=UTC)
    with StandIn([], Options(port=0, job_seconds=60), clock=lambda: now) as standin:
        asked = client(standin)
        job = asked.create_compliance_job("tweets")["data"]
        states = [job["status"]]
        requests.put(job["upload_url"], b"1\n2\n", timeout=5)
        states.append(asked.get_compliance_job(job["id"])["data"]["status"])
        assert requests.get(job["download_url"], timeout=5).status_code == 404
        now += timedelta(seconds=60)
        states.append(asked.get_compliance_job(job["id"])["data"]["status"])
        assert requests.get(job["download_url"], timeout=5).text == ""
    assert states == ["created", "in_progress", "complete"]


def test_a_second_job_waits_for_the_first() -> None:
    with playing() as standin:
        asked = client(standin)
        asked.create_compliance_job("tweets")
        with pytest.raises(tweepy.HTTPException, match="409"):
            asked.create_compliance_job("tweets")


def test_an_upload_after_a_quarter_of_an_hour_is_refused() -> None:
    now = datetime(2031, 5, 4, tzinfo=UTC)
    with StandIn([], Options(port=0), clock=lambda: now) as standin:
        job = client(standin).create_compliance_job("tweets")["data"]
        now += timedelta(minutes=15)
        assert requests.put(job["upload_url"], b"1", timeout=5).status_code == 403
        listed = client(standin).get_compliance_jobs("tweets", status="expired")
    assert [one["id"] for one in listed["data"]] == [job["id"]]


def test_an_upload_with_a_line_that_is_no_id_is_refused() -> None:
    with playing() as standin:
        job = client(standin).create_compliance_job("tweets")["data"]
        answer = requests.put(job["upload_url"], b"1\nx:2", timeout=5)
    assert (answer.status_code, answer.json()["detail"]) == (400, "Line 2 is no id")


@pytest.mark.parametrize("url", ["/compliance/upload/1-x", "/compliance/download/1", "/compliance/else"])
def test_an_address_that_no_job_gave_is_refused(url: str) -> None:
    with playing() as standin:
        assert requests.put(standin.url + url, b"1", timeout=5).status_code == 404


def test_compliance_breaks_like_the_rest() -> None:
    with playing() as standin:
        standin.break_with(503, on="compliance")
        with pytest.raises(tweepy.TwitterServerError):
            client(standin).get_compliance_jobs("tweets")


def test_what_was_played_and_what_is_wanted_can_be_asked() -> None:
    with playing() as standin:
        requests.post(
            f"{standin.url}/2/tweets/search/stream/rules", json={"add": [{"value": "noire"}]}, headers=BEARER, timeout=5
        )
        assert standin.wanted() == {standin.play.played[0].id}
        standin.delete("b")
        told = requests.get(f"{standin.url}/played", timeout=5).json()["posts"]
    assert [(one["wanted"], one["fate"], one["sent"]) for one in told] == [(True, "kept", 0), (False, "deleted", 0)]


def test_an_old_version_can_be_looked_up_and_names_the_new_one() -> None:
    with playing() as standin:
        old = standin.play.played[0].id
        new = standin.edit("a", "fumée blanche")
        (data,) = client(standin).get_tweets([old])["data"]
    assert (data["text"], data["edit_history_tweet_ids"]) == ("fumée noire", [old, new])


def test_a_deleted_post_cannot_be_looked_up() -> None:
    with playing() as standin:
        gone, kept = (tweet.id for tweet in standin.play.played)
        standin.delete("a")
        answer = client(standin).get_tweets([gone, kept])
    assert [tweet["id"] for tweet in answer["data"]] == [kept]
    assert [(error["resource_id"], error["title"]) for error in answer["errors"]] == [(gone, "Not Found Error")]


@pytest.mark.parametrize("ids", ["", "a", "1," * 101])
def test_a_lookup_without_proper_ids_is_refused(ids: str) -> None:
    with playing() as standin:
        assert requests.get(f"{standin.url}/2/tweets", {"ids": ids}, headers=BEARER, timeout=5).status_code == 400


@pytest.mark.parametrize("reason", archive.REASONS)
def test_every_reason_is_in_the_documentation(reason: str) -> None:
    page = (Path(script.__file__).parents[2] / "docs" / "x.md").read_text(encoding="utf-8")
    assert f"`{reason}`" in page
