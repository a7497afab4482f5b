"""Published configurations: the files of a bundle that was checked, under a version made of their content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

import orjson
from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.sqlite import insert

from store.tables import config_versions


def version_of(files: Mapping[str, str]) -> str:
    """The version of files (path → text): 12 hex digits of the hash of their content."""
    return hashlib.sha256(orjson.dumps(dict(files), option=orjson.OPT_SORT_KEYS)).hexdigest()[:12]


def publish(conn: Connection, files: Mapping[str, str], by: str, now: datetime) -> str:
    """Make ``files`` (path → text) the newest configuration; gives its version.

    Publishing what is the newest already changes nothing; publishing an older one again makes it the newest.
    """
    version = version_of(files)
    if newest(conn) == version:
        return version
    number = conn.execute(select(func.coalesce(func.max(config_versions.c.number), 0) + 1)).scalar_one()
    values = {"number": number, "by": by, "at": now}
    new = insert(config_versions).values(version=version, files=dict(files), **values)
    conn.execute(new.on_conflict_do_update(set_=values))
    return version


def newest(conn: Connection) -> str | None:
    """The version of the newest configuration without its files, or None before the first."""
    order = config_versions.c.number.desc()
    return conn.execute(select(config_versions.c.version).order_by(order).limit(1)).scalar_one_or_none()


def latest(conn: Connection) -> tuple[str, dict[str, str]] | None:
    """Version and files (path → text) of the newest configuration, or None before the first."""
    newest = select(config_versions.c.version, config_versions.c.files).order_by(config_versions.c.number.desc())
    row = conn.execute(newest.limit(1)).one_or_none()
    return None if row is None else (row.version, row.files)
