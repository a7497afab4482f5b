"""What has changed, read in one snapshot of the database, and what the index must be told of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from store import changes
from store.index import generations, poison
from store.index.bulk import Action
from store.index.documents import affected, documents
from store.index.documents.document import Document
from store.index.documents.health import hours_since
from store.index.families import HOURS, STAGE, Family
from store.index.generations import Generation, Standing
from store.index.places import Places
from store.records import Change


@dataclass(frozen=True, slots=True)
class Part:
    """What a family must be told: ``ids`` may be other than they were, and those without document are gone. Those of
    ``unsettled`` may lie elsewhere as well, because their record was made anew or changed its time."""

    family: Family
    standing: Standing
    ids: frozenset[str]
    unsettled: frozenset[str]
    documents: Mapping[str, Document]

    def aside_keys(self) -> Iterator[str]:
        """Under what each of them would be set aside."""
        return (poison.key(self.family, id) for id in self.ids)


@dataclass(frozen=True, slots=True)
class Batch:
    """Changes after number ``after`` up to ``until``, ``number`` of which are read here; all of ``parts`` bears
    ``version``. ``aside``: the keys of what is set aside."""

    after: int
    until: int
    number: int
    version: int
    parts: tuple[Part, ...]
    aside: frozenset[str]

    @property
    def ids(self) -> frozenset[str]:
        """Those of every part."""
        return frozenset(id for part in self.parts for id in part.ids)

    def only(self, ids: Collection[str]) -> Batch:
        """The same with these ids only."""
        parts = [
            replace(
                one, ids=one.ids & set(ids), documents={id: told for id, told in one.documents.items() if id in ids}
            )
            for one in self.parts
        ]
        return replace(self, parts=tuple(parts))


def read(conn: Connection, families: Sequence[Family], limit: int) -> Batch:
    """At most ``limit`` changes that were not read yet."""
    at, version = changes.cursor(conn, STAGE), changes.latest(conn)
    tables = {table for family in families for table in family.tables}
    some = changes.after(conn, at, tables, limit) if version > at else []
    until = some[-1].seq if len(some) == limit else max(at, version)
    parts = [_part(conn, family, some) for family in families] if some else []
    aside = poison.known(conn) if some else frozenset()
    return Batch(at, until, len(some), version, tuple(part for part in parts if part.ids), aside)


def hours(conn: Connection, since: datetime, version: int) -> Batch:
    """The hours that begin at ``since`` (UTC) or later: no change tells of them."""
    ids = frozenset(hours_since(conn, since))
    part = Part(HOURS, generations.standing(conn, HOURS), ids, frozenset(), documents(conn, HOURS, ids))
    return Batch(0, 0, len(ids), version, (part,), poison.known(conn))


def _part(conn: Connection, family: Family, some: Sequence[Change]) -> Part:
    ids = frozenset(affected(conn, family, some))
    mine = [change for change in some if family.tables and change.table == family.tables[0]]
    unsettled = frozenset(change.key for change in mine if change.op == "delete" or _moves(family, change))
    found = documents(conn, family, ids) if ids else {}
    return Part(family, generations.standing(conn, family), ids, unsettled & ids, found)


def _moves(family: Family, change: Change) -> bool:
    """Whether a change may have given the document another time: only posts, whose source may correct it."""
    return family.time == "created_at" and change.table == "posts" and change.op == "update"


def actions(parts: Collection[Part], places: Places, version: int) -> Iterator[Action]:
    """What the index is to do, in every generation that is fed; the indices it needs are made first. Raises the faults
    of the cluster."""
    for part in parts:
        for generation in part.standing.targets:
            yield from _of_generation(part, generation, places, version)


def _of_generation(part: Part, generation: Generation, places: Places, version: int) -> Iterator[Action]:
    family, stem = part.family, generation.stem(part.family, places.cluster.prefix)
    periods = {id: family.period_of(one.at) for id, one in part.documents.items()}
    places.ensure(family, generation, set(periods.values()), live=generation == part.standing.live)
    right = {id: f"{stem}-{period}" for id, period in periods.items()}
    for id, one in part.documents.items():
        yield Action(right[id], id, version, one.body)
    astray = [id for id in part.ids if id not in right or id in part.unsettled]
    for id, names in places.holding(family, generation, astray).items():
        for name in names:
            if name != right.get(id):
                yield Action(name, id, version, None)
