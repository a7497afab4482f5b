"""A database of an earlier version, with data, becomes one of this; an upgrade that fails leaves it as it was."""

import importlib.util
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from config.settings import ROOT
from store import (
    alerts,
    annotations,
    changes,
    config_versions,
    gaps,
    incidents,
    ledger,
    migrations,
    outbox,
    posts,
    sources,
    state,
)
from store.database import Database
from store.search.embedded import Embedded
from store.search.request import Query

spec = importlib.util.spec_from_file_location("disk_kit", Path(__file__).parents[1] / "disk_kit.py")
disk_kit = importlib.util.module_from_spec(spec)
spec.loader.exec_module(disk_kit)

EARLIER = sorted(path.stem.split("_")[0][1:] for path in (migrations.FOLDER / "versions").glob("v*.py"))[:-1]
NOON = 1772452800000000
ROWS = f"""
INSERT INTO posts (id, source, text, created_at, received_at, lang, author, filters, trusted, status, backfilled,
    config_version) VALUES ('x:1', 'x', 'Fumée noire à Cholet', {NOON}, {NOON}, 'fr', 'ab', '["smoke"]', 0, 'Actual',
    0, 'v1'), ('x:2', 'x', 'Incendie', {NOON}, {NOON}, 'fr', NULL, '[]', 1, 'Actual', 0, 'v1');
DELETE FROM posts WHERE id = 'x:2';
INSERT INTO annotations (post_id, lang, about, relevance, rumour, emerging_incident, labels, hazard, payload)
    VALUES ('x:1', 'fr', 0.9, 0.8, 0.1, 0.9, '["emerging_incident"]', NULL,
    '{{"post_id": "x:1", "lang": "fr", "depth": "fast", "about": 0.9, "relevance": 0.8, "tags": {{"rumour": 0.1}}}}');
INSERT INTO sources (source, state, reason, since, received, kept) VALUES ('x', 'on', '', {NOON}, 9, 1);
INSERT INTO cursors (stage, seq) VALUES ('annotate', 3);
INSERT INTO state (stage, key, value) VALUES ('detect', 'now', '12.5');
INSERT INTO config_versions (number, version, by, at, files) VALUES (1, 'v1', 'test', {NOON}, '{{"b.yaml": "a: b"}}');
"""


THREAT = {
    "0001": "UPDATE annotations SET public_order_threat = 0.7 WHERE post_id = 'x:1'",
    "0002": f"INSERT INTO public_order (post_id, score, labelled, at) VALUES ('x:1', 0.7, 0, {NOON})",
}
"""Where that version kept what was found about public order."""


def at_version(file: Path, version: str) -> None:
    """A database as the Vigie of that version made it, with one row or more in what it wrote."""
    with closing(sqlite3.connect(file)) as conn:
        conn.execute("PRAGMA journal_mode=WAL")
    engine = create_engine(f"sqlite:///{file}", connect_args={"isolation_level": None})
    with engine.connect() as conn, conn.begin():
        config = Config()
        config.set_main_option("script_location", str(migrations.FOLDER))
        config.attributes["connection"] = conn
        command.upgrade(config, version)
    engine.dispose()
    with closing(sqlite3.connect(file)) as conn:
        conn.executescript(ROWS + THREAT[version])


@pytest.fixture(params=EARLIER)
def old(request, tmp_path):
    at_version(tmp_path / "vigie.db", request.param)
    return tmp_path / "vigie.db"


def test_there_is_an_earlier_version_to_come_from():
    assert EARLIER


def test_all_that_an_earlier_version_kept_is_read_by_this_one(old):
    db = Database.open(f"sqlite:///{old}")
    with db.read() as conn:
        assert conn.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one() == migrations.HEAD
        assert conn.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
        post = posts.get(conn, ["x:1"])["x:1"]
        assert (post.text, post.received_at, post.filters) == (
            "Fumée noire à Cholet",
            datetime(2026, 3, 2, 12, tzinfo=UTC),
            ("smoke",),
        )
        assert annotations.get(conn, ["x:1"])["x:1"].relevance == 0.8
        assert [one.received for one in sources.all(conn)] == [9]
        assert [hit.post_id for hit in Embedded(db).search(Query("fumee", about=0.8)).found] == ["x:1"]
        assert (changes.cursor(conn, "annotate"), state.get(conn, "detect")) == (3, {"now": 12.5})
        assert config_versions.latest(conn) == ("v1", {"b.yaml": "a: b"})
        assert [change.op for change in changes.after(conn, 0, ("posts",), 9)] == ["insert", "insert", "delete"]
        assert (gaps.in_state(conn, "open"), incidents.active(conn), alerts.of_incident(conn, "i")) == ([], [], [])
        assert (outbox.of_incident(conn, "i"), ledger.verify(conn)) == ([], None)
    db.close()


def test_an_upgraded_database_takes_what_is_new(old):
    db = Database.open(f"sqlite:///{old}")
    with db.write() as conn:
        gaps.begin(conn, "x", datetime(2026, 3, 2, 12, tzinfo=UTC), "the connection broke")
    with db.read() as conn:
        assert [one.reason for one in gaps.in_state(conn, "open")] == ["the connection broke"]
    db.close()


KILLED = """
import os, signal, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from store.database import Database

@event.listens_for(Engine, "after_cursor_execute")
def die(conn, cursor, statement, *rest):
    if "CREATE TRIGGER" in statement and sys.argv[2] in statement:
        os.kill(os.getpid(), signal.SIGKILL)

Database.open(f"sqlite:///{sys.argv[1]}")
"""


def test_an_upgrade_that_is_killed_half_way_leaves_the_earlier_version_whole_and_is_done_by_the_next(old):
    before = version(old)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    killed = subprocess.run([sys.executable, "-c", KILLED, str(old), "changes_incident_posts"], env=env, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert version(old) == before
    with closing(sqlite3.connect(old)) as conn:
        assert conn.execute("SELECT count(*) FROM posts").fetchone() == (1,)
    Database.open(f"sqlite:///{old}").close()
    assert version(old) == migrations.HEAD


def version(file: Path) -> str:
    with closing(sqlite3.connect(file)) as conn:
        return str(conn.execute("SELECT version_num FROM alembic_version").fetchone()[0])


FULL = """
import json, shutil, sqlite3, sys
from pathlib import Path
from store.database import Database, Unusable
from store.trouble import ailment

disk = Path(sys.argv[1])
shutil.copy("OLD", disk / "vigie.db")
filler = disk / "filler"
with filler.open("wb", buffering=0) as out:
    try:
        while True:
            out.write(b"x" * 4096)
    except OSError:
        pass
with filler.open("r+b") as out:
    out.truncate(filler.stat().st_size - 120_000)

def version():
    with sqlite3.connect(disk / "vigie.db") as conn:
        return conn.execute("SELECT version_num FROM alembic_version").fetchone()[0]

try:
    Database.open(f"sqlite:///{disk / 'vigie.db'}")
    said = None
except Unusable as error:
    said = [ailment(error), str(error)]
during = version()
filler.unlink()
Database.open(f"sqlite:///{disk / 'vigie.db'}").close()
print(json.dumps({"said": said, "during": during, "after": version()}))
"""


def test_an_upgrade_on_a_full_disk_says_so_and_leaves_the_earlier_version_whole(tmp_path):
    """From the first version: later steps need hardly any room."""
    old, before = tmp_path / "old.db", EARLIER[0]
    at_version(old, before)
    (tmp_path / "disk").mkdir()
    found = disk_kit.on_a_small_disk(FULL.replace("OLD", str(old)), tmp_path / "disk", size="2m")
    assert found["said"][0] == "full"
    assert "free some space" in found["said"][1]
    assert (found["during"], found["after"]) == (before, migrations.HEAD)
