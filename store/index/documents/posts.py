"""Posts with what was understood of them, and, apart and without words, what was found about public order."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, Select, Text, select, type_coerce

from store import tables
from store.annotations import APART
from store.batches import batches
from store.codec import loads
from store.index.documents.document import Document, document, position
from store.records import Change
from store.tables import incident_posts, posts
from store.times import from_micros
from store.types import Json, UtcMicros

_annotations, _order = tables.annotations, tables.public_order


def _raw(column: Any) -> Any:
    """A column as the database keeps it: one decoder a value is most of what a post costs."""
    plain = {UtcMicros: BigInteger, Json: Text}.get(type(column.type))
    return type_coerce(column, plain).label(column.name) if plain else column


_POSTS: Select[Any] = select(
    *map(_raw, posts.c), _raw(_annotations.c.payload), incident_posts.c.incident_id
).select_from(
    posts.outerjoin(_annotations, _annotations.c.post_id == posts.c.id).outerjoin(
        incident_posts, incident_posts.c.post_id == posts.c.id
    )
)
_FOUND = select(_order, posts.c.created_at, posts.c.source, posts.c.status, incident_posts.c.incident_id).select_from(
    _order.join(posts, posts.c.id == _order.c.post_id).outerjoin(incident_posts, incident_posts.c.post_id == posts.c.id)
)


_SAME = ("depth", "about", "relevance", "hazard", "need", "urgency", "stance", "when", "refuted", "why")


def affected(_: Connection, changes: Sequence[Change]) -> set[str]:
    """Every change of the tables is noted under the id of the post."""
    return {change.key for change in changes}


def read(conn: Connection, ids: Collection[str]) -> dict[str, Document]:
    """The documents of the posts that are there."""
    found: dict[str, Document] = {}
    for some in batches(ids):
        for row in conn.execute(_POSTS.where(posts.c.id.in_(some))):
            at = from_micros(row.created_at)
            found[row.id] = document(row.id, at, _of_post(row, at) | _of_annotation(row))
    return found


def read_public_order(conn: Connection, ids: Collection[str]) -> dict[str, Document]:
    """The documents of the posts that bear the label, as long as that is kept."""
    found: dict[str, Document] = {}
    for some in batches(ids):
        for row in conn.execute(_FOUND.where(_order.c.post_id.in_(some), _order.c.labelled)):
            fields = {
                "post": row.post_id,
                "at": row.at,
                "created_at": row.created_at,
                "source": row.source,
                "status": row.status,
                "score": row.score,
                "incident": row.incident_id,
            }
            found[row.post_id] = document(row.post_id, row.at, fields)
    return found


def _of_post(row: Row[Any], at: datetime) -> dict[str, Any]:
    """Without author, and without the id of the post that it repeats: whether there is one is all that is told."""
    return {
        "seq": row.seq,
        "platform": row.id.partition(":")[0],
        "source": row.source,
        "created_at": at,
        "received_at": at if row.received_at == row.created_at else from_micros(row.received_at),
        "edited_at": None if row.edited_at is None else from_micros(row.edited_at),
        "lang": row.lang,
        "text": row.text,
        "author_known": row.author is not None,
        "filters": loads(row.filters),
        "trusted": row.trusted,
        "departement": row.departement,
        "status": row.status,
        "backfilled": row.backfilled,
        "repost": row.repost_of is not None,
        "incident": row.incident_id,
        "config_version": row.config_version,
        **_platform_place(row),
    }


def _of_annotation(row: Row[Any]) -> dict[str, Any]:
    """What was understood, in place of what the platform said. Nothing of public order."""
    if row.payload is None:
        return {}
    told = loads(row.payload)
    places = [place for place in told.get("locations", ()) if place.get("name")]
    return {
        **{name: told[name] for name in _SAME if name in told},
        "lang": told.get("lang") or row.lang,
        "tags": {name: p for name, p in told.get("tags", {}).items() if name != APART},
        "labels": [label for label in told.get("labels", ()) if label != APART],
        "voice": told.get("source"),
        "quantities": _distinct(one["kind"] for one in told.get("quantities", ())),
        "places": _distinct(place["name"] for place in places),
        **_read_place(places),
    }


def _platform_place(row: Row[Any]) -> dict[str, Any]:
    if row.lat is None:
        return {}
    return {"position": position(row.lat, row.lon), "place": {"name": row.place, "radius_m": row.radius_m}}


def _read_place(places: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Where it happens: the place of the event that was read with the most confidence, the first among equals."""
    placed = [one for one in places if one.get("role", "event") == "event" and one.get("lat") is not None]
    if not placed:
        return {}
    best = max(placed, key=lambda one: one.get("confidence", 0.5))
    names = ("name", "level", "insee", "departement", "country", "radius_m")
    return {"position": position(best["lat"], best["lon"]), "place": {name: best.get(name) for name in names}}


def _distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))
