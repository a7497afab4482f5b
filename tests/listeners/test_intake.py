"""The declared sources, opened and emptied together."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest

from config.settings import settings
from config.world import World
from listeners.intake import Intake
from listeners.standin.playback import Draft
from listeners.standin.server import Options, StandIn
from store import leases, posts, sources
from store.database import Busy, Database
from store.records import Lease, SourceHealth

BASE = """
name: {fr: a, en: b}
default_lead: p
agencies: [{id: p, name: {fr: a, en: b}, kind: prefecture}]
filters: [{id: smoke, purpose: Hear of smoke anywhere, keywords: [fumée], where: anywhere}]
"""


def clock() -> datetime:
    return datetime.now(UTC)


def world(declared: str) -> World:
    return World.from_files(declared, {"b.yaml": f"{BASE}sources: {declared}"})


@pytest.fixture
def intake(db: Database, tmp_path: Path) -> Intake:
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "b.yaml").write_text(BASE)
    return Intake(db, settings({"VIGIE_HOME": str(tmp_path), "VIGIE_CONFIG": str(folder)}), clock=clock, stop=Event())


@pytest.fixture
def lease(db: Database) -> Lease:
    held = leases.acquire(db, "collect", "test", clock())
    assert held
    return held


def health(db: Database, source: str) -> SourceHealth:
    with db.read() as conn:
        return next(one for one in sources.all(conn) if one.source == source)


def until(step: Callable[[], object], condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        step()


def test_a_declared_file_is_read_to_its_end(db: Database, intake: Intake, lease: Lease, tmp_path: Path) -> None:
    file = tmp_path / "posts.jsonl"
    lines = [{"id": str(n), "text": f"fumée {n}", "created_at": "2031-05-04T12:00:00Z"} for n in range(700)]
    file.write_text("\n".join(json.dumps(line) for line in lines))
    declared = world(f"[{{id: f, kind: file, settings: {{path: {file}}}}}]")
    assert [intake.step(declared, lease) for _ in range(3)] == [500, 200, 0]
    assert (health(db, "f").kept, health(db, "f").reason) == (700, "read to its end")


@pytest.mark.parametrize(
    ("setting", "says"), [("{path: /nowhere/posts.jsonl}", "cannot be read"), ("{}", "settings.path does not say")]
)
def test_a_file_that_cannot_be_read_is_off_and_stops_nothing(
    db: Database, intake: Intake, lease: Lease, setting: str, says: str
) -> None:
    assert intake.step(world(f"[{{id: f, kind: file, settings: {setting}}}]"), lease) == 0
    assert health(db, "f").state == "off"
    assert says in health(db, "f").reason


def test_a_stream_that_is_no_longer_declared_is_closed_and_off(
    db: Database, tmp_path: Path, lease: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("X_BEARER_TOKEN", "token")
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "b.yaml").write_text(BASE)
    with StandIn([Draft(0, {"id": "a", "text": "fumée"})], Options(port=0)) as standin:
        here = settings({"VIGIE_HOME": str(tmp_path), "VIGIE_CONFIG": str(folder), "VIGIE_X_BASE_URL": standin.url})
        intake = Intake(db, here, clock=clock, stop=Event())
        declared = world("[{id: x, kind: x_stream}]")

        def kept() -> bool:
            with db.read() as conn:
                return conn.exec_driver_sql("SELECT count(*) FROM posts").scalar_one() == 1

        until(lambda: intake.step(declared, lease), kept)
        assert health(db, "x").state == "on"
        intake.step(world("[]"), lease)
        assert (health(db, "x").state, health(db, "x").reason) == ("off", "no longer declared, or not enabled")
        until(lambda: time.sleep(0.05), lambda: standin.status()["connected"] == 0)
        intake.close()


def test_a_file_goes_on_behind_the_last_post_taken_in_when_its_reader_is_killed(
    db: Database, intake: Intake, lease: Lease, tmp_path: Path
) -> None:
    file = tmp_path / "posts.jsonl"
    lines = [{"id": str(n), "text": f"fumée {n}", "created_at": "2031-05-04T12:00:00Z"} for n in range(1200)]
    file.write_text("\n".join(json.dumps(line) for line in lines))
    declared = world(f"[{{id: f, kind: file, settings: {{path: {file}}}}}]")
    assert intake.step(declared, lease) == 500
    again = Intake(
        db, settings({"VIGIE_HOME": str(tmp_path), "VIGIE_CONFIG": str(tmp_path / "bundle")}), clock=clock, stop=Event()
    )
    assert [again.step(declared, lease) for _ in range(3)] == [500, 200, 0]
    assert (health(db, "f").received, health(db, "f").kept) == (1200, 1200)


def test_on_recorded_time_a_post_was_received_when_it_was_written(db: Database, lease: Lease, tmp_path: Path) -> None:
    file = tmp_path / "posts.jsonl"
    file.write_text('{"id": "1", "text": "fumée", "created_at": "2031-05-04T12:00:00Z"}')
    (tmp_path / "b.yaml").write_text(BASE)
    house = settings({"VIGIE_HOME": str(tmp_path), "VIGIE_CONFIG": str(tmp_path)})
    Intake(db, house, clock=clock, stop=Event(), recorded=True).step(
        world(f"[{{id: f, kind: file, settings: {{path: {file}}}}}]"), lease
    )
    with db.read() as conn:
        assert posts.get(conn, ["file:1"])["file:1"].received_at == datetime(2031, 5, 4, 12, tzinfo=UTC)


def test_posts_of_a_stream_that_a_locked_database_did_not_take_are_written_once_it_is_free(
    tmp_path: Path, migrated: Path, lease: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("X_BEARER_TOKEN", "token")
    (tmp_path / "b.yaml").write_text(BASE)
    drafts = [Draft(1.0 * (n > 0), {"id": str(n), "text": f"fumée {n}"}) for n in range(30)]
    hasty = Database.open(f"sqlite:///{tmp_path}/vigie.db", patience=0.1)
    with StandIn(drafts, Options(port=0)) as standin, closing(sqlite3.connect(tmp_path / "vigie.db")) as other:
        here = settings({"VIGIE_HOME": str(tmp_path), "VIGIE_CONFIG": str(tmp_path), "VIGIE_X_BASE_URL": standin.url})
        intake, refused = Intake(hasty, here, clock=clock, stop=Event()), []
        declared = world("[{id: x, kind: x_stream}]")

        def kept() -> int:
            with hasty.read() as conn:
                return int(conn.exec_driver_sql("SELECT count(*) FROM posts").scalar_one())

        def refused_step() -> None:
            try:
                intake.step(declared, lease)
            except Busy:
                refused.append(True)

        until(lambda: intake.step(declared, lease), lambda: kept() == 1)
        other.execute("BEGIN IMMEDIATE")
        until(refused_step, lambda: len(refused) >= 2)
        other.rollback()
        until(lambda: intake.step(declared, lease), lambda: kept() == 30)
        assert health(hasty, "x").received == 30
        intake.close()
    hasty.close()
