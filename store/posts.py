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
    """Delete the posts with their annotations, incident links and index entries; gives how many posts there were."""
    gone = 0
    for some in batches(ids):
        conn.execute(delete_rows(tables.annotations).where(tables.annotations.c.post_id.in_(some)))
        conn.execute(delete_rows(incident_posts).where(incident_posts.c.post_id.in_(some)))
        gone += conn.execute(delete_rows(posts).where(posts.c.id.in_(some))).rowcount
    return gone


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
