"""Search over the posts: words without accents or case, the last one as a beginning, and what is known of a post."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, column, select, table, text

from store import tables
from store.annotations import APART, COLUMNS, joined, of_columns
from store.database import Database
from store.posts import of_row
from store.records import TAGS, Annotation, Post
from store.tables import incident_posts, posts

SETTLED_AT_ONCE = 64
"""Pages of the index that one transaction merges."""

_WORD = re.compile(r"[^\W_]+")
_LIGATURES = str.maketrans({"œ": "oe", "Œ": "oe", "æ": "ae", "Æ": "ae"})
_annotations, _order = tables.annotations, tables.public_order
_INDEX = table("posts_fts", column("rowid"))


@dataclass(frozen=True, slots=True)
class Hit:
    """A post found, with what was understood of it (None: nothing yet)."""

    post: Post
    annotation: Annotation | None


def search(
    conn: Connection,
    words: str = "",
    *,
    incident: str | None = None,
    tag: str | None = None,
    hazard: str | None = None,
    source: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 50,
    before: str | None = None,
) -> list[Hit]:
    """At most ``limit`` posts that hold every word and meet every condition, the last received first.

    ``tag`` is a label of the annotation, ``source`` the post's own source; ``since`` (included) and ``until`` (not)
    bound ``created_at``; ``before`` is the id of the last post of the page before. Words that a person types are
    words whatever they look like: there is no query language. Text without any word, as ``"?"``, finds nothing.

    Raises ValueError for a tag that is none of :data:`store.records.TAGS`.
    """
    wanted = match(words)
    if words.strip() and not wanted:
        return []
    query = _narrowed(_found(wanted), incident, tag, hazard, source)
    query = _bounded(query, since, until, before)
    return [_hit(row) for row in conn.execute(query.limit(limit))]


def settle(db: Database) -> None:
    """Merge the index into one, in short transactions: what was deleted leaves the file, word by word."""
    pages = -SETTLED_AT_ONCE
    while True:
        with db.write() as conn:
            before = _written(conn)
            conn.exec_driver_sql("INSERT INTO posts_fts (posts_fts, rank) VALUES ('merge', ?)", (pages,))
            if _written(conn) - before < 2:
                return
        pages = SETTLED_AT_ONCE


def _written(conn: Connection) -> int:
    """How many rows this connection has changed, the index's own too: below two a merge has nothing left to do."""
    changed: int = conn.connection.driver_connection.total_changes  # type: ignore[union-attr]
    return changed


def match(words: str) -> str:
    """The FTS5 expression that finds every word of ``words``, the last as a beginning; empty where there is none."""
    plain = unicodedata.normalize("NFC", words).translate(_LIGATURES)
    found = _WORD.findall(plain)
    return " ".join(f'"{word}"' for word in found) + "*" if found else ""


def _found(wanted: str) -> Select[Any]:
    """Posts with their annotations, the last received first; the order of the index, where words are asked for."""
    query = select(posts, *COLUMNS)
    understood = _annotations.c.post_id == posts.c.id
    if not wanted:
        return query.select_from(joined(posts.outerjoin(_annotations, understood))).order_by(posts.c.seq.desc())
    both = _INDEX.join(posts, posts.c.seq == _INDEX.c.rowid).outerjoin(_annotations, understood)
    holds = text("posts_fts MATCH :words").bindparams(words=wanted)
    return query.select_from(joined(both)).where(holds).order_by(_INDEX.c.rowid.desc())


def _narrowed(
    query: Select[Any], incident: str | None, tag: str | None, hazard: str | None, source: str | None
) -> Select[Any]:
    if incident is not None:
        linked = select(incident_posts.c.post_id).where(incident_posts.c.incident_id == incident)
        query = query.where(posts.c.id.in_(linked))
    if tag is not None:
        if tag not in TAGS:
            raise ValueError(f"tag must be one of {', '.join(TAGS)}, not {tag!r}")
        told = text("annotations.labels LIKE :label").bindparams(label=f'%"{tag}"%')
        query = query.where(_order.c.labelled if tag == APART else told)
    if hazard is not None:
        query = query.where(_annotations.c.hazard == hazard)
    return query if source is None else query.where(posts.c.source == source)


def _bounded(query: Select[Any], since: datetime | None, until: datetime | None, before: str | None) -> Select[Any]:
    if since is not None:
        query = query.where(posts.c.created_at >= since)
    if until is not None:
        query = query.where(posts.c.created_at < until)
    if before is not None:
        page = select(posts.c.seq).where(posts.c.id == before).scalar_subquery()
        query = query.where(posts.c.seq < page)
    return query


def _hit(row: Row[Any]) -> Hit:
    return Hit(of_row(row), None if row.payload is None else of_columns(row.payload, row.score, row.labelled))
