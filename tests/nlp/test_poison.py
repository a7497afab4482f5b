"""A post that kills, hangs or fills the process that reads it is set aside, and the rest goes on."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.settings import ROOT
from store import annotations, aside, posts
from store.database import Database
from store.records import Post, SetAside

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BUNDLE = """
name: {fr: a, en: b}
default_lead: p
agencies: [{id: p, name: {fr: a, en: b}, kind: prefecture}]
"""


@pytest.fixture
def home(tmp_path):
    (tmp_path / "b.yaml").write_text(BUNDLE)
    return tmp_path


def start(home, *, hang):
    command = [sys.executable, str(Path(__file__).with_name("poison_kit.py")), str(home), str(hang)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)


def opened(home, texts):
    db = Database.open(f"sqlite:///{home / 'vigie.db'}")
    with db.write() as conn:
        at = [NOON + timedelta(seconds=n) for n in range(len(texts))]
        posts.add(conn, [Post(f"file:{n}", "file", text, at[n], at[n]) for n, text in enumerate(texts)])
    return db


def test_posts_that_kill_or_hang_or_fill_the_process_are_set_aside_after_two_runs_and_the_rest_is_read(home):
    texts = ["fumée"] * 30
    texts[7], texts[9], texts[11] = "segfault", "greedy", "hang"
    db = opened(home, texts)
    assert [start(home, hang=60).returncode for _ in range(3)] == [-signal.SIGSEGV, -signal.SIGSEGV, 0]
    with db.read() as conn:
        found = annotations.get(conn, [f"file:{n}" for n in range(30)])
        left_out = {one.key: (one.stage, one.tries, one.reason) for one in aside.newest(conn, 9)}
    assert left_out == {
        "file:7": ("annotate", 2, "Crash: signal SIGSEGV"),
        "file:9": ("annotate", 2, "MemoryError"),
        "file:11": ("annotate", 2, "Hang: no answer within 1 s"),
    }
    assert [id for id, one in found.items() if one.about is None] == ["file:7", "file:9", "file:11"]
    assert len(found) == 30
    db.close()


def test_a_batch_that_hangs_ends_the_process_with_a_trace_in_its_log(home):
    opened(home, ["hang"]).close()
    ended = start(home, hang=0.5)
    assert ended.returncode == 1
    assert "poison_kit.py" in ended.stderr


def test_what_is_set_aside_goes_with_its_post(home):
    db = Database.open(f"sqlite:///{home / 'vigie.db'}")
    with db.write() as conn:
        posts.add(conn, [Post("file:1", "file", "fumée", NOON, NOON)])
        aside.put(conn, [SetAside("annotate", "file:1", 2, "Hang", NOON)])
        assert aside.count(conn) == 1
        posts.delete(conn, ["file:1"])
        assert aside.count(conn) == 0
    db.close()
