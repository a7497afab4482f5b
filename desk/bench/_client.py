"""The client's own work in feeding an index: Vigie's beside that of ``elasticsearch.helpers``, in one run.

The same documents, those that the feeder makes of a database, go through either: as actions to
:func:`store.index.bulk.send`, as plain dicts to ``streaming_bulk``, once with the client as it comes and once with its
serializer of orjson. What is counted is CPU time of this process, all its threads; who takes the documents is another.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from elasticsearch import Elasticsearch, helpers
from elasticsearch.serializer import OrjsonSerializer

from desk.bench._posts import START
from store import changes
from store.database import Database
from store.index import bulk, reading, sending, setup
from store.index.bulk import Action
from store.index.cluster import Cluster, connect
from store.index.families import FAMILIES, POSTS, STAGE
from store.index.feed import AT_ONCE
from store.index.generations import Generation
from store.index.places import Places

VIGIE, HELPERS, ORJSON, ROWS = "vigie", "helpers", "helpers_orjson", "rows"
PATIENCE_S = 120.0


@dataclass(slots=True)
class Spent:
    """What the rounds of one way took: documents, and seconds of CPU and of the wall clock each."""

    documents: int = 0
    cpu_s: list[float] = field(default_factory=list)
    wall_s: list[float] = field(default_factory=list)

    def told(self) -> dict[str, float]:
        """Documents a second and core, and a second, by the median round; and by the best one, whatever else ran."""
        return {
            "per_core_s": round(self.documents / statistics.median(self.cpu_s)),
            "best_per_core_s": round(self.documents / min(self.cpu_s)),
            "per_s": round(self.documents / statistics.median(self.wall_s)),
        }


@dataclass(frozen=True, slots=True)
class Work:
    """Documents that are ready, for either; ``db`` is what they were made of."""

    db: Database
    actions: Sequence[Action]
    dicts: Sequence[Mapping[str, Any]]


def ready(db: Database, cluster: Cluster) -> Work:
    """All the documents that the feeder makes of this database."""
    with db.write() as conn:
        changes.set_cursor(conn, STAGE, 0)
    with connect(cluster) as client, db.read() as conn:
        batch = reading.read(conn, FAMILIES, 1_000_000)
        actions = list(reading.actions(batch.parts, _places(client, cluster), batch.version))
    dicts = [
        {
            "_index": one.index,
            "_id": one.id,
            "version": one.version,
            "version_type": "external_gte",
            "_source": one.body,
        }
        for one in actions
    ]
    return Work(db, actions, dicts)


def _dict(one: Action) -> dict[str, Any]:
    """The same as ``elasticsearch.helpers`` takes it."""
    head = {"_index": one.index, "_id": one.id, "version": one.version, "version_type": "external_gte"}
    return {**head, "_source": one.body}


def emptied(client: Elasticsearch, cluster: Cluster) -> None:
    """Make the index that the documents go to, in place of the one that is there."""
    setup.install(client, cluster)
    client.options(ignore_status=404).indices.delete(index=index_of(cluster))
    setup.ensure(client, cluster, POSTS, Generation(POSTS.version), [POSTS.period_of(START)])


def removed(client: Elasticsearch, prefix: str) -> None:
    """Leave nothing behind of what was made under ``prefix``."""
    patient = client.options(ignore_status=404)
    if names := list(patient.indices.get_alias(index=f"{prefix}-*").body):
        patient.indices.delete(index=names)
    patient.indices.delete_index_template(name=f"{prefix}-*")
    patient.cluster.delete_component_template(name=f"{prefix}-*")


def rounds(work: Work, cluster: Cluster, number: int, clean: Callable[[], object]) -> dict[str, Spent]:
    """Feed all of it in every way in turn, ``number`` times, each time in another order; ``clean`` goes before each.

    Raises RuntimeError where a document was not taken, Away, Missing, elasticsearch's ApiError and TransportError."""
    spent: dict[str, Spent] = {name: Spent() for name in (VIGIE, HELPERS, ORJSON, ROWS)}
    with _clients(cluster) as clients:
        ways: list[tuple[str, Callable[[], int]]] = [
            (VIGIE, lambda: _sent(clients[VIGIE], work.actions)),
            (HELPERS, lambda: _helped(clients[HELPERS], work.dicts)),
            (ORJSON, lambda: _helped(clients[ORJSON], work.dicts)),
            (ROWS, lambda: _from_rows(clients[VIGIE], cluster, work.db)),
        ]
        for turn in range(number + 1):  # the first warms up
            for name, way in ways:
                clean()
                took = _timed(way)
                if turn:
                    spent[name].documents = took[0]
                    spent[name].cpu_s.append(took[1])
                    spent[name].wall_s.append(took[2])
            ways = [*ways[1:], ways[0]]
    return spent


def _timed(way: Callable[[], int]) -> tuple[int, float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    documents = way()
    return documents, time.process_time() - cpu, time.perf_counter() - wall


def _sent(client: Elasticsearch, actions: Sequence[Action]) -> int:
    """As the feeder sends them: as many at once as it reads."""
    for start in range(0, len(actions), AT_ONCE):
        sent = bulk.send(client, actions[start : start + AT_ONCE])
        if sent.refused or sent.stale:
            raise RuntimeError(f"{len(sent.refused)} documents were refused, {sent.stale} stale")
    return len(actions)


def _helped(client: Elasticsearch, dicts: Sequence[Mapping[str, Any]]) -> int:
    given: Any = dicts
    return len([1 for fine, _ in helpers.streaming_bulk(client, given, chunk_size=AT_ONCE) if fine])


def _from_rows(client: Elasticsearch, cluster: Cluster, db: Database) -> int:
    """What the feeder does, from the change log to the cursor."""
    where, documents = _places(client, cluster), 0
    with db.write() as conn:
        changes.set_cursor(conn, STAGE, 0)
    while True:
        with db.read() as conn:
            batch = reading.read(conn, FAMILIES, AT_ONCE)
        if batch.until == batch.after:
            return documents
        verdict = sending.send(client, batch, where, time.sleep)
        if verdict.refused or verdict.foreign:
            raise RuntimeError(f"{len(verdict.refused)} documents were refused")
        with db.write() as conn:
            changes.set_cursor(conn, STAGE, batch.until)
        documents += sum(len(part.documents) for part in batch.parts)


def index_of(cluster: Cluster) -> str:
    """The index that the documents go to."""
    return Generation(POSTS.version).name(POSTS, cluster.prefix, START)


def _places(client: Elasticsearch, cluster: Cluster) -> Places:
    return Places(client, cluster, FAMILIES, {POSTS.name: {index_of(cluster): True}})


@contextmanager
def _clients(cluster: Cluster) -> Iterator[dict[str, Elasticsearch]]:
    more: dict[str, Any] = {"request_timeout": PATIENCE_S}
    quick = dict.fromkeys(("application/json", "application/vnd.elasticsearch+json"), OrjsonSerializer())
    with (
        connect(cluster, timeout_s=PATIENCE_S) as ours,
        Elasticsearch(list(cluster.hosts), **more) as plain,
        Elasticsearch(list(cluster.hosts), serializers=quick, **more) as fast,
    ):
        yield {VIGIE: ours, HELPERS: plain, ORJSON: fast}
