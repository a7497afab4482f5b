"""Migrations: Alembic steps, found by package path and run once, under a file lock, when a database is opened."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Engine

HEAD = "0003"
WAL = "wal"
FOLDER = Path(__file__).resolve().parent


class UnknownVersion(Exception):
    """The database was made by another Vigie, and no migration of this one leads from it."""


def migrate(engine: Engine, path: Path) -> None:
    """Bring the SQLite file at ``path`` to the newest version, in WAL mode; cheap where it is there already.

    A copy that ``VACUUM INTO`` made is at its version but not in WAL mode, where readers and writers block each other.

    Raises UnknownVersion where a newer Vigie wrote the file, OSError where it cannot be written.
    """
    if _found(path) == (HEAD, WAL):
        return
    with _locked(path.with_name(path.name + ".lock")):
        found, mode = _found(path)
        if (found, mode) == (HEAD, WAL):
            return
        if found is not None and not known(found):
            raise UnknownVersion(f"{path} is at version {found}, which this Vigie does not know: use the newer Vigie")
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
        if found != HEAD:
            _upgrade(engine)


def known(version: str) -> bool:
    """Whether a migration of this Vigie leads on from ``version``, or it is the newest."""
    return version.isalnum() and bool(list((FOLDER / "versions").glob(f"v{version}_*.py")))


def _found(path: Path) -> tuple[str | None, str]:
    """The version of the file, None where it has none, and its journal mode."""
    if not path.exists():
        return None, ""
    with closing(sqlite3.connect(path, timeout=10)) as connection:
        mode = str(connection.execute("PRAGMA journal_mode").fetchone()[0])
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
            return None, mode
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return (None if row is None else str(row[0])), mode


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _upgrade(engine: Engine) -> None:
    from alembic import command
    from alembic.config import Config

    with engine.connect().execution_options(vigie="durable") as connection, connection.begin():
        config = Config()
        config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
