"""A copy of the database taken while Vigie runs, what it proves of itself, and how it takes the database's place."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, update

from store import changes, ledger, outbox, state, times
from store.database import Database
from store.index import generations
from store.index.families import FAMILIES
from store.migrations import HEAD, known
from store.records import Delivery, LedgerEntry
from store.tables import deliveries, leases

MEMORY = "backup"
COUNTED = ("posts", "incidents", "alerts", "deliveries", "acknowledgements", "ledger")


class BadBackup(ValueError):
    """A file that is no backup, or no longer what was written; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds: ``made_at`` (UTC) is when it was taken, ``counts`` rows by table, ``pending`` how many
    deliveries were still to be sent then, ``ledger`` how many lines its ledger has, all in their chain."""

    file: Path
    made_at: datetime
    version: str
    counts: dict[str, int]
    pending: int


def take(db: Database, file: Path, target: Path, now: datetime) -> Backup:
    """Copy the database in ``file`` to ``target`` (mode 0600), as it is at one moment; stages write on meanwhile.

    Raises FileExistsError for a target that is there, BadBackup where the copy does not prove itself; a copy that was
    not finished is not left behind.
    """
    if target.exists():
        raise FileExistsError(17, "a file is there already", str(target))
    partly = target.with_name(target.name + ".part")
    partly.unlink(missing_ok=True)
    os.close(os.open(partly, os.O_CREAT | os.O_WRONLY, 0o600))
    try:
        with closing(sqlite3.connect(file, isolation_level=None)) as source:
            source.execute("VACUUM INTO ?", (str(partly),))
        _note(partly, now)
        made = check(partly)
        partly.rename(target)
    finally:
        partly.unlink(missing_ok=True)
    with db.write() as conn:
        state.put(conn, MEMORY, {"last": {"at": times.to_iso(now), "file": str(target)}})
    return Backup(target, made.made_at, made.version, made.counts, made.pending)


def _note(copy: Path, now: datetime) -> None:
    """Write into the copy when it was taken, and make sure that it is on the disk."""
    db = Database.open(f"sqlite:///{copy}")
    with db.write(durable=True) as conn:
        state.put(conn, MEMORY, {"made": times.to_iso(now)})
    db.close()
    copy.with_name(copy.name + ".lock").unlink(missing_ok=True)
    with copy.open("rb") as handle:
        os.fsync(handle.fileno())


def check(file: Path) -> Backup:
    """What the backup in ``file`` holds. Raises BadBackup where it is damaged, of a newer Vigie, or no backup."""
    if not file.is_file():
        raise BadBackup(f"{file}: there is no such file")
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?immutable=1", uri=True)) as conn:
            return _checked(file, conn)
    except sqlite3.DatabaseError as error:
        raise BadBackup(f"{file}: not a database, or damaged ({error})") from error


def _checked(file: Path, conn: sqlite3.Connection) -> Backup:
    found = conn.execute("PRAGMA integrity_check").fetchone()[0]
    if found != "ok":
        raise BadBackup(f"{file}: damaged ({found})")
    if not conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
        raise BadBackup(f"{file}: a database, but not one of Vigie")
    version = str(conn.execute("SELECT version_num FROM alembic_version").fetchone()[0])
    if not known(version):
        raise BadBackup(f"{file}: of a newer Vigie (version {version}, after {HEAD}): restore it with that one")
    made = conn.execute("SELECT value FROM state WHERE stage = ? AND key = 'made'", (MEMORY,)).fetchone()
    if made is None:
        raise BadBackup(f"{file}: a database of Vigie, but not one that `vigie backup` wrote")
    counts = {table: conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in COUNTED}
    pending = conn.execute("SELECT count(*) FROM deliveries WHERE state IN ('pending', 'sending')").fetchone()[0]
    return Backup(file, times.from_iso(made[0].strip('"')), version, counts, pending)


def broken_chain(backup: Backup) -> int | None:
    """The first line of the backup's ledger that is missing or was changed; None where the chain holds."""
    engine = create_engine(f"sqlite:///{backup.file.absolute().as_uri()}?immutable=1&uri=true")
    try:
        with engine.connect() as conn:
            return ledger.verify(conn)
    finally:
        engine.dispose()


def held(file: Path) -> bool:
    """Whether anybody has the database in ``file`` open: the desk and the pages do, which hold no lease.

    One that is damaged cannot tell, and counts as nobody's.
    """
    with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as conn:
        try:
            conn.execute("PRAGMA locking_mode=EXCLUSIVE")
            conn.execute("BEGIN EXCLUSIVE")
            conn.execute("ROLLBACK")
        except sqlite3.Error as error:
            return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return False


def restore(backup: Backup, file: Path, now: datetime, *, hold: bool) -> list[str]:
    """Put the backup in the place of the database in ``file``, which nobody may have open; gives the deliveries that
    were pending in it. With ``hold`` they are cancelled, else they go out once dispatch runs.

    What stood there is kept beside it, its name ending in ``.before-`` and the time. Raises BadBackup where the ledger
    of the backup is not in its chain; nothing is changed then.
    """
    if bad := broken_chain(backup):
        raise BadBackup(f"{backup.file}: line {bad} of its ledger is missing or was changed")
    fresh = file.with_name(file.name + ".restoring")
    file.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(backup.file, fresh)
    fresh.chmod(0o600)
    db = Database.open(f"sqlite:///{fresh}")  # migrates an older one
    with db.write(durable=True) as conn:
        waiting = _pending(conn)
        _begin_anew(conn, backup, now, waiting if hold else [])
    db.close()
    fresh.with_name(fresh.name + ".lock").unlink(missing_ok=True)
    for part in ("", "-wal", "-shm"):
        old = file.with_name(file.name + part)
        if old.exists():
            old.rename(file.with_name(f"{file.name}.before-{now:%Y%m%dT%H%M%SZ}{part}"))
    fresh.rename(file)
    return [one.id for one in waiting]


def _begin_anew(conn: Connection, backup: Backup, now: datetime, cancelled: list[Delivery]) -> None:
    conn.execute(update(leases).values(expires_at=times.EPOCH))
    for one in cancelled:
        outbox.cancel(conn, one.incident_id, ids=[one.id])
    for family in FAMILIES:  # what the index was told since bears the numbers of changes that never were
        if generations.known(conn, family):
            generations.ask(conn, family, "lost")
    last = {"at": times.to_iso(backup.made_at), "file": str(backup.file.absolute())}
    state.put(conn, MEMORY, {"last": last, "restored": times.to_iso(now)})
    detail: dict[str, Any] = {"made_at": times.to_iso(backup.made_at), "changes": changes.latest(conn)}
    ledger.append(conn, [LedgerEntry(now, "restored", "store", detail=detail | {"held": len(cancelled)})])


def _pending(conn: Connection) -> list[Delivery]:
    rows = conn.execute(deliveries.select().where(deliveries.c.state.in_(("pending", "sending"))))
    return [one for row in rows.all() if (one := outbox.get(conn, row.id))]
