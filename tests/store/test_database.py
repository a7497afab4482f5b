import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import OperationalError

from store import changes, migrations, posts, state
from store.database import Busy, Database
from store.migrations import UnknownVersion
from store.tables import SHARED, metadata

ROOT = Path(__file__).resolve().parents[2]


class Stopped(Exception):
    pass


def start(code: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


COUNT = """
import sys
from store import state
from store.database import Database
db = Database.open(sys.argv[1])
for _ in range(40):
    with db.write() as conn:
        count = state.get(conn, "count").get("n", 0)
        state.put(conn, "count", {"n": count + 1})
"""


def test_three_processes_that_read_then_update_never_find_the_database_locked(url):
    writers = [start(COUNT, url) for _ in range(3)]
    assert [writer.communicate(timeout=60)[1] for writer in writers] == ["", "", ""]
    db = Database.open(url)
    with db.read() as conn:
        assert state.get(conn, "count") == {"n": 120}
    db.close()


WRITE_FOR_EVER = """
import sys
from dataclasses import replace
from datetime import UTC, datetime
from store import changes, posts
from store.database import Database
from store.records import Post
db = Database.open(sys.argv[1])
at = datetime(2026, 3, 2, tzinfo=UTC)
done = 0
while True:
    with db.write() as conn:
        for n in range(done, done + 20):
            posts.add(conn, [Post(f"file:{n}", "file", "fumee", at, at)])
        changes.set_cursor(conn, "collect", done + 20)
    done += 20
    print(done, flush=True)
"""


def test_a_killed_writer_leaves_nothing_half_written(url):
    writer = start(WRITE_FOR_EVER, url)
    told = int(writer.stdout.readline())
    time.sleep(0.2)
    writer.send_signal(signal.SIGKILL)
    writer.communicate(timeout=10)
    db = Database.open(url)
    with db.write() as conn:
        kept = conn.exec_driver_sql("SELECT count(*) FROM posts").scalar_one()
        assert kept == changes.cursor(conn, "collect") == changes.latest(conn)
        assert kept >= told
        assert conn.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
        conn.exec_driver_sql("INSERT INTO posts_fts (posts_fts) VALUES ('integrity-check')")
    db.close()


OPEN = "import sys; from store.database import Database; Database.open(sys.argv[1]).close()"


def test_processes_that_open_a_new_database_together_migrate_it_once(url):
    openers = [start(OPEN, url) for _ in range(3)]
    assert [opener.communicate(timeout=60)[1] for opener in openers] == ["", "", ""]
    db = Database.open(url)
    with db.read() as conn:
        assert conn.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all() == [migrations.HEAD]
    db.close()


def test_a_database_that_is_up_to_date_opens_without_alembic(url):
    Database.open(url).close()
    opener = start(OPEN + "; assert 'alembic' not in sys.modules", url)
    assert opener.communicate(timeout=60)[1] == ""


def test_a_write_that_raises_leaves_nothing(db, make):
    with pytest.raises(Stopped), db.write() as conn:  # noqa: PT012 - what is done before the stop is the point
        posts.add(conn, [make.post(1)])
        raise Stopped
    with db.read() as conn:
        assert conn.exec_driver_sql("SELECT count(*) FROM posts").scalar_one() == 0


def test_a_reader_cannot_write(db, make):
    with pytest.raises(OperationalError, match="readonly"), db.read() as conn:
        posts.add(conn, [make.post(1)])


def test_a_reader_sees_one_state_while_another_writes(db, make):
    with db.read() as reader:
        before = reader.exec_driver_sql("SELECT count(*) FROM posts").scalar_one()
        with db.write() as writer:
            posts.add(writer, [make.post(1)])
        assert reader.exec_driver_sql("SELECT count(*) FROM posts").scalar_one() == before == 0
    with db.read() as reader:
        assert reader.exec_driver_sql("SELECT count(*) FROM posts").scalar_one() == 1


@pytest.mark.parametrize(("durable", "level"), [(True, 2), (False, 1)])
def test_durable_writes_are_synchronous_full_and_others_normal(db, durable, level):
    with db.write(durable=not durable):
        pass
    with db.write(durable=durable) as conn:
        assert conn.exec_driver_sql("PRAGMA synchronous").scalar_one() == level
        assert conn.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert conn.exec_driver_sql("PRAGMA busy_timeout").scalar_one() == 10_000


def test_a_write_takes_the_lock_before_it_reads(url, db):
    other = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=0)
    with closing(other), db.write(), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")


def test_a_write_that_waits_too_long_says_that_others_hold_the_database(url, db):
    hasty = Database.open(url, patience=0.05)
    with db.write(), pytest.raises(Busy, match=r"more than 0\.05 seconds"), hasty.write():
        pytest.fail("two writers at once")
    with hasty.write():
        pass
    hasty.close()


def test_a_time_without_a_zone_is_refused(db, make):
    naive = datetime(2026, 3, 2)  # noqa: DTZ001 - the fault under test
    with pytest.raises(ValueError, match="needs its zone"), db.write() as conn:
        posts.add(conn, [make.post(1, created_at=naive)])


def test_times_are_kept_as_whole_microseconds(db, make):
    with db.write() as conn:
        posts.add(conn, [make.post(0)])
        assert conn.exec_driver_sql("SELECT typeof(created_at), created_at FROM posts").one() == (
            "integer",
            1772452800000000,
        )


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "postgresql://localhost/vigie"])
def test_a_url_that_names_no_sqlite_file_is_refused(url):
    with pytest.raises(ValueError, match="must name a SQLite file"):
        Database.open(url)


def test_the_folder_of_the_database_is_made(tmp_path):
    Database.open(f"sqlite:///{tmp_path / 'a b' / 'c%d' / 'vigie.db'}").close()
    assert (tmp_path / "a b" / "c%d" / "vigie.db").exists()


def test_a_database_of_a_newer_vigie_is_refused_with_its_version(url):
    Database.open(url).close()
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as conn, conn:
        conn.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(UnknownVersion, match=r"version 9999.*newer Vigie"):
        Database.open(url)


def test_the_migrations_make_the_tables_that_the_code_uses(db):
    theirs = {"posts_fts", "posts_fts_data", "posts_fts_idx", "posts_fts_docsize", "posts_fts_config"}
    options = {"include_name": lambda name, kind, _: kind != "table" or name not in theirs, "compare_type": True}
    with db.read() as conn:
        assert compare_metadata(MigrationContext.configure(conn, opts=options), metadata) == []


def test_the_newest_migration_is_the_one_that_the_quick_check_knows():
    config = Config()
    config.set_main_option("script_location", str(migrations.FOLDER))
    assert ScriptDirectory.from_config(config).get_current_head() == migrations.HEAD


def test_every_shared_table_is_watched(db):
    with db.read() as conn:
        names = conn.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars().all()
    wanted = {f"changes_{table}_{op}" for table in SHARED for op in ("insert", "update", "move", "delete")}
    assert wanted <= set(names)


def test_the_files_of_the_database_are_private(url, make, tmp_path):
    db = Database.open(url)
    with db.write() as conn:
        posts.add(conn, [make.post(1)])
    files = {path.name: path.stat().st_mode & 0o077 for path in tmp_path.iterdir()}
    db.close()
    assert files == dict.fromkeys(["vigie.db", "vigie.db-wal", "vigie.db-shm", "vigie.db.lock"], 0)
