"""What X sends down the stream: the real tweepy reads generated lines, and the next good post still arrives."""

from __future__ import annotations

import json
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hostile_kit import TEXT, answering, cases, objects
from hypothesis import given
from hypothesis import strategies as st

from config.world import World
from listeners.incoming import Incoming
from listeners.x_stream import XStream
from store.database import Database

BUNDLE = """
name: {fr: Essai, en: Trial}
default_lead: prefecture
agencies: [{id: prefecture, name: {fr: Préfecture, en: Prefecture}, kind: prefecture}]
filters: [{id: fire, purpose: Hear of fires anywhere, keywords: [fumée], where: anywhere}]
"""
KEYS = [
    "data",
    "id",
    "text",
    "created_at",
    "author_id",
    "geo",
    "coordinates",
    "place_id",
    "includes",
    "places",
    "users",
    "matching_rules",
    "tag",
    "errors",
    "title",
    "delete",
    "tweet",
    "event_at",
    "edit_history_tweet_ids",
    "referenced_tweets",
    "type",
    "bbox",
]
POST = {"id": "7", "text": "fumée", "created_at": "2031-05-04T12:00:00.000Z", "author_id": "3"}
EACH = 40


def written(value: Any) -> bytes:
    return json.dumps(value).encode()


def post(id: int, more: Any = None) -> bytes:
    data = {**POST, "id": str(id), **(more or {})}
    return written({"data": data, "matching_rules": [{"id": "1", "tag": "t"}]})


LINES = st.lists(
    st.binary(max_size=80)
    | objects(KEYS).map(written)
    | st.dictionaries(st.sampled_from(KEYS), objects(KEYS), max_size=4).map(lambda one: post(8, one))
    | st.builds(lambda line, cut: line[:cut], st.just(post(9)), st.integers(1, 90))
    | TEXT.map(lambda text: post(10, {"text": text})),
    min_size=EACH,
    max_size=EACH,
)


class Script:
    """Speaks as X: rules are taken, and the stream brings ``lines``."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def __call__(self, connection: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            if not (more := connection.recv(65536)):
                return
            request += more
        path = request.split(b" ", 2)[1]
        if b"/rules" in path:
            body = b'{"data":[],"meta":{"sent":"2031-05-04T12:00:00.000Z","summary":{"created":1}}}'
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
            connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            return
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        for line in self.lines:
            data = line.replace(b"\r", b" ").replace(b"\n", b" ") + b"\r\n"
            connection.sendall(b"%x\r\n%s\r\n" % (len(data), data))
        connection.recv(1)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stream") / "vigie.db"
    Database.open(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="module")
def heard(base: Path) -> Iterator[Callable[[list[bytes]], list[Any]]]:
    """What the listener gives when the stream brings some lines, up to the post with id 999."""
    script, world = Script(), World.from_files("v1", {"bundle.yaml": BUNDLE})
    count = iter(range(1_000_000))

    def listen(lines: list[bytes]) -> list[Any]:
        path = base.with_name(f"{next(count)}.db")
        shutil.copy(base, path)
        db = Database.open(f"sqlite:///{path}")
        script.lines = [*lines, post(999)]
        stream = XStream(
            "x",
            db,
            world,
            token=lambda: "token",
            base_url=url,
            clock=lambda: datetime.now(UTC),
            rng=Random(1),
            wait_seconds=0.05,
        )
        try:
            return list(until_last(stream))
        finally:
            stream.close()
            db.close()
            path.unlink()

    with answering(script) as port:
        url = f"http://127.0.0.1:{port}"
        yield listen


def until_last(stream: XStream) -> Iterator[Any]:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        for one in stream.posts():
            yield one
            if one.native_id == "999":
                return
        stream.note()  # else what was given is given again
    pytest.fail("the good post behind the generated lines did not arrive")


@cases("stream lines", 60, each=EACH)
@given(lines=LINES)
def test_no_line_of_the_stream_keeps_the_next_good_post_away(
    heard: Callable[[list[bytes]], list[Any]], lines: list[bytes]
) -> None:
    for one in heard(lines):
        assert one.native_id.isdecimal()
        assert not isinstance(one, Incoming) or one.created_at.tzinfo is not None


def test_a_line_of_five_megabytes_is_survived(heard: Callable[[list[bytes]], list[Any]]) -> None:
    huge = post(11, {"text": "fumée " * 900_000})
    assert [one.native_id for one in heard([huge, post(12)])][-2:] == ["12", "999"]


def test_a_post_whose_text_was_cut_within_an_emoji_is_heard(heard: Callable[[list[bytes]], list[Any]]) -> None:
    cut = b'{"data": {"id": "13", "text": "fum\\u00e9e \\ud83d", "created_at": "2031-05-04T12:00:00.000Z"}}'
    assert [one.native_id for one in heard([cut])] == ["13", "999"]
