"""Posts: kept once, read by id, deleted everywhere."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select
from sqlalchemy import delete as delete_rows

from store import bulk, tables
from store.batches import batches
from store.codec import dumps
from store.records import Geo, Post
from store.tables import incident_posts, posts
from store.text import clean
from store.times import to_micros

_COLUMNS = [column.name for column in posts.c if column.name != "seq"]
_INSERT = bulk.compiled(insert(posts), _COLUMNS)
_EDITED = (
    *("text", "lang", "lat", "lon", "radius_m", "place", "filters", "trusted"),
    *("config_version", "edited_at"),
)
_EDIT = f"UPDATE posts SET {', '.join(f'{name} = ?' for name in _EDITED)} WHERE id = ?"


def add(conn: Connection, new: Sequence[Post]) -> list[str]:
    """Keep the posts whose id is not there yet; gives the ids that were new, in order.

    Of two posts with one id the first is kept. Lone surrogates and NUL in text become U+FFFD.
    Raises ValueError for a time without a zone.
    """
    rows: dict[str, tuple[Any, ...]] = {}
    for post in new:
        row = _row(post)
        rows.setdefault(row[0], row)
    for id in _known(conn, rows):
        del rows[id]
    if rows:
        bulk.run(conn, _INSERT, rows.values())
    return list(rows)


def get(conn: Connection, ids: Collection[str]) -> dict[str, Post]:
    """The posts with these ids; ids that are not there are left out."""
    found: dict[str, Post] = {}
    for some in batches(ids):
        found |= {row.id: of_row(row) for row in conn.execute(select(posts).where(posts.c.id.in_(some)))}
    return {id: found[id] for id in ids if id in found}


def brought(conn: Connection, source: str, since: datetime, until: datetime, filters: Collection[str] = ()) -> int:
    """How many posts of this time (UTC) are there that ``source`` was the first to bring, of these filters if any."""
    count = select(func.count()).select_from(posts)
    count = count.where(posts.c.source == source, posts.c.created_at >= since, posts.c.created_at < until)
    if filters:
        one = func.json_each(posts.c.filters).table_valued("value")
        count = count.where(select(one.c.value).where(one.c.value.in_(list(filters))).exists())
    return conn.execute(count).scalar_one()


def delete(conn: Connection, ids: Collection[str]) -> int:
    """Delete the posts with what was understood of them, incident links and index entries; gives how many there were.

    For what a source deleted, :func:`store.withdrawals.delete` does this and keeps the proof.
    """
    gone = 0
    for some in batches(ids):
        _forget(conn, some)
        conn.execute(delete_rows(incident_posts).where(incident_posts.c.post_id.in_(some)))
        gone += conn.execute(delete_rows(posts).where(posts.c.id.in_(some))).rowcount
    return gone


def edit(conn: Connection, post: Post) -> bool:
    """Put text, language, position, filters and trust of ``post`` in place of the stored ones; gives False without one.

    When it was written and received, and by whom, stays. What was understood of the earlier text goes, and the change
    log has it annotated anew.
    """
    columns = dict(zip(_COLUMNS, _row(post), strict=True))
    values = {name: columns[name] for name in _EDITED}
    if not conn.exec_driver_sql(_EDIT, (*values.values(), columns["id"])).rowcount:
        return False
    _forget(conn, [post.id])
    return True


def _forget(conn: Connection, ids: Collection[str]) -> None:
    """Delete what was understood of posts, and why a stage set them aside, which may quote them."""
    for table, column in ((tables.annotations, "post_id"), (tables.public_order, "post_id"), (tables.set_aside, "key")):
        conn.execute(delete_rows(table).where(table.c[column].in_(ids)))


def nth_after(conn: Connection, seq: int, n: int, prefix: str) -> int | None:
    """The number of the ``n``-th post after number ``seq`` whose id begins with ``prefix``, or of the last; or None."""
    some = select(posts.c.seq).where(posts.c.seq > seq, posts.c.id.startswith(prefix, autoescape=True))
    last: int | None = conn.execute(select(func.max(some.order_by(posts.c.seq).limit(n).subquery().c.seq))).scalar_one()
    return last


def between(conn: Connection, after: int, last: int, prefix: str) -> list[str]:
    """The ids that begin with ``prefix`` of posts after number ``after`` up to number ``last``, in their order."""
    some = select(posts.c.id).where(posts.c.seq > after, posts.c.seq <= last)
    return list(
        conn.execute(some.where(posts.c.id.startswith(prefix, autoescape=True)).order_by(posts.c.seq)).scalars()
    )


def received(conn: Connection, since: datetime) -> list[str]:
    """The ids of the posts received from ``since`` (UTC) on, in the order in which they came."""
    return list(conn.execute(select(posts.c.id).where(posts.c.received_at >= since).order_by(posts.c.seq)).scalars())


def authors(conn: Connection, since: datetime, until: datetime) -> frozenset[str]:
    """The authors of the posts received from ``since`` on and before ``until`` (UTC)."""
    heard = (posts.c.received_at >= since) & (posts.c.received_at < until) & posts.c.author.is_not(None)
    return frozenset(conn.execute(select(posts.c.author).where(heard).distinct()).scalars())


def of_row(row: Row[Any]) -> Post:
    """The post that a row of the ``posts`` table holds."""
    return Post(
        id=row.id,
        source=row.source,
        text=row.text,
        created_at=row.created_at,
        received_at=row.received_at,
        lang=row.lang,
        author=row.author,
        geo=None if row.lat is None else Geo(row.lat, row.lon, row.radius_m, row.place),
        filters=tuple(row.filters),
        trusted=row.trusted,
        departement=row.departement,
        status=row.status,
        backfilled=row.backfilled,
        repost_of=row.repost_of,
        config_version=row.config_version,
        edited_at=row.edited_at,
    )


def _known(conn: Connection, ids: Collection[str]) -> list[str]:
    known: list[str] = []
    for some in batches(ids):
        known += conn.execute(select(posts.c.id).where(posts.c.id.in_(some))).scalars()
    return known


def _row(post: Post) -> tuple[Any, ...]:
    """The values of ``_COLUMNS``, in their order."""
    geo = post.geo
    return (
        clean(post.id),
        post.source,
        clean(post.text),
        to_micros(post.created_at),
        to_micros(post.received_at),
        post.lang and clean(post.lang),
        post.author and clean(post.author),
        *(
            (None, None, None, None)
            if geo is None
            else (geo.lat, geo.lon, geo.radius_m, geo.place and clean(geo.place))
        ),
        dumps(post.filters).decode(),
        post.trusted,
        post.departement and clean(post.departement),
        post.status,
        post.backfilled,
        post.repost_of and clean(post.repost_of),
        post.config_version,
        None if post.edited_at is None else to_micros(post.edited_at),
    )
