"""Retention in the index: a whole index is dropped once nothing in it may be kept; deletions by id reach the rest."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection

from store import times
from store.database import Database
from store.index import generations, listing, places
from store.index.bulk import Action, send
from store.index.families import HOURS, Family
from store.index.places import Places
from store.index.verify import pages
from store.records import Lease

log = logging.getLogger(__name__)

Ages = Mapping[str, timedelta]
"""Family → how long its documents are kept."""


def retire(db: Database, where: Places, now: datetime, ages: Ages, lease: Lease | None = None) -> list[str]:
    """Drop the indices whose whole period is older than ``ages`` at ``now`` (UTC), and of which the database holds
    nothing any more (what is on hold stays); gives their names. The last index of a family stays, for its alias.

    Hours, whose end no change tells of, are deleted to the hour. Raises the faults of the cluster, Away, LeaseLost.
    """
    with db.read() as conn:
        old = {one: _old(conn, where, one, now - ages[one.name]) for one in where.families if one.name in ages}
        first = listing.first(conn, HOURS)
    for family, names in old.items():
        if names:
            _drop(db, where, family, names, lease)
    if first:
        _forget_hours(where, first, times.to_micros(now))
    return [name for names in old.values() for name in names]


def _old(conn: Connection, where: Places, family: Family, before: datetime) -> list[str]:
    found = []
    for generation in generations.standing(conn, family).targets:
        mine = sorted((period, name) for name, period in where.of(family, generation).items())
        for period, name in mine[:-1]:
            span = family.span(period)
            if span and span[1] <= before and not listing.any_between(conn, family, *span):
                found.append(name)
    return found


def _drop(db: Database, where: Places, family: Family, names: list[str], lease: Lease | None) -> None:
    """Forget them first, so that nobody takes them for lost."""
    there = where.there[family.name]
    for name in names:
        del there[name]
    with db.write(lease=lease) as conn:
        places.remember(conn, where, [family])
    where.client.indices.delete(index=names, ignore_unavailable=True)
    log.warning("%s: nothing in %s may be kept any longer: dropped", family.name, ", ".join(names))


def _forget_hours(where: Places, first: datetime, version: int) -> None:
    """Delete the hours before ``first`` (UTC), wherever they lie."""
    old = {"range": {HOURS.time: {"lt": first.isoformat()}}}
    names = list(where.there.get(HOURS.name, ()))
    for hits in pages(where.client, {"index": names}, old) if names else ():
        send(where.client, [Action(hit["_index"], hit["_id"], max(version, hit["_version"]), None) for hit in hits])
