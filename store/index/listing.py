"""What must be in the index: the ids of a family's documents, as the database has them, in pages or by day.

A day is one of UTC, of the time by which the family is cut into indices.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Column, ColumnElement, Connection, Row, func, select, true, tuple_, type_coerce

from store import tables
from store.index import families
from store.index.families import Family
from store.times import EPOCH, to_iso, to_micros

DAY = timedelta(days=1)
MANY = 100_000
_DAY_MICROS = 86_400_000_000


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of which each makes a document; ``keys`` order them."""

    keys: tuple[Column[Any], ...]
    time: Column[Any]
    only: ColumnElement[bool] = true()  # noqa: RUF009 - true() is a constant of SQLAlchemy
    id_of: Callable[[Any], str] = lambda row: str(row[0])


def _of_hour(row: Any) -> str:
    return f"{row[0]}@{to_iso(row[1])}"


_posts, _order, _hours = tables.posts.c, tables.public_order.c, tables.hourly.c
_ROWS: Mapping[str, _Rows] = {
    families.POSTS.name: _Rows((_posts.id,), _posts.created_at),
    families.PUBLIC_ORDER.name: _Rows(
        (_order.post_id,), _order.at, _order.labelled & _order.post_id.in_(select(_posts.id))
    ),
    families.INCIDENTS.name: _Rows((tables.incidents.c.id,), tables.incidents.c.opened_at),
    families.ALERTS.name: _Rows((tables.alerts.c.id,), tables.alerts.c.at),
    families.DELIVERIES.name: _Rows((tables.deliveries.c.id,), tables.deliveries.c.created_at),
    families.SOURCES.name: _Rows((tables.sources.c.source,), tables.sources.c.since),
    families.GAPS.name: _Rows((tables.gaps.c.id,), tables.gaps.c.started_at),
    families.HOURS.name: _Rows((_hours.subject, _hours.hour), _hours.hour, id_of=_of_hour),
}


class Ids(NamedTuple):
    """Ids of documents, and where to go on: None at the end."""

    ids: list[str]
    after: tuple[Any, ...] | None


def page(conn: Connection, family: Family, after: tuple[Any, ...] | None, limit: int) -> Ids:
    """The next ``limit`` ids behind ``after`` (None: the first ones), in an order that does not change."""
    rows = _ROWS[family.name]
    behind = tuple_(*map(_plain, rows.keys)) > tuple_(*after) if after else true()
    wanted = select(*rows.keys).where(rows.only, behind).order_by(*rows.keys).limit(limit)
    found = list(conn.execute(wanted))
    return Ids([rows.id_of(row) for row in found], _key(found[-1]) if len(found) == limit else None)


def count(conn: Connection, family: Family) -> int:
    """How many documents there must be."""
    rows = _ROWS[family.name]
    return conn.execute(select(func.count()).select_from(rows.keys[0].table).where(rows.only)).scalar_one()


def days(conn: Connection, family: Family) -> list[date]:
    """The days on which there must be some, in order."""
    rows = _ROWS[family.name]
    number = type_coerce(rows.time, BigInteger).op("/")(_DAY_MICROS)
    found = conn.execute(select(number).where(rows.only).distinct().order_by(number)).scalars()
    return [(EPOCH + timedelta(days=int(one))).date() for one in found]


def of_day(conn: Connection, family: Family, day: date) -> list[str]:
    """The ids of one day."""
    since = start(day)
    return _between(conn, family, since, since + DAY)


def any_between(conn: Connection, family: Family, since: datetime, until: datetime) -> bool:
    """Whether there must be a document from ``since`` on and before ``until`` (UTC)."""
    return bool(_between(conn, family, since, until, limit=1))


def first(conn: Connection, family: Family) -> datetime | None:
    """The time (UTC) of the oldest of them."""
    rows = _ROWS[family.name]
    found: datetime | None = conn.execute(select(func.min(rows.time)).where(rows.only)).scalar_one()
    return found


def start(day: date) -> datetime:
    """When a day begins (UTC)."""
    return datetime.combine(day, time(), UTC)


def _between(conn: Connection, family: Family, since: datetime, until: datetime, limit: int = -1) -> list[str]:
    rows = _ROWS[family.name]
    inside = (rows.time >= since) & (rows.time < until)
    return [rows.id_of(row) for row in conn.execute(select(*rows.keys).where(rows.only, inside).limit(limit))]


def _plain(column: Column[Any]) -> Any:
    return type_coerce(column, BigInteger) if column is _hours.hour else column


def _key(row: Row[Any]) -> tuple[Any, ...]:
    return tuple(to_micros(value) if isinstance(value, datetime) else value for value in row)
