"""From records to the documents of the index: fields as the family's template has them, and nothing about an author.

A document is what the database says at the moment of reading; none for what is not (or no longer) there. Which
documents a change concerns is asked of :func:`affected`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from store.index import families
from store.index.documents import alerts, deliveries, health, incidents, posts
from store.index.documents.document import Document as Document
from store.index.families import Family
from store.records import Change


class _Maker(NamedTuple):
    affected: Callable[[Connection, Sequence[Change]], set[str]]
    read: Callable[[Connection, Collection[str]], dict[str, Document]]


_MAKERS: Mapping[str, _Maker] = {
    families.POSTS.name: _Maker(posts.affected, posts.read),
    families.PUBLIC_ORDER.name: _Maker(posts.affected, posts.read_public_order),
    families.INCIDENTS.name: _Maker(incidents.affected, incidents.read),
    families.ALERTS.name: _Maker(alerts.affected, alerts.read),
    families.DELIVERIES.name: _Maker(deliveries.affected, deliveries.read),
    families.SOURCES.name: _Maker(health.affected, health.read_sources),
    families.GAPS.name: _Maker(health.affected, health.read_gaps),
    families.HOURS.name: _Maker(health.affected, health.read_hours),
}


def affected(conn: Connection, family: Family, changes: Sequence[Change]) -> set[str]:
    """The ids of the documents of ``family`` that may be other since these changes; some may be gone."""
    mine = [change for change in changes if change.table in family.tables]
    return _MAKERS[family.name].affected(conn, mine) if mine else set()


def documents(conn: Connection, family: Family, ids: Collection[str]) -> dict[str, Document]:
    """Id → document, for those of ``ids`` that are to be in the index; the others are to be deleted there."""
    return _MAKERS[family.name].read(conn, ids)
