"""The machine: versions, the disk, the files of the home, the clock."""

from __future__ import annotations

import platform
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import requests

from desk.doctor.declared import named
from desk.doctor.finding import Finding, Level, Patient
from desk.pulse.storage import LOW_BYTES
from store import migrations
from store.database import file_of

LIBRARIES = ("vigie", "sqlalchemy", "tweepy", "spacy", "apache-airflow-core")
MUCH_LOG = 256_000_000
SKEW = timedelta(seconds=60)
TIMEOUT_S = 5.0


def versions(_: Patient) -> Iterator[Finding]:
    """What runs here, for a report of a fault."""
    parts = [f"Python {platform.python_version()}", f"SQLite {sqlite3.sqlite_version}"]
    for name in LIBRARIES:
        try:
            parts.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            parts.append(f"{name} not installed")
    yield Finding("versions", "ok", ", ".join(parts))


def schema(patient: Patient) -> Iterator[Finding]:
    """The version of the database beside the one that this Vigie writes."""
    file = file_of(patient.settings.database)
    if not file.exists():
        yield Finding("schema", "warn", f"there is no database yet in {file}", "start Vigie: `vigie run` makes it")
        return
    try:
        found = schema_of(file)
    except sqlite3.Error as error:
        yield Finding("schema", "fail", f"{file} cannot be read: {error}", "bring a copy back: `vigie restore FILE`")
        return
    if found == migrations.HEAD:
        yield Finding("schema", "ok", f"the database is at version {found}, as this Vigie writes it")
    elif found and migrations.known(found):
        do = "end Vigie, take a copy, start it again: it is migrated then"
        yield Finding("schema", "warn", f"the database is at version {found}, before {migrations.HEAD}", do)
    else:
        yield Finding("schema", "fail", f"the database is at version {found}, unknown here", "use the Vigie it is of")


def schema_of(file: Path) -> str | None:
    """The version of a database, without touching it. Raises sqlite3.Error."""
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=2)) as conn:
        if not conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
            return None
        row = conn.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def disk(patient: Patient) -> Iterator[Finding]:
    """The room on the disk of the database, and how much of it the database takes."""
    file = file_of(patient.settings.database)
    room = next(folder for folder in file.parents if folder.exists())
    free = shutil.disk_usage(room).free
    size, log = (part.stat().st_size if part.exists() else 0 for part in (file, file.with_name(file.name + "-wal")))
    said = f"{free / 1e9:,.1f} GB free; database {size / 1e6:,.1f} MB, write-ahead log {log / 1e6:,.1f} MB"
    if free < LOW_BYTES:
        level: Level = "fail" if free < LOW_BYTES // 10 else "warn"
        yield Finding("disk", level, said, "free some space, or shorten `retention` in the bundle")
    elif log > MUCH_LOG:
        yield Finding(
            "disk", "warn", said, "something reads the database for hours: end it, so that its log can shrink"
        )
    else:
        yield Finding("disk", "ok", said)


def files(patient: Patient) -> Iterator[Finding]:
    """Whether others on this machine can read what is secret."""
    file = file_of(patient.settings.database)
    names = ["VIGIE_SECRET", *(name for name, _ in named(patient.world.bundle))] if patient.world else []
    secret = [Path(path) for name in names if (path := patient.env.get(f"{name}_FILE"))]
    private = [file, file.with_name(file.name + "-wal"), patient.settings.home / "secret", *secret]
    open_ones = [str(path) for path in dict.fromkeys(private) if path.exists() and path.stat().st_mode & 0o077]
    if open_ones:
        listed = ", ".join(open_ones)
        yield Finding("files", "warn", f"others on this machine can open {listed}", f"chmod 600 {' '.join(open_ones)}")
    else:
        yield Finding("files", "ok", "database and key file are closed to others")


def clock(patient: Patient) -> Iterator[Finding]:
    """This machine's clock beside that of X, as its answers tell; asked with --reach only."""
    if not patient.reach:
        return
    try:
        answer = requests.head(patient.settings.x_base_url, timeout=TIMEOUT_S, allow_redirects=False)
        there = parsedate_to_datetime(answer.headers["Date"])
    except (requests.RequestException, KeyError, ValueError) as error:
        yield Finding("clock", "warn", f"X does not tell the time: {type(error).__name__}", "look at the network")
        return
    ahead = datetime.now(UTC) - there
    if abs(ahead) > SKEW:
        said = f"this machine's clock is {ahead.total_seconds():+,.0f} s from X's"
        yield Finding("clock", "fail", said, "set the clock: turn on NTP (timedatectl set-ntp true)")
    else:
        yield Finding("clock", "ok", f"within {SKEW.total_seconds():.0f} s of X's")
