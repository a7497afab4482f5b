"""``vigie search`` answers as the search page does, in lines and in JSON; ``vigie bench search`` times both engines."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from desk.cli import main
from store import annotations, posts
from store.database import Database
from store.records import Annotation, Post

AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    db = Database.open(f"sqlite:///{tmp_path}/vigie.db")
    with db.write() as conn:
        posts.add(conn, [Post(f"x:{n}", "x", f"🔥 fumée numéro {n}", AT + timedelta(hours=n), AT) for n in range(5)])
        threat = ("public_order_threat",)
        annotations.put(conn, [Annotation("x:4", "fr", "full", 0.9, 0.9, {"public_order_threat": 0.9}, threat)])
    db.close()
    return tmp_path


def run(home: Path, *arguments: str, **env: str) -> Result:
    return CliRunner().invoke(main, [*arguments], env={"VIGIE_HOME": str(home), **env})


def test_the_posts_of_a_page_come_as_one_object_with_marks_in_code_points(home):
    told = json.loads(run(home, "search", "fumee", "--sort", "oldest", "--limit", "2", "--json").stdout)
    assert (told["total"], told["engine"], told["instead_of"], told["behind"]) == (4, "sqlite", None, 0)
    first = told["posts"][0]
    assert (first["id"], first["created_at"], first["marks"]) == ("x:0", "2026-03-02T12:00:00Z", [[2, 7]])
    more = ("--sort", "oldest", "--after", told["after"], "--by", "sqlite", "--json")
    assert [one["id"] for one in json.loads(run(home, "search", "fumee", *more).stdout)["posts"]] == ["x:2", "x:3"]


def test_lines_are_for_people_and_name_who_answered_instead_of_whom(home):
    done = run(home, "search", "fumée", VIGIE_ELASTICSEARCH="http://127.0.0.1:9")
    assert "elasticsearch did not answer (nothing answers at that address" in done.stdout
    assert "4 posts, answered by sqlite" in done.stdout
    assert done.exit_code == 0


def test_what_is_not_understood_is_said_with_the_name_of_the_option(home):
    done = run(home, "search", "--least", "2", "--since", "yesterday")
    assert done.exit_code == 2
    assert "--least: a number from 0 to 1" in done.stderr
    assert "--since: a date and a time" in done.stderr


def test_the_bench_times_ten_requests_and_writes_the_same_posts_again(tmp_path):
    arguments = ("bench", "search", "--posts", "2000", "--rounds", "2", "--without-cluster", "--json")
    first, again = (json.loads(CliRunner().invoke(main, [*arguments]).stdout) for _ in range(2))
    assert len(first["requests"]) == 10
    assert [one["posts"] for one in first["requests"]] == [one["posts"] for one in again["requests"]]
    assert sum(one["posts"] > 0 for one in first["requests"]) >= 7  # of so few posts some requests find none
    assert all(one["sqlite"]["p95_ms"] >= one["sqlite"]["p50_ms"] > 0 for one in first["requests"])
