"""The stand-in breaks on request: each fault as a client sees it."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import tweepy

from listeners import x_wire
from listeners.standin import script
from listeners.standin.playback import Draft
from listeners.standin.server import Options, StandIn

BEARER = {"Authorization": "Bearer token"}
STREAM = "/2/tweets/search/stream"


def posts(number: int, apart: float = 0.02) -> list[Draft]:
    return [Draft(apart * one, {"id": f"p{one}", "text": f"fumée {one}", "author": "lea"}) for one in range(number)]


def faults(text: str) -> tuple[script.Trouble, ...]:
    return tuple(script.parse("faults.yaml", f"faults: [{text}]"))


@contextmanager
def playing(number: int = 5, text: str = "", **options: Any) -> Iterator[StandIn]:
    given = {"port": 0, "keep_alive": 0.1, "faults": faults(text)} | options
    with StandIn(posts(number), Options(**given)) as standin:
        answer = requests.post(
            f"{standin.url}{STREAM}/rules", json={"add": [{"value": "fumée", "tag": "t"}]}, headers=BEARER
        )
        assert answer.status_code == 201
        yield standin


def until(condition: Callable[[], Any], seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def stream(standin: StandIn) -> requests.Response:
    return requests.get(f"{standin.url}{STREAM}", headers=BEARER, stream=True, timeout=3)


def lines(response: requests.Response, at_most: int = 100) -> Iterator[bytes]:
    """The lines that hold something, until the stream ends or breaks or enough have come."""
    for number, line in enumerate(line for line in response.iter_lines(chunk_size=1) if line):
        yield line
        if number + 1 == at_most:
            response.close()
            return


def texts(response: requests.Response, at_most: int = 100) -> list[str]:
    return [json.loads(line)["data"]["text"] for line in lines(response, at_most)]


def raw(standin: StandIn) -> socket.socket:
    """A connection on which the stream was asked for."""
    parts = urlsplit(standin.url)
    connection = socket.create_connection((parts.hostname, parts.port), timeout=3)
    connection.sendall(f"GET {STREAM} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer token\r\n\r\n".encode())
    return connection


def everything(connection: socket.socket) -> tuple[bytes, str]:
    """All that comes, and how it ended."""
    got = b""
    try:
        while piece := connection.recv(65536):
            got += piece
    except ConnectionResetError:
        return got, "reset"
    except TimeoutError:
        return got, "silence"
    finally:
        connection.close()
    return got, "end"


def test_a_clean_close_ends_the_stream_and_loses_the_post_in_whose_place_it_comes() -> None:
    with playing(5, "{post: 3, what: close}") as standin:
        assert texts(stream(standin)) == ["fumée 0", "fumée 1"]
        assert "fumée 2" not in texts(stream(standin), 1)


def test_a_reset_comes_in_mid_line() -> None:
    with playing(5, "{post: 2, what: reset}") as standin:
        got, end = everything(raw(standin))
    assert end == "reset"
    assert got.count(b'"text"') == 2
    assert got.count(b"matching_rules") == 1


def test_silence_holds_back_keep_alives_and_posts_until_it_is_over() -> None:
    with playing(3, "{connect: 1, what: silence, for: 0.6}") as standin:
        connection = raw(standin)
        connection.settimeout(0.4)
        got, end = everything(connection)
        assert (end, got.partition(b"\r\n\r\n")[2]) == ("silence", b"")
    with playing(3, "{connect: 1, what: silence, for: 0.3}") as standin:
        assert texts(stream(standin), 3) == ["fumée 0", "fumée 1", "fumée 2"]


def test_a_drip_sends_a_line_byte_by_byte() -> None:
    with playing(1, "{post: 1, what: drip, pause: 0.001}") as standin:
        connection, pieces = raw(standin), []
        while not pieces or b"matching_rules" not in b"".join(pieces):
            pieces.append(connection.recv(4096))
        connection.close()
    assert len(pieces) > 50


@pytest.mark.parametrize("what", ["401", "403", "503"])
def test_connects_are_answered_with_an_error_as_often_as_the_script_says(what: str) -> None:
    with playing(1, f"{{connect: 2, what: {what}, times: 2}}") as standin:
        codes = []
        for _ in range(4):
            response = stream(standin)
            codes.append(response.status_code)
            response.close()
            until(lambda: standin.status()["connected"] == 0)
        assert codes == [200, int(what), int(what), 200]
        assert standin.status()["answers"]["stream"] == {"200": 2, what: 2}


def test_429_says_when_it_is_over() -> None:
    with playing(1, "{connect: 1, what: 429, for: 2}") as standin:
        response = stream(standin)
    assert response.status_code == 429
    assert 1 <= int(response.headers["x-rate-limit-reset"]) - time.time() <= 3


def test_a_fault_on_search_leaves_the_stream_alone() -> None:
    with playing(1, "{at: 0, what: 503, on: search}") as standin:
        assert texts(stream(standin), 1) == ["fumée 0"]
        client = tweepy.Client("token")
        x_wire.mount(client.session, x_wire.BaseUrl(standin.url))
        with pytest.raises(tweepy.TwitterServerError):
            client.search_recent_tweets("fumee")
        assert len(client.search_recent_tweets("fumee").data) == 1


def test_duplicates_come_twice() -> None:
    with playing(3, "{post: 1, what: duplicate, times: 2}") as standin:
        assert texts(stream(standin), 5) == ["fumée 0", "fumée 0", "fumée 1", "fumée 1", "fumée 2"]


def test_disorder_turns_posts_round() -> None:
    with playing(4, "{post: 1, what: disorder, times: 3}") as standin:
        assert texts(stream(standin), 4) == ["fumée 2", "fumée 1", "fumée 0", "fumée 3"]


def test_a_rule_can_come_without_its_tag() -> None:
    with playing(2, "{post: 1, what: no-tag}") as standin:
        first, second = [json.loads(line)["matching_rules"] for line in lines(stream(standin), 2)]
    assert [set(rule) for rule in first + second] == [{"id"}, {"id", "tag"}]


def test_an_operational_disconnect_is_told_in_the_stream_before_it_closes() -> None:
    with playing(3, "{post: 2, what: disconnect}") as standin:
        told = [json.loads(line) for line in lines(stream(standin))]
    assert told[1]["errors"][0]["title"] == "operational-disconnect"
    assert len(told) == 2


def test_a_line_of_five_megabytes_comes_between_posts() -> None:
    with playing(2, "{post: 2, what: long-line}", keep_alive=60) as standin:
        found = (len(line) for line in stream(standin).iter_lines(chunk_size=1 << 20))
        assert [next(found) > 5_000_000 for _ in range(3)] == [False, True, False]


def test_a_garbage_line_comes_between_posts() -> None:
    with playing(2, "{post: 2, what: garbage}") as standin:
        first, second, third = lines(stream(standin), 3)
    with pytest.raises(ValueError, match=r".+"):
        json.loads(second)
    assert json.loads(first)["data"]["text"] == "fumée 0"
    assert json.loads(third)["data"]["text"] == "fumée 1"


def test_a_refusal_breaks_what_is_open_and_closes_the_port_for_its_time() -> None:
    with playing(1, "{at: 0.1, what: refuse, for: 0.5}") as standin:
        _, end = everything(raw(standin))
        assert end == "reset"
        with pytest.raises(requests.ConnectionError, match=r"refused|reset"):
            requests.get(f"{standin.url}/health", timeout=1)
        until(lambda: not standin.door.shut)
        assert requests.get(f"{standin.url}/health", timeout=1).json()["faults"] == {"refuse": 1}


def test_a_hanging_request_gets_no_head() -> None:
    with playing(1, "{connect: 1, what: hang}") as standin:
        with pytest.raises(requests.ReadTimeout):
            requests.get(f"{standin.url}{STREAM}", headers=BEARER, stream=True, timeout=0.3)
        assert texts(stream(standin), 1) == ["fumée 0"]


def test_a_fault_comes_back_every_so_often() -> None:
    with playing(1, "{at: 0, what: close, every: 0.3, times: 2}", connects=500) as standin:
        end = time.monotonic() + 1
        while time.monotonic() < end:
            list(stream(standin).iter_content(None)) if standin.status()["faults"].get("close", 0) < 2 else time.sleep(
                0.05
            )
        assert standin.status()["faults"] == {"close": 2}


def test_faults_are_added_and_lifted_while_it_runs() -> None:
    with playing(1) as standin:
        requests.post(f"{standin.url}/break", json={"what": 503, "for": 60}, timeout=5)
        assert stream(standin).status_code == 503
        standin.mend()
        assert stream(standin).status_code == 200


@pytest.mark.parametrize("body", ["", "[]", "{", '{"what": "explode"}', '{"self": 1}', '{"what": "close", "id": "a"}'])
def test_a_fault_that_cannot_be_read_is_refused_while_it_runs(body: str) -> None:
    with playing(1) as standin:
        assert requests.post(f"{standin.url}/break", data=body, timeout=5).status_code == 400
        assert stream(standin).status_code == 200


def test_a_fault_added_by_hand_says_how_often_it_struck() -> None:
    with playing(1) as standin:
        armed = standin.break_with(401, times=2)
        assert [stream(standin).status_code for _ in range(3)] == [401, 401, 200]
        assert armed.struck == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("faults:\n  - {at: 1, what: clse}", r"f.yaml:2: error: faults\[0\].what: .*clse.*\n.*did you mean \"close\""),
        ("faults:\n  - {what: close}", r"f.yaml:2: .*does not say when"),
        ("faults:\n\n  - {at: 1, post: 2, what: close}", "f.yaml:3: .*at and post stand together"),
        ("faults:\n  - {at: soon, what: close}", r"faults\[0\].at: a number of seconds"),
        ("faults:\n  - {at: -1, what: close}", "write digits, 0 to"),
        ("faults:\n  - {post: 0, what: close}", "write digits, 1 to"),
        ("faults:\n  - {at: 1, what: close, for: 99999999999}", "a number of seconds"),
        ("faults:\n  - {at: 1, what: close, forr: 2}", r'"forr" is unknown for close\n.*did you mean "for"'),
        ("faults:\n  - {at: 1, what: refuse}", r"faults\[0\].for: the key is missing"),
        ("faults:\n  - {at: 1, what: 503, on: serch}", 'did you mean "search"'),
        ("faults:\n  - {at: 1, what: delete, id: a, reason: bored}", "no reason that X gives"),
        ("faults:\n  - {at: 1, at: 2, what: close}", "stands on line 2 already"),
        ("faults:\n  - close", "keys with values"),
        ("{}", "one key, faults"),
        ("[", "malformed YAML"),
        ("", "one key, faults"),
    ],
)
def test_a_bad_script_is_explained(text: str, says: str) -> None:
    with pytest.raises(script.ScriptError, match=says):
        script.parse("f.yaml", text)


def test_the_script_of_the_documentation_can_be_read() -> None:
    page = (Path(script.__file__).parents[2] / "docs" / "x.md").read_text(encoding="utf-8")
    example = page.partition("### When it breaks")[2].partition("```yaml\n")[2].partition("```")[0]
    named = {trouble.what for trouble in script.parse("docs/x.md", example)}
    assert {"close", "429", "delete"} <= named


@pytest.mark.parametrize("what", sorted(script.KINDS))
def test_every_kind_of_fault_is_in_the_documentation(what: str) -> None:
    page = (Path(script.__file__).parents[2] / "docs" / "x.md").read_text(encoding="utf-8")
    assert f"`{what}`" in page.partition("### When it breaks")[2]
