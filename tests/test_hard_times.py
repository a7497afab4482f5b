"""Stages outlast a full disk, a database that another holds, and one that cannot be written; nothing held is lost."""

import importlib.util
import logging
import sqlite3
import threading
import time
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

import vigie
from config.settings import settings
from store import config_versions, leases, posts
from store.database import Database
from store.holding import Holding
from store.records import Post

spec = importlib.util.spec_from_file_location("disk_kit", Path(__file__).with_name("disk_kit.py"))
disk_kit = importlib.util.module_from_spec(spec)
spec.loader.exec_module(disk_kit)

BUNDLE = """
name: {fr: a, en: b}
default_lead: p
agencies: [{id: p, name: {fr: a, en: b}, kind: prefecture}]
"""
AT = datetime(2026, 3, 2, tzinfo=UTC)


def one_by_one(db, made):
    """A stage that writes the next of ``made`` at each turn, and lets go of it only then."""

    @contextmanager
    def open_stage(house):
        def step(world, lease):
            if not made:
                return 0
            with db.write(lease=lease) as conn:
                posts.add(conn, [made[0]])
            del made[0]
            return 1

        yield step

    return vigie.Stage("collect", open_stage)


def kept(db):
    with db.read() as conn:
        return conn.exec_driver_sql("SELECT count(*) FROM posts").scalar_one()


@pytest.fixture
def house(tmp_path):
    db = Database.open(f"sqlite:///{tmp_path / 'vigie.db'}", patience=0.1)
    with db.write(durable=True) as conn:
        config_versions.publish(conn, {"b.yaml": BUNDLE}, "test", AT)
    yield vigie.House(settings({"VIGIE_HOME": str(tmp_path)}), db)
    db.close()


@contextmanager
def running(house, made):
    def run():
        with Holding(house.db, ["collect"], "test", house.clock, house.stop) as holding:
            vigie.run_stages([one_by_one(house.db, made)], house, holding)

    thread = threading.Thread(target=run)
    thread.start()
    yield
    house.stop.set()
    thread.join(10)
    assert not thread.is_alive()


def until(condition):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def test_stages_wait_for_a_database_that_another_process_holds_and_then_write_what_they_held(house, tmp_path, caplog):
    made = [Post(f"file:{n}", "file", "fumée", AT, AT) for n in range(50)]
    with closing(sqlite3.connect(tmp_path / "vigie.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with caplog.at_level(logging.WARNING), running(house, made):
            time.sleep(0.6)
            assert kept(house.db) == 0
            other.execute("ROLLBACK")
            until(lambda: kept(house.db) == 50)
    said = [record.message for record in caplog.records]
    assert len([line for line in said if "another process holds the database" in line]) == 1
    assert [line for line in said if "well again" in line]


def test_a_lease_that_ran_out_while_nobody_could_write_is_taken_up_again(house, tmp_path):
    made = [Post(f"file:{n}", "file", "fumée", AT, AT) for n in range(3)]
    with Holding(house.db, ["collect"], "test", house.clock, house.stop) as holding:
        expired = leases.Lease("collect", "test", holding.lease("collect").fence, AT)
        with house.db.write() as conn:
            conn.exec_driver_sql("UPDATE leases SET expires_at = 0")
        with pytest.raises(leases.LeaseExpired), house.db.write(lease=expired):
            pytest.fail("an expired lease commits nothing")
        thread = threading.Thread(target=vigie.run_stages, args=([one_by_one(house.db, made)], house, holding))
        thread.start()
        until(lambda: kept(house.db) == 3)
        house.stop.set()
        thread.join()


FULL = """
import json, sys, threading, time
from datetime import UTC, datetime
from pathlib import Path
from store import leases, posts
from store.database import Database
from store.records import Post
from store.trouble import Patience, ailment

disk = Path(sys.argv[1])
db = Database.open(f"sqlite:///{disk / 'vigie.db'}")
at = datetime(2026, 3, 2, tzinfo=UTC)
filler = disk / "filler"
with filler.open("wb", buffering=0) as out:
    try:
        while True:
            out.write(b"x" * 4096)
    except OSError:
        pass
seen, before = [], db.ailing(0.1)

def write(n):
    def action():
        try:
            with db.write() as conn:
                posts.add(conn, [Post(f"file:{n}", "file", "fumee " * 50, at, at)])
        except Exception as error:
            seen.append(ailment(error))
            raise
        return 1
    return action

threading.Timer(0.6, filler.unlink).start()
patience = Patience(threading.Event())
done = sum(patience.outlast(write(n)) for n in range(60))
with db.read() as conn:
    kept = conn.exec_driver_sql("SELECT count(*) FROM posts").scalar_one()
    well = conn.exec_driver_sql("PRAGMA integrity_check").scalar_one()
print(json.dumps({"seen": sorted(set(seen)), "tries": len(seen), "done": done, "kept": kept, "well": well,
                  "looks": [before, db.ailing(0.1)]}))
"""


def test_a_full_disk_is_waited_for_without_spinning_and_nothing_is_lost(tmp_path):
    found = disk_kit.on_a_small_disk(FULL, tmp_path)
    assert found["seen"] == ["full"]
    assert found["looks"] == ["full", None]
    assert (found["done"], found["kept"], found["well"]) == (60, 60, "ok")
    assert found["tries"] < 10
    assert "free some space" in found["log"]


READ_ONLY = """
import json, os, sys, threading
from datetime import UTC, datetime
from pathlib import Path
from store import posts
from store.database import Database
from store.records import Post
from store.trouble import Patience, ailment

file, seen = f"{sys.argv[1]}/vigie.db", []
at = datetime(2026, 3, 2, tzinfo=UTC)
db = Database.open(f"sqlite:///{file}")
db.close()
os.chmod(file, 0o400)

def write():
    try:
        with db.write() as conn:
            return len(posts.add(conn, [Post("file:1", "file", "fumee", at, at)]))
    except Exception as error:
        seen.append(ailment(error))
        raise

def give_back():
    for each in Path(sys.argv[1]).glob("vigie.db*"):
        each.chmod(0o600)

threading.Timer(0.6, give_back).start()
print(json.dumps({"done": Patience(threading.Event()).outlast(write), "seen": sorted(set(seen))}))
"""


def test_a_database_that_could_not_be_written_is_written_again_by_the_same_process(tmp_path):
    found = disk_kit.bound_by_rights(READ_ONLY, tmp_path)
    assert (found["done"], found["seen"]) == (1, ["read_only"])
    assert "rights" in found["log"]


OPENED_LATE = """
import json, subprocess, sys, threading
from store.database import Database
from store.trouble import Patience

disk = sys.argv[1]
Database.open(f"sqlite:///{disk}/vigie.db").close()
subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
threading.Timer(0.6, lambda: subprocess.run(["mount", "-o", "remount,rw", disk], check=True)).start()
Patience(threading.Event()).outlast(lambda: Database.open(f"sqlite:///{disk}/vigie.db"))
print(json.dumps({"opened": True}))
"""


def test_a_task_that_starts_on_a_read_only_disk_waits_until_it_can_be_written(tmp_path):
    found = disk_kit.on_a_small_disk(OPENED_LATE, tmp_path)
    assert found["opened"]
    assert "rights" in found["log"]
