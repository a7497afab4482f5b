"""What each source delivers, and why it is off when it is."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from store.records import SourceHealth
from store.tables import sources


def report(conn: Connection, health: SourceHealth) -> None:
    """Keep how a source does, in place of its last report."""
    values = asdict(health)
    conn.execute(insert(sources).values(values).on_conflict_do_update(set_=values))


def all(conn: Connection) -> list[SourceHealth]:
    """The last report of every source, by name."""
    return [SourceHealth(**row._mapping) for row in conn.execute(select(sources).order_by(sources.c.source))]
