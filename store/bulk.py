"""Many rows at once, without what SQLAlchemy does for each: half of the time of storing a post goes there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.dml import Insert


def compiled(statement: Insert, columns: Sequence[str]) -> str:
    """The SQL of ``statement`` for rows that are tuples of ``columns``, in that order."""
    return str(statement.compile(dialect=sqlite.dialect(), column_keys=columns))


def run(conn: Connection, sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Execute ``sql`` for every row; the values are SQLite's own, as the column types would have made them."""
    conn.exec_driver_sql(sql, list(rows))
