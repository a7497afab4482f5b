"""Posts: kept once, read by id, deleted everywhere."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select
from sqlalchemy import delete as delete_rows

from store import tables
from store.batches import batches
from store.records import Geo, Post
from store.tables import incident_posts, posts
from store.text import clean


def add(conn: Connection, new: Sequence[Post]) -> list[str]:
    """Keep the posts whose id is not there yet; gives the ids that were new, in order.

    Of two posts with one id the first is kept. Lone surrogates in text become U+FFFD, NUL is dropped.
    """
    rows: dict[str, dict[str, Any]] = {}
    for post in new:
        row = _row(post)
        rows.setdefault(row["id"], row)
    for id in _known(conn, rows):
        del rows[id]
    if rows:
        conn.execute(insert(posts), list(rows.values()))
    return list(rows)


def get(conn: Connection, ids: Collection[str]) -> dict[str, Post]:
    """The posts with these ids; ids that are not there are left out."""
    found: dict[str, Post] = {}
    for some in batches(ids):
        found |= {row.id: of_row(row) for row in conn.execute(select(posts).where(posts.c.id.in_(some)))}
    return {id: found[id] for id in ids if id in found}


def delete(conn: Connection, ids: Collection[str]) -> int:
    """Delete the posts with their annotations, incident links and index entries; gives how many posts there were."""
    gone = 0
    for some in batches(ids):
        conn.execute(delete_rows(tables.annotations).where(tables.annotations.c.post_id.in_(some)))
        conn.execute(delete_rows(incident_posts).where(incident_posts.c.post_id.in_(some)))
        gone += conn.execute(delete_rows(posts).where(posts.c.id.in_(some))).rowcount
    return gone


def count(conn: Connection) -> int:
    """How many posts are kept."""
    return conn.execute(select(func.count()).select_from(posts)).scalar_one()


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
    )


def _known(conn: Connection, ids: Collection[str]) -> list[str]:
    known: list[str] = []
    for some in batches(ids):
        known += conn.execute(select(posts.c.id).where(posts.c.id.in_(some))).scalars()
    return known


def _row(post: Post) -> dict[str, Any]:
    geo = post.geo
    return {
        "id": clean(post.id),
        "source": post.source,
        "text": clean(post.text),
        "created_at": post.created_at,
        "received_at": post.received_at,
        "lang": post.lang,
        "author": post.author,
        "lat": geo and geo.lat,
        "lon": geo and geo.lon,
        "radius_m": geo and geo.radius_m,
        "place": geo and geo.place and clean(geo.place),
        "filters": post.filters,
        "trusted": post.trusted,
        "departement": post.departement,
        "status": post.status,
        "backfilled": post.backfilled,
        "repost_of": post.repost_of and clean(post.repost_of),
        "config_version": post.config_version,
    }
