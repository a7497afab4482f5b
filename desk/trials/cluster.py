"""The faults of an Elasticsearch cluster of three real nodes, while it is fed and somebody writes.

Each is done for real: nodes are killed and stopped, the disk is full by the cluster's own watermark, indices are
deleted, made by somebody else, or wiped with the whole cluster. Recovery is counted from the moment the fault is over
(from the kill, where the rest of the cluster has to go on without), until all that was written is in the index.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from elasticsearch import Elasticsearch

from desk.trials import engine
from desk.trials.engine import Node
from desk.trials.fed import EACH, EVERY_S, LONGEST_S, NOWHERE, Before, Fed, feeding, judged, nothing
from desk.trials.trial import Outcome, Trial
from store import annotations as understood
from store import posts, times
from store.index.cluster import Cluster
from store.index.families import POSTS
from store.index.generations import Generation
from store.records import Annotation, Location

HEAP, LIGHT = "512m", "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
"""Three nodes share a small machine with all the rest: they start sooner where they compile less."""
FULL = "1000tb"
"""Every disk has less than that free."""
WATERMARK = "cluster.routing.allocation.disk.watermark"
QUICK = {"cluster.info.update.interval": "10s"}
"""How often the cluster looks at its disks: as often as it can."""
HELD_S = 8.0
GREEN_S, SEEN_S = 120, 60.0
NOT_OURS = {"dynamic": "strict", "properties": {"id": {"type": "keyword"}, "position": {"type": "keyword"}}}

Nodes = Sequence[Node]
Harm = Callable[[Fed, Nodes, Random], Iterable[float]]


@dataclass(frozen=True, slots=True)
class Fault:
    """``harm`` does it, and gives the seconds of each recovery. ``shown``: the lag must have been seen meanwhile, and a
    reason that holds this. ``before`` is done to the cluster before it is fed for the first time."""

    name: str
    words: str
    harm: Harm
    shown: str = ""
    before: Before = nothing


def node_killed(fed: Fed, nodes: Nodes, draw: Random) -> Iterator[float]:
    """The node that holds the posts is killed while it takes a pile of them, and comes back; three times."""
    for _ in range(3):
        fed.step_aside()
        time.sleep(draw.uniform(0.0, 0.2))
        yield from _killed(fed, nodes, _holder(fed))


def master_killed(fed: Fed, nodes: Nodes, draw: Random) -> Iterator[float]:
    """The elected master is killed while posts come in, and comes back; twice."""
    for _ in range(2):
        fed.step_aside()
        time.sleep(draw.uniform(0.0, 0.2))
        state = fed.client.cluster.state(metric="master_node,nodes").body
        yield from _killed(fed, nodes, state["nodes"][state["master_node"]]["name"])


def disk_full(fed: Fed, nodes: Nodes, draw: Random) -> Iterator[float]:
    """The flood-stage watermark is reached, as the cluster itself finds; then there is room again."""
    del nodes
    fed.client.cluster.put_settings(persistent={f"{WATERMARK}.{one}": FULL for one in ("low", "high", "flood_stage")})
    blocked = fed.until(lambda seen: seen.away is not None, 60.0)
    time.sleep(HELD_S + draw.random())
    fed.client.cluster.put_settings(persistent={f"{WATERMARK}.{one}": None for one in ("low", "high", "flood_stage")})
    over = time.monotonic()
    yield fed.recovery(over) if blocked else float("inf")


def slow_node(fed: Fed, nodes: Nodes, draw: Random) -> Iterator[float]:
    """The node that holds the posts does not answer any more, and is not dead; after some seconds it goes on."""
    node = _named(nodes, _holder(fed))
    node.signal(signal.SIGSTOP)
    time.sleep(draw.uniform(14.0, 20.0))
    node.signal(signal.SIGCONT)
    yield fed.recovery(time.monotonic())


def index_lost(
    fed: Fed, nodes: Nodes, draw: Random, *, which: Sequence[str] = (f"{POSTS.name}-v*", "*")
) -> Iterator[float]:
    """Somebody deletes the index of the posts, and a little later every index."""
    del nodes
    for pattern in which:
        time.sleep(draw.uniform(0.5, 1.5))
        fed.client.indices.delete(
            index=list(fed.client.indices.get_alias(index=f"{fed.cluster.prefix}-{pattern}").body)
        )
        yield _rebuilt(fed, time.monotonic())


def wiped(fed: Fed, nodes: Nodes, draw: Random) -> Iterator[float]:
    """Every node is killed and its data deleted: what comes up again is another cluster, and empty."""
    time.sleep(draw.uniform(0.5, 1.5))
    for node in nodes:
        node.signal(signal.SIGKILL)
    for node in nodes:
        node.end()
        shutil.rmtree(node.home / "data")
    for node in nodes:
        node.start()
    for node in nodes:
        node.wait(nodes=len(nodes))
    yield fed.recovery(time.monotonic())


def made_by_another(client: Elasticsearch, prefix: str) -> None:
    """Somebody makes the index of this month, behind the alias, before Vigie does, with a mapping of their own."""
    _make(client, prefix, Generation(POSTS.version).name(POSTS, prefix, times.now()))


def conflict(fed: Fed, nodes: Nodes, draw: Random) -> Iterator[float]:
    """The index that was made by somebody else gives way; then it is put there again in place of Vigie's."""
    del nodes
    yield fed.first_s
    time.sleep(draw.uniform(0.5, 1.5))
    name = next(iter(fed.client.indices.get_alias(index=f"{fed.cluster.prefix}-{POSTS.name}-v*").body))
    fed.crowd.signal("index", signal.SIGSTOP)  # or it would be faster than they
    try:
        fed.client.indices.delete(index=name)
        _make(fed.client, fed.cluster.prefix, name)
    finally:
        fed.crowd.signal("index", signal.SIGCONT)
    yield _rebuilt(fed, time.monotonic())


def poison(fed: Fed, nodes: Nodes, draw: Random) -> Iterator[float]:
    """Posts that no index can take come among the others; half are then understood, half deleted at their source."""
    del nodes
    time.sleep(draw.uniform(0.5, 1.5))
    bad, over = fed.writer.add(geo=NOWHERE), time.monotonic()
    aside = fed.until(lambda seen: seen.aside == EACH)
    yield fed.recovery(over) if aside else float("inf")
    with fed.db.write() as conn:
        understood.put(conn, [_read(id) for id in bad[: EACH // 2]])
        posts.delete(conn, bad[EACH // 2 :])
    for id in bad[EACH // 2 :]:
        del fed.writer.alive[id]
    over = time.monotonic()
    yield fed.recovery(over) if fed.until(lambda seen: seen.aside == 0) else float("inf")


FAULTS = (
    Fault("cluster-node-killed", "node killed in mid-bulk, and back", node_killed),
    Fault("cluster-master-killed", "elected master killed, and back", master_killed),
    Fault("cluster-disk-full", "cluster read-only: flood-stage watermark", disk_full, shown="disk"),
    Fault("cluster-slow-node", "a node hangs (SIGSTOP), then goes on", slow_node),
    Fault("cluster-index-lost", "indices deleted under the feeder", index_lost),
    Fault("cluster-conflict", "an index of another mapping in the way", conflict, before=made_by_another),
    Fault("cluster-poison", "posts that no index can take", poison),
    Fault("cluster-wiped", "the whole cluster lost with its data", wiped),
)


def trials() -> tuple[Trial, ...]:
    """One for each fault."""
    return tuple(Trial(fault.name, partial(on_three_nodes, fault), slow=True) for fault in FAULTS)


def on_three_nodes(fault: Fault, draw: Random, work: Path) -> Outcome:
    """Do the harm to a cluster of three. One that cannot be started here was not tried, and says so."""
    if lack := engine.missing():
        return Outcome(fault.words, 0, 0, said=f"not tried: {lack}")
    os.environ.setdefault("VIGIE_ENGINE_HEAP", HEAP)
    os.environ.setdefault("JDK_JAVA_OPTIONS", LIGHT)
    with engine.three_nodes(work, **QUICK) as nodes:
        return on(Cluster(tuple(node.url for node in nodes)), nodes, fault, draw, work)


def on(cluster: Cluster, nodes: Nodes, fault: Fault, draw: Random, work: Path, *, every_s: float = EVERY_S) -> Outcome:
    """Do the harm to a cluster that is up, and judge what became of it. Somebody writes ``every_s`` seconds."""
    with feeding(work, draw, cluster, fault.before) as fed:
        fed.writer.every_s = every_s
        with fed.writer.writing():
            fed.begun()
            recoveries = list(fault.harm(fed, nodes, draw))
        shown = fed.watch.changes and (not fault.shown or any(fault.shown in why for why in fed.watch.reasons))
        return judged(fed, fault.words, recoveries if shown else [LONGEST_S])


def _killed(fed: Fed, nodes: Nodes, name: str) -> Iterator[float]:
    """Kill the node, see the rest go on, start it again and wait until every copy is whole."""
    node, over = _named(nodes, name), time.monotonic()
    node.signal(signal.SIGKILL)
    yield fed.recovery(over)
    node.end()
    node.start().wait(nodes=len(nodes))
    patient = fed.client.options(request_timeout=2 * GREEN_S)
    patient.cluster.health(wait_for_status="green", timeout=f"{GREEN_S}s")


def _rebuilt(fed: Fed, over: float) -> float:
    """Seconds until what was lost is rebuilt; infinite where nobody even begins."""
    return fed.recovery(over) if fed.until(lambda seen: bool(seen.building), SEEN_S) else float("inf")


def _holder(fed: Fed) -> str:
    """The name of the node that holds the posts that are written now."""
    state = fed.client.cluster.state(metric="nodes,routing_table", index=f"{fed.cluster.prefix}-{POSTS.name}-v*").body
    copies = [one for index in state["routing_table"]["indices"].values() for one in index["shards"]["0"]]
    return str(next(state["nodes"][one["node"]]["name"] for one in copies if one["primary"]))


def _make(client: Elasticsearch, prefix: str, index: str) -> None:
    """An index of another mapping, to which the alias of the posts leads."""
    client.indices.create(index=index, mappings=NOT_OURS, aliases={POSTS.alias(prefix): {}})


def _named(nodes: Nodes, name: str) -> Node:
    return next(node for node in nodes if node.home.name == name)


def _read(id: str) -> Annotation:
    where = Location("Cholet", 0, 6, "Cholet", "commune", "event", lat=47.06, lon=-0.88, radius_m=4000.0)
    return Annotation(id, "fr", "fast", 0.9, 0.8, {"rumour": 0.1}, locations=(where,))
