"""Annotations: what was understood of a post, one a post, replaced when a deeper reading comes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from store import bulk, tables
from store.batches import batches
from store.codec import dumps, from_json
from store.records import TAGS, Annotation
from store.tables import posts
from store.text import clean

_upsert = insert(tables.annotations)
_COLUMNS = [column.name for column in tables.annotations.c]
_UPSERT = bulk.compiled(
    _upsert.on_conflict_do_update(set_={name: _upsert.excluded[name] for name in _COLUMNS if name != "post_id"}),
    _COLUMNS,
)


def put(conn: Connection, new: Sequence[Annotation]) -> int:
    """Keep the annotations, in place of older ones of the same posts; gives how many were kept.

    One whose post is not (or no longer) there is left out: a deleted post must not come back by its annotation.
    """
    there: set[str] = set()
    for some in batches([annotation.post_id for annotation in new]):
        there.update(conn.execute(select(posts.c.id).where(posts.c.id.in_(some))).scalars())
    rows = [_row(annotation) for annotation in new if annotation.post_id in there]
    if rows:
        bulk.run(conn, _UPSERT, rows)
    return len(rows)


def get(conn: Connection, post_ids: Collection[str], *, least: float | None = None) -> dict[str, Annotation]:
    """The annotations of these posts that have one; with ``least``, those whose about or relevance reaches it."""
    found: dict[str, Annotation] = {}
    wanted = select(tables.annotations.c.post_id, tables.annotations.c.payload)
    if least is not None:
        columns = tables.annotations.c
        wanted = wanted.where((columns.about >= least) | (columns.relevance >= least))
    for some in batches(post_ids):
        rows = conn.execute(wanted.where(tables.annotations.c.post_id.in_(some)))
        found |= {id: from_json(Annotation, payload) for id, payload in rows}
    return {id: found[id] for id in post_ids if id in found}


def _row(annotation: Annotation) -> tuple[Any, ...]:
    """The values of ``_COLUMNS``, in their order."""
    return (
        clean(annotation.post_id),
        annotation.lang and clean(annotation.lang),
        annotation.about,
        annotation.relevance,
        *(annotation.tags.get(tag) for tag in TAGS),
        dumps(annotation.labels).decode(),
        annotation.hazard and annotation.hazard.name,
        dumps(annotation).decode(),
    )
