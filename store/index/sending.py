"""Sending a batch, and who is at fault for what the index refuses: the document, or an index of another mapping."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from store.index import bulk, generations, poison, reading, setup
from store.index.bulk import Action, Refused
from store.index.families import Family
from store.index.places import Places
from store.index.reading import Batch
from store.index.rebuild import MAPPING

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

TRIES = 3


@dataclass(slots=True)
class Verdict:
    """What came of a batch: key of a document → why it was refused; the families whose live indices are not ours."""

    refused: dict[str, str] = field(default_factory=dict)
    foreign: dict[Family, str] = field(default_factory=dict)

    def settle(self, conn: Connection, batch: Batch, now: datetime) -> None:
        """Write it down at ``now`` (UTC), in the transaction that moves the cursor."""
        if self.refused or batch.aside:
            told = batch.aside.intersection(key for part in batch.parts for key in part.aside_keys())
            poison.settle(conn, self.refused, told, now)
        for family in self.foreign:
            if generations.standing(conn, family).building is None:  # else its successor is on its way
                generations.ask(conn, family, MAPPING)


def send(client: Elasticsearch, batch: Batch, places: Places, wait: Callable[[float], object]) -> Verdict:
    """Send it to every generation that is fed. Raises Away, Missing, the faults of the cluster."""
    todo = list(reading.actions(batch.parts, places, batch.version))
    sent = bulk.send(client, todo, wait=wait, tries=TRIES)
    if not sent.refused:
        return Verdict()
    verdict = _judged(client, batch, places, sent.refused)
    # What was refused must not stay there as it was: its source may have taken words back.
    stale = [Action(one.index, one.id, batch.version, None) for one in sent.refused]
    bulk.send(client, stale, wait=wait, tries=TRIES)
    return verdict


def _judged(client: Elasticsearch, batch: Batch, places: Places, refused: Collection[Refused]) -> Verdict:
    verdict, reasons = Verdict(), dict[str, str | None]()
    parts = {part.family: part for part in batch.parts}
    for one in refused:
        family = places.family(one.index)
        if family is None or one.id not in parts[family].documents:
            continue
        if one.index not in reasons:
            reasons[one.index] = setup.foreign(client, one.index, family)
        if why := reasons[one.index]:
            if one.index in places.of(family, parts[family].standing.live):
                verdict.foreign[family] = why
        else:
            verdict.refused[poison.key(family, one.id)] = one.reason
    return verdict
