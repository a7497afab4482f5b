from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.publish import Configuration, FolderWatch, publish_folder
from store import config_versions, ledger
from store.database import Database

HERE = Path(__file__).parent
GOOD = (HERE / "good.yaml").read_text(encoding="utf-8")
NOW = datetime(2027, 1, 15, tzinfo=UTC)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = Database.open(f"sqlite:///{tmp_path / 'vigie.db'}")
    yield database
    database.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "bundle"
    made.mkdir()
    (made / "a.yaml").write_text(GOOD, encoding="utf-8")
    return made


def add_bad(folder: Path, name: str) -> None:
    (folder / "bad.yaml").write_text((HERE / "bad" / f"{name}.yaml").read_text(encoding="utf-8"), encoding="utf-8")


def test_a_clean_folder_is_published_and_adopted(db: Database, folder: Path) -> None:
    configuration = Configuration(db)
    assert configuration.current() is None
    assert publish_folder(db, folder, "Inès", NOW) == []
    world = configuration.current()
    assert world is not None
    assert world.version == config_versions.version_of({"a.yaml": GOOD})


def test_a_bad_folder_is_refused_and_the_old_configuration_stays(db: Database, folder: Path) -> None:
    publish_folder(db, folder, "Inès", NOW)
    before = Configuration(db).current()
    add_bad(folder, "unknown-lead")
    faults = publish_folder(db, folder, "Inès", NOW)
    after = Configuration(db).current()
    assert [fault.file for fault in faults] == ["bad.yaml"]
    assert before is not None
    assert after is not None
    assert after.version == before.version


def test_an_unreadable_file_keeps_the_whole_folder_from_being_published(db: Database, folder: Path) -> None:
    (folder / "bad.yaml").write_bytes(b"\xff\xfe")
    assert publish_folder(db, folder, "Inès", NOW)
    assert Configuration(db).current() is None


def test_warnings_do_not_keep_a_folder_from_being_published(db: Database, folder: Path) -> None:
    add_bad(folder, "unowned")
    (fault,) = publish_folder(db, folder, "Inès", NOW)
    assert fault.level == "warning"
    assert Configuration(db).current() is not None


def test_the_world_is_built_again_only_when_the_version_changes(db: Database, folder: Path) -> None:
    configuration = Configuration(db)
    publish_folder(db, folder, "Inès", NOW)
    first = configuration.current()
    publish_folder(db, folder, "Inès", NOW)
    assert configuration.current() is first
    (folder / "a.yaml").write_text(GOOD.replace("[incendie]", "[incendie, flammes]"), encoding="utf-8")
    publish_folder(db, folder, "Inès", NOW)
    second = configuration.current()
    assert second is not None
    assert second.bundle.filters[0].keywords == ("incendie", "flammes")


def test_a_publication_and_its_exemptions_go_to_the_ledger_once(db: Database, folder: Path) -> None:
    add_bad(folder, "exempt")
    publish_folder(db, folder, "Inès", NOW)
    publish_folder(db, folder, "Inès", NOW)
    with db.read() as conn:
        entries = ledger.entries(conn)
        newest = config_versions.latest(conn)
    assert newest is not None
    assert [(e.kind, e.subject, e.actor) for e in entries] == [
        ("configuration", newest[0], "Inès"),
        ("exemption", "manif", "Camille Martin"),
    ]
    assert entries[1].detail["until"] == "2027-03-01"


def test_a_change_of_a_yml_file_is_seen(db: Database, folder: Path) -> None:
    (folder / "more.yml").write_text("time_zone: Europe/Paris\n", encoding="utf-8")
    watch = FolderWatch(db, folder)
    watch.look(NOW)
    (folder / "more.yml").write_text("time_zones: Europe/Paris\n", encoding="utf-8")
    assert [fault.file for fault in watch.look(NOW) or ()] == ["more.yml"]


def test_the_hidden_files_of_an_editor_do_not_count(db: Database, folder: Path) -> None:
    watch = FolderWatch(db, folder)
    watch.look(NOW)
    (folder / ".#bundle.yaml").symlink_to("nobody@nowhere")
    assert watch.look(NOW) is None


def test_a_folder_that_goes_away_is_refused_and_the_old_configuration_stays(db: Database, folder: Path) -> None:
    watch = FolderWatch(db, folder)
    watch.look(NOW)
    folder.rename(folder.with_name("gone"))
    assert [fault.message for fault in watch.look(NOW) or ()] == ["there is no such folder"]
    assert Configuration(db).current() is not None


def test_a_file_that_leads_nowhere_is_refused_by_name(db: Database, folder: Path) -> None:
    (folder / "lost.yaml").symlink_to("nowhere")
    assert [fault.file for fault in FolderWatch(db, folder).look(NOW) or ()] == ["lost.yaml"]
