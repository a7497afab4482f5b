"""The lines of `vigie annotate` and of recorded posts."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import orjson
import pytest
from hostile_kit import TEXT, cases, objects
from hypothesis import given
from hypothesis import strategies as st

from listeners import replay
from nlp.annotate import Annotator
from nlp.wire import answer

KEYS = ["id", "text", "created_at", "lang", "author", "geo", "lat", "lon", "radius_m", "place", "status", "repost_of"]
GOOD = {"id": "1", "text": "Explosion à Cholet, 3 blessés, l'A87 coupée sens Angers", "lang": "fr"}
LIMIT = 1_500_000_000


def written(value: Any) -> bytes:
    return json.dumps(value).encode()


LINES = st.lists(
    st.binary(max_size=120)
    | objects(KEYS).map(written)
    | st.dictionaries(st.sampled_from(KEYS), TEXT, max_size=5).map(lambda one: written(GOOD | one))
    | st.tuples(st.binary(max_size=3), st.integers(0, 60)).map(lambda cut: written(GOOD)[: cut[1]] + cut[0]),
    min_size=8,
    max_size=8,
)


@pytest.fixture(scope="module")
def annotator() -> Annotator:
    return Annotator().ready()


@cases("JSON lines of annotate", 500, each=8)
@given(lines=LINES)
def test_every_line_gets_an_annotation_or_a_reason_in_its_place(annotator: Annotator, lines: list[bytes]) -> None:
    answers = answer([one.replace(b"\n", b" ") for one in lines], annotator, "full")
    assert len(answers) == len(lines)
    for one in answers:
        told = orjson.loads(one.json)
        assert ("error" in told) == (one.error is not None)
        assert one.error is None or len(one.error) > 5
        assert one.error is not None or 0 <= (told["about"] or 0) <= 1


@cases("JSON lines of texts", 1500)
@given(text=TEXT)
def test_every_text_is_read_and_its_offsets_lie_in_it(annotator: Annotator, text: str) -> None:
    told = orjson.loads(answer([written({"id": "1", "text": text, "lang": "fr"})], annotator, "full")[0].json)
    assert "error" not in told
    for one in [*told["quantities"], *told["locations"]]:
        assert 0 <= one["start"] < one["end"] <= len(text)


@cases("recorded posts", 1500)
@given(line=st.binary(max_size=200) | objects(KEYS).map(written))
def test_every_recorded_line_is_a_post_or_named_as_none(line: bytes) -> None:
    try:
        post = replay.parse(line)
    except replay.NotAPost as error:
        reason = str(error)
    else:
        reason = ""
        assert post.created_at.tzinfo is not None
        post.text.encode("utf-8", "surrogatepass")
    assert not reason or len(reason) > 5


def test_a_text_as_long_as_a_book_is_read_at_its_beginning(annotator: Annotator) -> None:
    began = time.monotonic()
    book = "Explosion à Cholet, trois blessés. " * 40_000
    told = orjson.loads(answer([written({"id": "1", "text": book, "lang": "fr"})], annotator, "full")[0].json)
    assert told["tags"]["emerging_incident"] > 0.5
    assert time.monotonic() - began < 10


def limited() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (LIMIT, LIMIT))


MONSTERS = {
    "a line of 90 MB": (b'{"id": "1", "text": "', b"fum\xc3\xa9e noire \xc3\xa0 Cholet ", 4_000_000),
    "a nest a million deep": (b'{"id": "1", "text": "a", "geo": ', b"[", 1_000_000),
    "a line of escapes": (b'{"id": "1", "text": "', b"\\ud83d\\ude00", 1_000_000),
    "nothing but bad lines": (b"", b'{"id": "1", "text": 5}\n', 100_000),
}


def test_monstrous_input_is_refused_in_little_memory_and_the_good_line_after_each_is_read(tmp_path: Path) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    with source.open("wb") as file:
        for name, (head, middle, times) in MONSTERS.items():
            file.write(head)
            for _ in range(times // 1000):
                file.write(middle * 1000)
            file.write(b'\n{"id": "after %s", "text": "Incendie", "lang": "fr"}\n' % name.encode())
    command = [sys.executable, "-m", "desk.cli", "annotate", str(source), "-o", str(out), "--depth", "fast"]
    done = subprocess.run(command, capture_output=True, preexec_fn=limited, timeout=240)
    assert done.returncode == 1, done.stderr[-500:]
    assert b"Traceback" not in done.stderr
    told = [orjson.loads(line) for line in out.read_bytes().splitlines()]
    assert [one["id"] for one in told if "error" not in one] == [f"after {name}" for name in MONSTERS]
