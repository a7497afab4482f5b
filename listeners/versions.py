"""What comes of posts that their source edited or deleted: the store keeps the newest version, once, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from sqlalchemy import Connection

from listeners.incoming import Gone, Incoming
from store import posts, withdrawals
from store.records import Post


@dataclass(frozen=True, slots=True)
class Version:
    """An edited post as it came; ``post`` is None where no filter wants what it says now."""

    raw: Incoming
    post: Post | None


Item = Post | Version | Gone


def keep(conn: Connection, items: Sequence[Item], now: datetime, via: str | None = None) -> list[str]:
    """Take items in their order: new posts in, newer versions over older ones, deleted posts out; gives new ids.

    What was deleted at its source does not come in again, nor does a version older than one that was here. To be called
    in a durable transaction where there is anything but posts. ``via`` says who told of edits and deletions: where it
    is None, a search for what is back-filled, else the stream.
    """
    new: list[str] = []
    for kind, some in groupby(items, type):
        if kind is Post:
            new += _add(conn, [one for one in some if isinstance(one, Post)])
        elif kind is Gone:
            gone = {f"{one.platform}:{one.native_id}": one.at for one in some if isinstance(one, Gone)}
            withdrawals.delete(conn, gone, now, via or "stream")
        else:
            for one in some:
                if isinstance(one, Version):
                    new += _take(conn, one, now, via or ("search" if one.raw.backfilled else "stream"))
    return new


def _add(conn: Connection, some: Sequence[Post]) -> list[str]:
    ids = [post.id for post in some]
    closed = withdrawals.stored(conn, ids).keys() | withdrawals.deleted(conn, ids)
    return posts.add(conn, [post for post in some if post.id not in closed])


def _take(conn: Connection, version: Version, now: datetime, via: str) -> list[str]:
    """One edited version. Whatever lists others as earlier is newer than they are, in whatever order they come."""
    raw, post = version.raw, version.post
    own, *earlier = (f"{raw.platform}:{id}" for id in (raw.native_id, *raw.earlier))
    known = withdrawals.stored(conn, [own, *earlier])
    there = posts.get(conn, [own, *earlier])
    if own in known or own in there:
        return []
    target = next((known.get(id, id) for id in earlier if id in known or id in there), own)
    dead = withdrawals.deleted(conn, [target, own, *earlier])
    withdrawals.alias(conn, target, [own, *earlier])
    if dead:
        return []
    edited = post and replace(post, id=target, edited_at=raw.created_at)
    if target not in posts.get(conn, [target]):
        return posts.add(conn, [edited]) if edited else []
    if edited:
        withdrawals.edit(conn, edited, now, via, version=own)
    else:
        withdrawals.drop(conn, target, raw.created_at, now, via, version=own)
    return []
