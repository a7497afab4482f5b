"""`vigie doctor` names what is not well and what to do, shows no secret, and neither makes nor migrates a database."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from alerts import anchoring
from desk.cli import main
from store import aside, gaps, leases, posts, state
from store.database import Database
from store.index.cluster import Cluster
from store.records import Post, SetAside

NOW = datetime.now(UTC)
STAGES = ("collect", "annotate", "detect", "route", "dispatch")
BUNDLE = """
name: {fr: a, en: b}
default_lead: p
agencies:
  - id: p
    name: {fr: a, en: b}
    kind: prefecture
    contacts: [{id: g, name: Garde, channel: mail, address: garde@example.test}]
channels: [{id: mail, kind: mail, settings: {host: 127.0.0.1, port: 25}}]
filters: [{id: smoke, purpose: Hear of smoke anywhere, keywords: [fumée], where: anywhere}]
sources: [{id: x, kind: x_search, secrets: {bearer_token: INVENTED_TOKEN}}]
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "b.yaml").write_text(BUNDLE)
    monkeypatch.setenv("VIGIE_HOME", str(tmp_path))
    monkeypatch.setenv("VIGIE_CONFIG", str(tmp_path / "bundle"))
    monkeypatch.setenv("INVENTED_TOKEN", "s3cret")
    return tmp_path


@pytest.fixture
def db(home: Path) -> Database:
    opened = Database.open(f"sqlite:///{home / 'vigie.db'}")
    for stage in STAGES:
        leases.acquire(opened, stage, "test", datetime.now(UTC))
    return opened


def vigie(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def findings() -> dict[str, tuple[str, str, str]]:
    told = json.loads(vigie("doctor", "--json").output)
    return {one["name"]: (one["level"], one["said"], one["do"]) for one in told["findings"]}


def test_an_installation_that_never_ran_is_told_how_to_start_and_nothing_is_made(home: Path) -> None:
    level, said, do = findings()["schema"]
    assert (level, "no database yet" in said, "vigie run" in do) == ("warn", True, True)
    assert [path.name for path in home.iterdir()] == ["bundle"]


def test_a_stage_that_nobody_runs_fails_with_what_to_do(home: Path, db: Database) -> None:
    with db.write() as conn:
        conn.exec_driver_sql("UPDATE leases SET expires_at = 0 WHERE stage = 'route'")
    done = vigie("doctor")
    assert done.exit_code == 1
    assert "FAIL  movement: stopped: route" in done.output
    assert "→ start it" in done.output


def test_a_missing_credential_is_named_and_a_value_never_shown(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert findings()["credentials"][:2] == ("ok", "1 named, all there")
    assert "s3cret" not in vigie("doctor").output
    monkeypatch.delenv("INVENTED_TOKEN")
    assert "INVENTED_TOKEN is not set" in findings()["credentials"][1]


def test_a_fault_of_the_folder_and_a_folder_that_is_not_in_force_are_told(home: Path, db: Database) -> None:
    assert findings()["configuration"][0] == "ok"
    (home / "bundle" / "b.yaml").write_text(BUNDLE.replace("keywords: [fumée]", "keywords: []"))
    assert findings()["configuration"][0] == "fail"


def test_files_that_others_can_read_are_named_with_the_command_that_closes_them(home: Path, db: Database) -> None:
    assert findings()["files"][0] == "ok"
    (home / "vigie.db").chmod(0o644)
    level, _, do = findings()["files"]
    assert (level, f"chmod 600 {home / 'vigie.db'}" in do) == ("warn", True)


def test_a_locked_database_fails_with_the_advice(home: Path, db: Database) -> None:
    with closing(sqlite3.connect(home / "vigie.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        level, said, do = findings()["database"]
    assert (level, "busy" in said, "end it" in do) == ("fail", True, True)


def test_posts_of_the_future_tell_of_a_clock_that_was_put_back(home: Path, db: Database) -> None:
    later = NOW + timedelta(hours=1)
    with db.write() as conn:
        posts.add(conn, [Post("x:1", "x", "fumée", NOW, later)])
    level, said, do = findings()["clock of posts"]
    assert (level, "1 of the last" in said, "NTP" in do) == ("fail", True, True)


def test_posts_that_all_seem_an_hour_old_tell_of_a_clock_that_runs_ahead(home: Path, db: Database) -> None:
    with db.write() as conn:
        posts.add(conn, [Post(f"x:{n}", "x", "fumée", NOW - timedelta(hours=1), NOW) for n in range(5)])
    level, said, _ = findings()["clock of posts"]
    assert (level, "+3,600 s" in said) == ("fail", True)


def test_holes_set_aside_posts_and_a_missing_backup_are_told(home: Path, db: Database) -> None:
    with db.write() as conn:
        gaps.begin(conn, "x", NOW, "the connection broke")
        aside.put(conn, [SetAside("annotate", "x:9", 2, "Crash: signal SIGSEGV", NOW)])
    told = findings()
    assert "1 holes" in told["holes"][1]
    assert "x:9 (annotate: Crash: signal SIGSEGV)" in told["set aside"][1]
    assert told["backup"][:2] == ("warn", "none was ever taken")
    assert vigie("backup", str(home / "copy.db")).exit_code == 0
    assert findings()["backup"][0] == "ok"


def test_a_changed_ledger_fails(home: Path, db: Database) -> None:
    assert findings()["ledger"][0] == "ok"
    with closing(sqlite3.connect(home / "vigie.db")) as conn:
        conn.execute("INSERT INTO ledger VALUES (1, 0, 'routed', 'a', 'vigie', '{}', '', 'not its digest')")
        conn.commit()
    assert findings()["ledger"][0] == "fail"


def test_a_place_that_keeps_no_anchor_is_named(home: Path, db: Database) -> None:
    with db.write() as conn:
        failed = {"at": "2026-03-02T12:00:00Z", "error": "ancres.jsonl cannot be written: No space left on device"}
        state.put(conn, anchoring.STATE, {"archive": failed})
    told = [one for one in json.loads(vigie("doctor", "--json").output)["findings"] if one["name"] == "ledger"]
    assert [one["level"] for one in told] == ["warn", "ok"]
    assert "written down in archive: ancres.jsonl cannot be written" in told[0]["said"]


def test_a_database_of_another_version_is_told_and_not_migrated(home: Path, db: Database) -> None:
    db.close()
    with closing(sqlite3.connect(home / "vigie.db")) as conn:
        conn.execute("UPDATE alembic_version SET version_num = '0001'")
        conn.commit()
    assert findings()["schema"][0] == "warn"
    with closing(sqlite3.connect(home / "vigie.db")) as conn:
        assert conn.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)


def test_an_airflow_that_does_not_answer_is_told(home: Path) -> None:
    (home / "airflow").mkdir()
    (home / "airflow" / "airflow.db").touch()
    level, said, _ = findings()["airflow"]
    assert (level, "does not answer" in said) == ("warn", True)


def test_an_airflow_of_another_container_is_asked_where_it_is_said_to_be(home: Path, monkeypatch) -> None:
    monkeypatch.setenv("VIGIE_AIRFLOW_URL", "http://127.0.0.1:9")
    level, said, _ = findings()["airflow"]
    assert (level, "does not answer" in said) == ("warn", True)


def test_a_cluster_that_does_not_answer_is_a_warning_with_its_reason(
    home: Path, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIGIE_ELASTICSEARCH", "http://127.0.0.1:9")
    leases.acquire(db, "index", "test", datetime.now(UTC))
    told = findings()
    assert told["elasticsearch"][0] == "warn"
    assert "nothing answers at that address" in told["elasticsearch"][1]
    assert told["index"][:2] == ("ok", "fed; 0 changes behind, 0 s; 0 documents set aside")


def test_a_cluster_that_answers_is_named_by_its_version_and_an_index_that_nobody_feeds_is_told(
    home: Path, db: Database, monkeypatch: pytest.MonkeyPatch, cluster: Cluster
) -> None:
    monkeypatch.setenv("VIGIE_ELASTICSEARCH", cluster.hosts[0])
    monkeypatch.setenv("VIGIE_ELASTICSEARCH_PREFIX", cluster.prefix)
    told = findings()
    assert told["elasticsearch"][1].startswith("9.")
    assert "templates lack" in told["elasticsearch"][1]
    assert told["index"][:2] == ("warn", "nobody feeds it; 0 changes behind, 0 s; 0 documents set aside")


def test_without_a_cluster_the_embedded_search_is_all_there_is(home: Path, db: Database) -> None:
    told = findings()
    assert (told["elasticsearch"][0], "index" in told) == ("ok", False)
