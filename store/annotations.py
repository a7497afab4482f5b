"""Annotations: what was understood of a post, one a post, replaced when a deeper reading comes.

What was found about public order is written apart, in a table of its own that is kept for days, and put back in for
those who read an annotation while it is there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import BigInteger, Connection, FromClause, delete, select, type_coerce
from sqlalchemy.dialects.sqlite import insert

from store import bulk, tables
from store.batches import batches
from store.codec import dumps, from_json
from store.records import TAGS, Annotation, Location
from store.tables import posts
from store.text import clean

APART = "public_order_threat"
_order = tables.public_order
_upsert = insert(tables.annotations)
_COLUMNS = [column.name for column in tables.annotations.c]
_UPSERT = bulk.compiled(
    _upsert.on_conflict_do_update(set_={name: _upsert.excluded[name] for name in _COLUMNS if name != "post_id"}),
    _COLUMNS,
)

_TRAITS = (
    *("about", "relevance", "rumour", "emerging_incident", "labels", "hazard", "need", "voice"),
    *("lang", "lat", "lon", "place"),
)
_READ = f"UPDATE traits SET {', '.join(f'{name} = ?' for name in _TRAITS)} WHERE seq = ?"
_APART = bulk.compiled(insert(_order), [column.name for column in _order.c])
_POST = (
    posts.c.id,
    type_coerce(posts.c.received_at, BigInteger),
    *(posts.c.seq, posts.c.lang, posts.c.lat, posts.c.lon, posts.c.place),
)
COLUMNS = (tables.annotations.c.payload, _order.c.score, _order.c.labelled)
"""What :func:`of_columns` makes an annotation of."""


def put(conn: Connection, new: Sequence[Annotation]) -> int:
    """Keep the annotations, in place of older ones of the same posts; gives how many were kept.

    One whose post is not (or no longer) there is left out: a deleted post must not come back by its annotation.
    """
    there: dict[str, tuple[Any, ...]] = {}
    for some in batches([annotation.post_id for annotation in new]):
        there |= {id: tuple(rest) for id, *rest in conn.execute(select(*_POST).where(posts.c.id.in_(some)))}
    kept = [annotation for annotation in new if annotation.post_id in there]
    if kept:
        rows = [_row(annotation) for annotation in kept]
        bulk.run(conn, _UPSERT, rows)
        traits = [_traits(one, row, there[one.post_id]) for one, row in zip(kept, rows, strict=True)]
        bulk.run(conn, _READ, traits)
        _put_apart(conn, kept, {id: received for id, (received, *_) in there.items()})
    return len(kept)


def located(locations: Sequence[Location]) -> Location | None:
    """Where the post that names them lies: the place of the event that was read with the most confidence, the first
    among equals; None where none has a position."""
    held = [one for one in locations if one.name and one.role == "event" and one.lat is not None]
    return max(held, key=lambda one: one.confidence, default=None)


def _traits(one: Annotation, row: tuple[Any, ...], post: tuple[Any, ...]) -> tuple[Any, ...]:
    """The values of ``_READ``: those of ``row`` that are searched by, and where the post lies."""
    _, seq, lang, *spot = post
    if place := located(one.locations):
        spot = [place.lat, place.lon, clean(place.name)]
    return (*row[2:-1], one.need and one.need.name, one.source, row[1] or lang, *spot, seq)


def _put_apart(conn: Connection, kept: Sequence[Annotation], received: Mapping[str, int]) -> None:
    """Write the public-order scores and labels, in place of those of an earlier reading; kept since the post came."""
    for some in batches([annotation.post_id for annotation in kept]):
        conn.execute(delete(_order).where(_order.c.post_id.in_(some)))
    rows = [
        (clean(one.post_id), 1.0 if score is None else score, APART in one.labels, received[one.post_id])
        for one in {one.post_id: one for one in kept}.values()
        if (score := one.tags.get(APART)) is not None or APART in one.labels
    ]
    if rows:
        bulk.run(conn, _APART, rows)


def get(conn: Connection, post_ids: Collection[str], *, least: float | None = None) -> dict[str, Annotation]:
    """The annotations of these posts that have one; with ``least``, those whose about or relevance reaches it."""
    found: dict[str, Annotation] = {}
    wanted = select(tables.annotations.c.post_id, *COLUMNS).select_from(joined(tables.annotations))
    if least is not None:
        columns = tables.annotations.c
        wanted = wanted.where((columns.about >= least) | (columns.relevance >= least))
    for some in batches(post_ids):
        rows = conn.execute(wanted.where(tables.annotations.c.post_id.in_(some)))
        found |= {id: of_columns(*columns) for id, *columns in rows}
    return {id: found[id] for id in post_ids if id in found}


def joined(others: FromClause) -> FromClause:
    """``others``, which hold the annotations, and the table of what is kept apart: :data:`COLUMNS` can then be read."""
    return others.outerjoin(_order, _order.c.post_id == tables.annotations.c.post_id)


def of_columns(payload: Mapping[str, Any], score: float | None, labelled: bool | None) -> Annotation:
    """The annotation that :data:`COLUMNS` hold, what is kept apart put back in."""
    bare = from_json(Annotation, payload)
    if score is None:
        return bare
    labels = {*bare.labels, APART} if labelled else {*bare.labels}
    return replace(bare, tags={**bare.tags, APART: score}, labels=tuple(sorted(labels, key=_place)))


def without_apart(annotation: Annotation) -> Annotation:
    """The annotation without score and label about public order."""
    if annotation.tags.get(APART) is None and APART not in annotation.labels:
        return annotation
    labels = tuple(label for label in annotation.labels if label != APART)
    return replace(annotation, tags={**annotation.tags, APART: None}, labels=labels)


def _place(label: str) -> tuple[int, str]:
    return (TAGS.index(label) if label in TAGS else len(TAGS), label)


def _row(annotation: Annotation) -> tuple[Any, ...]:
    """The values of ``_COLUMNS``, in their order."""
    annotation = without_apart(annotation)
    return (
        clean(annotation.post_id),
        annotation.lang and clean(annotation.lang),
        annotation.about,
        annotation.relevance,
        *(annotation.tags.get(tag) for tag in TAGS if tag != APART),
        dumps(annotation.labels).decode(),
        annotation.hazard and annotation.hazard.name,
        dumps(annotation).decode(),
    )
