"""The desk says that the database cannot be written or read, and what has been set aside."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from desk.pulse.storage import LOW_BYTES, Storage, look
from store import aside
from store.records import SetAside


@pytest.fixture
def locked(desk):
    with closing(sqlite3.connect(desk.db.file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


def test_a_database_that_another_program_holds_is_told_on_every_page(desk, locked):
    assert "Base tenue par un autre programme" in desk.text()
    assert "Another program holds the database" in desk.text("/report?lang=en")


def test_a_database_that_takes_writes_is_not_spoken_of(desk):
    assert look(desk.db).ailment is None
    assert 'class="trouble"' not in desk.text()


def test_a_disk_with_little_room_is_warned_of():
    assert Storage(None, LOW_BYTES - 1).low
    assert not Storage(None, LOW_BYTES).low


def test_a_damaged_database_gives_a_page_that_says_what_to_do(desk):
    desk.db.close()
    size = desk.db.file.stat().st_size
    with desk.db.file.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * (size - 100))
    answer = desk.client.get("/")
    assert answer.status_code == 503
    assert "vigie restore" in answer.text


def test_posts_that_were_set_aside_are_listed_with_the_reason(desk):
    with desk.db.write() as conn:
        aside.put(
            conn,
            [
                SetAside("annotate", f"x:{n}", 2, "Crash: signal SIGSEGV", desk.now - timedelta(minutes=n))
                for n in range(7)
            ],
        )
    page = desk.text()
    assert "7 posts mis de côté" in page
    assert "Crash: signal SIGSEGV" in page
    assert page.count("<code>x:") == 5


def test_a_clock_that_does_not_agree_with_the_posts_is_told(desk):
    for n in range(5):
        desk.post(f"x:{n}", "Fumée", created_at=desk.now - timedelta(hours=1), received_at=desk.now)
    assert "horloge de cette machine paraît fausse" in desk.text()


def test_posts_that_come_within_seconds_raise_no_doubt_of_the_clock(desk):
    for n in range(5):
        desk.post(f"x:{n}", "Fumée", created_at=desk.now - timedelta(seconds=4), received_at=desk.now)
    assert "horloge" not in desk.text()


def test_health_says_that_the_database_takes_no_writes(desk, locked):
    told = desk.client.get("/healthz").json()
    assert (told["ok"], told["database"], told["free_bytes"] > 0) == (False, "busy", True)
