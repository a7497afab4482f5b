"""Recorded posts: order over files, and lines that hold no post."""

from __future__ import annotations

import gzip
import json
import os
import tracemalloc
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from listeners.incoming import MAX_TEXT, Incoming, cleaned
from listeners.replay import BadLine, Replay, in_order
from store.records import Geo


def line(name: str, minute: int, **more: Any) -> dict[str, Any]:
    return {"id": name, "text": f"texte {name}", "created_at": f"2031-05-04T12:{minute:02d}:00Z"} | more


def write(path: Path, lines: Iterable[dict[str, Any] | bytes]) -> Path:
    raw = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in lines]
    path.write_bytes(b"\n".join(raw) + b"\n")
    return path


def read(*files: Path) -> tuple[list[Incoming], list[BadLine]]:
    bad: list[BadLine] = []
    return list(Replay(files, report=bad.append).posts()), bad


def ids(posts: Iterable[Incoming]) -> list[str]:
    return [post.native_id for post in posts]


def test_files_merge_by_time_then_file_then_line(tmp_path: Path) -> None:
    first = write(tmp_path / "z.jsonl", [line("a", 1), line("b", 3), line("c", 3)])
    second = write(tmp_path / "a.jsonl", [line("d", 0), line("e", 3), line("f", 5)])
    posts, bad = read(first, second)
    assert ids(posts) == ["d", "a", "b", "c", "e", "f"]
    assert bad == []


def test_a_file_out_of_order_is_sorted_and_its_bad_lines_are_told_once(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", [line("b", 5), b"{", line("a", 1), line("c", 5)])
    assert not in_order(file)
    posts, bad = read(file)
    assert ids(posts) == ["a", "b", "c"]
    assert [one.line for one in bad] == [2]


def test_a_file_in_order_is_not_held_in_memory(tmp_path: Path) -> None:
    file = write(
        tmp_path / "a.jsonl", [line(str(number), number // 200, text="mot " * 100) for number in range(10_000)]
    )
    tracemalloc.start()
    for _ in Replay([file], report=print).posts():
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < file.stat().st_size / 4


def test_packed_files_are_read_whatever_their_name(tmp_path: Path) -> None:
    file = tmp_path / "posts.jsonl"
    file.write_bytes(gzip.compress(json.dumps(line("a", 1)).encode()))
    assert ids(read(file)[0]) == ["a"]


def test_all_that_a_line_says_is_kept(tmp_path: Path) -> None:
    said = line(
        "a", 1, lang="fr", author="lea", status="Exercise", retweet_of="z", location="Angers",
        geo={"lat": 47.0, "lon": -0.5, "radius_m": 10, "place": "Angers"},
    )  # fmt: skip
    (post,) = read(write(tmp_path / "a.jsonl", [said]))[0]
    assert (post.lang, post.author_id, post.status, post.repost_of) == ("fr", "lea", "Exercise", "z")
    assert post.geo == Geo(47.0, -0.5, 10.0, "Angers")
    assert post.created_at == datetime(2031, 5, 4, 12, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"{", "not JSON"),
        (b"hello", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[1]", "not an object"),
        (b"3", "not an object"),
        (b'"text"', "not an object"),
        (b"null", "not an object"),
        (b"[" * 100_000, "not JSON"),
        (b'{"a":"\\ud800"' + b"[" * 50_000, "not JSON"),
        (json.dumps(line("a", 1) | {"created_at": None}).encode(), 'no "created_at"'),
        (json.dumps(line("a", 1) | {"created_at": 3}).encode(), "not a string"),
        (json.dumps(line("a", 1) | {"created_at": "soon"}).encode(), "ISO 8601"),
        (json.dumps(line("a", 1) | {"created_at": "0001-01-01T00:00:00+14:00"}).encode(), "ISO 8601"),
        (json.dumps(line("a", 1) | {"text": None}).encode(), 'no "text"'),
        (json.dumps(line("a", 1) | {"text": 5}).encode(), "not a string"),
        (json.dumps(line("", 1)).encode(), 'no "id"'),
        (json.dumps(line("a", 1) | {"id": True}).encode(), "neither a string"),
        (json.dumps(line("a" * 300, 1)).encode(), "longer than 200"),
    ],
)
def test_a_line_that_holds_no_post_is_told_with_its_number_and_the_rest_goes_on(
    raw: bytes, says: str, tmp_path: Path
) -> None:
    file = write(tmp_path / "a.jsonl", [line("x", 1), raw, b"", line("y", 2)])
    posts, bad = read(file)
    assert ids(posts) == ["x", "y"]
    assert [(one.file, one.line) for one in bad] == [(file, 2)]
    assert says in str(bad[0])


@pytest.mark.parametrize(
    "text",
    ["nul \0 dedans", "\u202eà l'envers\u202c", "🔥" * 40, "👨‍👩‍👧‍👦" * 10, "", "é" * 100_000, "a\u2028b\u0085c"],
)
def test_a_strange_text_is_kept(text: str, tmp_path: Path) -> None:
    posts, bad = read(write(tmp_path / "a.jsonl", [line("a", 1, text=text), line("b", 2)]))
    assert bad == []
    assert posts[0].text == text
    assert len(posts) == 2


def test_lone_surrogates_come_through_and_are_cleaned(tmp_path: Path) -> None:
    raw = b'{"id": "a", "text": "avant \\ud83d apr\\u00e8s", "created_at": "2031-05-04T12:00:00Z"}'
    posts, bad = read(write(tmp_path / "a.jsonl", [raw]))
    assert bad == []
    assert cleaned(posts[0].text) == "avant \ufffd après"


def test_cleaning_keeps_offsets_and_cuts_what_is_absurd() -> None:
    assert cleaned("a\0b\ud800c") == "a\ufffdb\ufffdc"
    assert len(cleaned("é" * 100_000)) == MAX_TEXT
    assert cleaned("👍 ok\u202e") == "👍 ok\u202e"


@pytest.mark.parametrize(
    "geo", [3, {}, {"lat": 1}, {"lat": "1", "lon": 2}, {"lat": 91, "lon": 0}, {"lat": None, "lon": None}]
)
def test_a_position_that_is_none_does_not_cost_the_post(geo: Any, tmp_path: Path) -> None:
    posts, bad = read(write(tmp_path / "a.jsonl", [line("a", 1, geo=geo)]))
    assert (len(posts), bad) == (1, [])
    assert posts[0].geo is None


def test_since_leaves_out_what_is_older(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", [line("a", 1), line("b", 2)])
    posts = Replay([file], report=lambda _: None).posts(since=datetime(2031, 5, 4, 12, 2, tzinfo=UTC))
    assert ids(posts) == ["b"]


def test_a_packed_file_cut_in_the_middle_is_told_and_what_came_before_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "cut.gz"
    lines = [json.dumps(line(str(number), 1, text=os.urandom(100).hex())) for number in range(1000)]
    file.write_bytes(gzip.compress("\n".join(lines).encode())[:-20_000])
    posts, bad = read(file, write(tmp_path / "b.jsonl", [line("last", 5)]))
    assert 100 < len(posts) < 1000
    assert posts[-1].native_id == "last"
    assert len(bad) == 1
    assert "damaged" in str(bad[0])


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none.jsonl")
