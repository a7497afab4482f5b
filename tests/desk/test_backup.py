"""A backup taken while stages write proves itself, and restores what it held; a bad one changes nothing."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from desk.cli import main
from store import leases, ledger, outbox, posts
from store.database import Database
from store.records import Delivery, LedgerEntry, Post

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VIGIE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def db(home: Path) -> Iterator[Database]:
    opened = Database.open(f"sqlite:///{home / 'vigie.db'}")
    with opened.write(durable=True) as conn:
        posts.add(conn, [Post(f"file:{n}", "file", "fumée", AT, AT) for n in range(5)])
        ledger.append(conn, [LedgerEntry(AT, "routed", f"a{n}") for n in range(3)])
        outbox.add(conn, [Delivery("d1", "a1", "i1", "new", "fire", "lead", "garde", "mail", AT)])
    yield opened
    opened.close()


def vigie(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(one) for one in arguments])


def told(*arguments: object) -> dict[str, object]:
    done = vigie(*arguments, "--json")
    assert done.exit_code == 0, done.output
    found: dict[str, object] = json.loads(done.output)
    return found


def refused(done: Result, *words: str) -> None:
    assert done.exit_code == 1
    assert [word for word in words if word not in done.output] == []


def count(file: Path, table: str = "posts") -> int:
    with closing(sqlite3.connect(file)) as conn:
        return int(conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def test_a_backup_taken_while_posts_come_in_is_whole_and_private(db: Database, tmp_path: Path) -> None:
    stop, written = threading.Event(), []

    def write() -> None:
        while not stop.is_set():
            with db.write() as conn:
                posts.add(conn, [Post(f"live:{len(written)}", "file", "fumée", AT, AT)])
            written.append(1)

    writer = threading.Thread(target=write)
    writer.start()
    made = told("backup", tmp_path / "copy.db")
    stop.set()
    writer.join()
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600
    assert count(tmp_path / "copy.db") == made["counts"]["posts"] >= 5  # type: ignore[index]
    assert told("restore", "--check", tmp_path / "copy.db")["restored"] is False
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.db", "home"]


def test_a_backup_does_not_write_over_another(db: Database, tmp_path: Path) -> None:
    told("backup", tmp_path / "copy.db")
    refused(vigie("backup", tmp_path / "copy.db"), "copy.db", "there already")


def test_the_key_file_is_copied_only_when_asked_for(db: Database, home: Path, tmp_path: Path) -> None:
    (home / "secret").write_text("0123")
    told("backup", tmp_path / "without.db")
    told("backup", "--with-secret", tmp_path / "with.db")
    assert not (tmp_path / "without.db.secret").exists()
    assert (tmp_path / "with.db.secret").read_text() == "0123"
    assert (tmp_path / "with.db.secret").stat().st_mode & 0o777 == 0o600


def test_a_lost_database_is_restored_and_says_so_in_its_ledger(db: Database, home: Path, tmp_path: Path) -> None:
    told("backup", tmp_path / "copy.db")
    db.close()
    shutil.rmtree(home)
    made = told("restore", tmp_path / "copy.db")
    assert (count(home / "vigie.db"), made["pending"]) == (5, 1)
    again = Database.open(f"sqlite:///{home / 'vigie.db'}")
    with again.read() as conn:
        assert ledger.verify(conn) is None
        assert [entry.kind for entry in ledger.newest(conn, 1)] == ["restored"]
        assert outbox.get(conn, "d1").state == "pending"  # type: ignore[union-attr]
    again.close()


def test_the_doctor_says_from_which_backup_the_database_was_restored_until_there_is_a_newer(
    db: Database, home: Path, tmp_path: Path
) -> None:
    def doctor() -> dict[str, str]:
        [found] = [one for one in json.loads(vigie("doctor", "--json").output)["findings"] if one["name"] == "backup"]
        return found

    made = told("backup", tmp_path / "copy.db")
    db.close()
    told("restore", "--force", tmp_path / "copy.db")
    assert f"of {made['made_at']}, in {tmp_path / 'copy.db'}; this database was restored from it at" in doctor()["said"]
    assert doctor()["level"] == "ok"
    told("backup", tmp_path / "newer.db")
    assert "newer.db" in doctor()["said"]
    assert "restored" not in doctor()["said"]


def test_messages_that_were_pending_at_the_backup_can_be_held(db: Database, home: Path, tmp_path: Path) -> None:
    told("backup", tmp_path / "copy.db")
    db.close()
    told("restore", "--force", "--hold-deliveries", tmp_path / "copy.db")
    again = Database.open(f"sqlite:///{home / 'vigie.db'}")
    with again.read() as conn:
        assert outbox.get(conn, "d1").state == "cancelled"  # type: ignore[union-attr]
    again.close()


def test_a_database_that_is_there_is_replaced_by_force_only_and_kept(db: Database, home: Path, tmp_path: Path) -> None:
    told("backup", tmp_path / "copy.db")
    with db.write() as conn:
        posts.add(conn, [Post("file:late", "file", "fumée", AT, AT)])
    db.close()
    refused(vigie("restore", tmp_path / "copy.db"), "--force")
    assert count(home / "vigie.db") == 6
    told("restore", "--force", tmp_path / "copy.db")
    assert count(home / "vigie.db") == 5
    assert [count(path) for path in home.glob("vigie.db.before-*") if path.suffix.endswith("Z")] == [6]


def test_a_running_installation_is_not_restored_over(db: Database, tmp_path: Path) -> None:
    told("backup", tmp_path / "copy.db")
    leases.acquire(db, "collect", "host:1:listen", datetime.now(UTC))
    refused(vigie("restore", "--force", tmp_path / "copy.db"), "host:1:listen", "end it first")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        ("UPDATE alembic_version SET version_num = '9999'", "newer Vigie"),
        ("DROP TRIGGER ledger_update; UPDATE ledger SET subject = 'other' WHERE seq = 2", "line 2 of its ledger"),
        ("DELETE FROM state", "not one that `vigie backup` wrote"),
        ("DROP TABLE alembic_version", "not one of Vigie"),
    ],
)
def test_a_backup_that_was_changed_is_refused_and_nothing_is_touched(
    db: Database, home: Path, tmp_path: Path, spoil: str, says: str
) -> None:
    told("backup", tmp_path / "copy.db")
    db.close()
    with closing(sqlite3.connect(tmp_path / "copy.db")) as conn:
        conn.executescript(spoil)
    before = (home / "vigie.db").read_bytes()
    refused(vigie("restore", "--check", tmp_path / "copy.db"), says)
    refused(vigie("restore", "--force", tmp_path / "copy.db"), says)
    assert (home / "vigie.db").read_bytes() == before


def test_a_damaged_or_foreign_file_is_no_backup(db: Database, tmp_path: Path) -> None:
    told("backup", tmp_path / "copy.db")
    whole = (tmp_path / "copy.db").read_bytes()
    (tmp_path / "copy.db").write_bytes(whole[: len(whole) // 2])
    refused(vigie("restore", "--check", tmp_path / "copy.db"), "copy.db", "damaged")
    (tmp_path / "copy.db").write_bytes(b"a photograph" * 1000)
    refused(vigie("restore", "--check", tmp_path / "copy.db"), "not a database")
    refused(vigie("restore", "--check", tmp_path / "nothing.db"), "no such file")


def test_a_database_that_the_desk_has_open_is_not_replaced_under_it(db: Database, home: Path, tmp_path: Path) -> None:
    told("backup", tmp_path / "copy.db")
    with db.read() as conn:
        assert conn
    done = in_another_process("restore", "--force", tmp_path / "copy.db")
    assert (done.returncode, "has" in done.stderr, "open: end Vigie first" in done.stderr) == (1, True, True)
    assert not list(home.glob("vigie.db.before-*"))
    db.close()
    assert in_another_process("restore", "--force", tmp_path / "copy.db").returncode == 0


def in_another_process(*arguments: object) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "desk.cli", *map(str, arguments)]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("bring", ["restored", "copied by hand"])
def test_stages_write_while_a_restored_database_is_read(db: Database, home: Path, tmp_path: Path, bring: str) -> None:
    told("backup", tmp_path / "copy.db")
    db.close()
    if bring == "restored":
        told("restore", "--force", tmp_path / "copy.db")
    else:
        shutil.copy(tmp_path / "copy.db", home / "vigie.db")
    again = Database.open(f"sqlite:///{home / 'vigie.db'}", patience=0.2)
    with again.read() as reading:
        before = reading.exec_driver_sql("SELECT count(*) FROM posts").scalar_one()
        with again.write() as conn:
            posts.add(conn, [Post("file:late", "file", "fumée", AT, AT)])
        assert reading.exec_driver_sql("SELECT count(*) FROM posts").scalar_one() == before == 5
    again.close()
    assert count(home / "vigie.db") == 6
