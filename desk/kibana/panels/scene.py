"""Recorded posts taken through the five stages, touched by people as in a real night, and indexed: what the dashboards
are put to the proof with."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby, islice
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from config.world import World
from desk.kibana.panels import night
from desk.replay import EventClock, Stages
from listeners.incoming import Incoming
from listeners.replay import BadLine, Replay
from nlp.annotate import Annotator
from store import changes, state
from store.database import Database
from store.index.cluster import Cluster, connect
from store.index.families import STAGE
from store.index.feed import Feeder
from store.index.lag import lag
from store.times import EPOCH, to_iso

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

MOST = 5000
PACE = timedelta(minutes=1)
QUIET = timedelta(minutes=20)
TIMEOUT_S, PATIENCE_S = 30.0, 120.0


class BadScene(ValueError):
    """The scene cannot be played; the message says why."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A database and a cluster that tell of the same posts; ``start`` and ``end`` (UTC) enclose everything.

    ``posts``: how many were kept.
    """

    db: Database
    client: Elasticsearch
    cluster: Cluster
    start: datetime
    end: datetime
    posts: int


@contextmanager
def scene(
    files: Sequence[Path],
    world: World,
    cluster: Cluster,
    home: Path,
    *,
    most: int = MOST,
    pace: timedelta = PACE,
    seed: int = 9,
) -> Iterator[Scene]:
    """Play the first ``most`` posts of each of ``files``, let people act, and index what came of it.

    Posts are taken in together that lie in the same stretch of ``pace``. The indices are made under the prefix of
    ``cluster``, which must have none; they stay when the scene is over. Chances are drawn from ``seed``. Raises
    BadScene, OSError where a file cannot be read, and what the client raises.
    """
    db = Database.open(f"sqlite:///{home}/scene.db")
    with closing(db), connect(cluster, timeout_s=TIMEOUT_S) as client:
        if there := client.indices.get(index=f"{cluster.prefix}-*", expand_wildcards="all").body:
            raise BadScene(f"there are indices under {cluster.prefix} already: {', '.join(sorted(there))}")
        posts = sorted(_posts(files, most), key=lambda post: post.created_at)
        if not posts:
            raise BadScene(f"no posts in {', '.join(map(str, files))}")
        start, end, kept = _play(db, world, posts, pace)
        night.invent(db, start, Random(seed))
        night.act(db, start, end)
        _index(db, cluster, end)
        client.indices.refresh(index=f"{cluster.prefix}-*")
        yield Scene(db, client, cluster, start - timedelta(hours=3), end + timedelta(hours=1), kept)


def take_down(client: Elasticsearch, cluster: Cluster) -> None:
    """Take the indices and templates of a scene away again: everything under the prefix of ``cluster``."""
    quiet = client.options(ignore_status=404)
    for name in client.indices.get(index=f"{cluster.prefix}-*", expand_wildcards="all").body:
        quiet.indices.delete(index=name)  # one by one: a cluster as shipped deletes nothing by a pattern
    quiet.indices.delete_index_template(name=f"{cluster.prefix}-*")
    quiet.cluster.delete_component_template(name=f"{cluster.prefix}-*")


def _posts(files: Sequence[Path], most: int) -> Iterator[Incoming]:
    for path in files:
        yield from islice(Replay([path], report=_refuse).posts(), most)


def _play(db: Database, world: World, posts: Sequence[Incoming], pace: timedelta) -> tuple[datetime, datetime, int]:
    clock = EventClock()
    stages = Stages(db, world, Annotator(), clock)
    for _, some in groupby(posts, key=lambda post: (post.created_at - EPOCH) // pace):
        chunk = list(some)
        clock.now = chunk[0].created_at
        stages.collect(chunk)
        stages.understand()
        clock.now = chunk[-1].created_at + timedelta(seconds=2)
        stages.dispatch()
    clock.now += QUIET
    stages.understand()
    stages.dispatch()
    return posts[0].created_at, clock.now, stages.kept


def _refuse(line: BadLine) -> None:
    raise BadScene(str(line))


def _index(db: Database, cluster: Cluster, now: datetime) -> None:
    """Everything, as Vigie feeds it that had the cluster from the beginning."""
    with db.write() as conn:
        changes.set_cursor(conn, STAGE, 0)
        state.put(conn, STAGE, {"hours": to_iso(EPOCH)})
    until = time.monotonic() + PATIENCE_S
    with closing(Feeder(db, replace(cluster, timeout_s=TIMEOUT_S), lambda: now)) as feeder:
        while feeder.step() or _unfinished(db, patient=time.monotonic() < until):
            pass


def _unfinished(db: Database, *, patient: bool) -> bool:
    """Whether the index is not all there yet. Raises BadScene where it does not get there."""
    with db.read() as conn:
        standing = lag(conn)
    if standing.aside:
        raise BadScene(f"the index did not take {standing.aside} documents")
    unfinished = bool(standing.away or standing.changes or standing.building)
    if unfinished and not patient:
        why = standing.away.reason if standing.away else f"{standing.changes} changes are still missing"
        raise BadScene(f"the index is not whole after {PATIENCE_S:g} s: {why}")
    if standing.away:
        time.sleep(0.2)  # the feeder leaves the cluster in peace for a while
    return unfinished
