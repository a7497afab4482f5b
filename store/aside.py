"""What a stage could not deal with and left out, so that the rest went on: shown to people, gone with its post."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from store.batches import batches
from store.records import SetAside
from store.tables import set_aside

_upsert = insert(set_aside)
_UPSERT = _upsert.on_conflict_do_update(
    set_={name: _upsert.excluded[name] for name in ("reason", "at")}
    | {"tries": set_aside.c.tries + _upsert.excluded.tries}
)


def put(conn: Connection, new: Sequence[SetAside]) -> None:
    """Set these aside; what was set aside before gets the newer reason, and the tries are added up."""
    if new:
        conn.execute(_UPSERT, [asdict(one) for one in new])


def take_back(conn: Connection, stage: str, keys: Collection[str]) -> None:
    """Say that ``stage`` has dealt with these after all."""
    for some in batches(keys):
        conn.execute(delete(set_aside).where(set_aside.c.stage == stage, set_aside.c.key.in_(some)))


def count(conn: Connection) -> int:
    """How many are set aside."""
    return conn.execute(select(func.count()).select_from(set_aside)).scalar_one()


def newest(conn: Connection, limit: int) -> list[SetAside]:
    """At most ``limit`` of them, the last one first."""
    rows = conn.execute(select(set_aside).order_by(set_aside.c.at.desc(), set_aside.c.key).limit(limit))
    return [SetAside(**row._mapping) for row in rows]
