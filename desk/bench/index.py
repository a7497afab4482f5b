"""``vigie bench index``: documents a second and core beside elasticsearch's own helpers, and from commit to search."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from typing import Any

import click
import orjson

from desk.bench import _client, _lag, _rows
from desk.bench._client import HELPERS, ORJSON, ROWS, VIGIE, Spent
from desk.bench._sink import sink
from desk.trials import engine
from store.index.cluster import Cluster, connect

GOAL_PER_CORE, GOAL_LAG_S = 10_000, 2.0
WAYS = {
    VIGIE: "Vigie: documents ready, sent and judged",
    HELPERS: "elasticsearch.helpers.streaming_bulk, plain dicts",
    ORJSON: "the same, its client given orjson",
    ROWS: "Vigie: change log and rows to documents, sent",
}
FORM = "{:<52} {:>17} {:>11} {:>17} {:>11}"
HEAD = FORM.format("", "docs/s/core, sink", "docs/s", "docs/s/core, ES", "docs/s")


@click.command(epilog="Example: vigie bench index --documents 10000 --seconds 60 --json")
@click.option("--documents", default=10_000, show_default=True, type=click.IntRange(min=100), help="A round feeds.")
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(min=1), help="Of each way, in turn.")
@click.option("--seconds", default=60.0, show_default=True, type=click.FloatRange(min=0), help="Of posts; 0: no lag.")
@click.option("--rate", default=1000.0, show_default=True, type=click.FloatRange(min=1), help="Posts a second.")
@click.option("--annotated", is_flag=True, help="Each post is also understood a moment later: twice as many documents.")
@click.option("--url", help="A running Elasticsearch. [default: one node is started, and ended again]")
@click.option("--seed", default=0, show_default=True, help="Of everything that is drawn.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(
    documents: int, rounds: int, seconds: float, rate: float, annotated: bool, url: str | None, seed: int, as_json: bool
) -> None:
    """Measure the client's own work in feeding Elasticsearch, and how soon what is committed can be searched.

    The client: the documents that the feeder makes of a database go through Vigie and through elasticsearch's own
    helpers in turn, to a local sink that takes everything at once and to a real Elasticsearch; what counts is the CPU
    time of this process, medians of the rounds. Lag: a process commits posts, the feeder is a task of its own, and
    each tenth of a second or so a post with a word of its own is searched for until it is found.
    """
    result: dict[str, Any] = {"seed": seed, "cores": os.cpu_count(), "load_before": _load()}
    with tempfile.TemporaryDirectory(prefix="vigie-bench-") as folder, _node(url, Path(folder)) as node:
        work = Path(folder)
        result |= client(work, node, documents, rounds, Random(seed))
        if seconds and node:
            (work / "lag").mkdir()
            found = _lag.measured(work / "lag", _of(node), rate, seconds, seed, annotated=annotated)
            result["lag"] = {"rate": rate, "annotated": annotated, "goal_p99_s": GOAL_LAG_S, **found.told()}
        elif seconds:
            result["not_measured"] = engine.missing()
    result["load_after"] = _load()
    click.echo(orjson.dumps(result) if as_json else "\n".join(_table(result)))


def client(work: Path, node: str | None, documents: int, rounds: int, draw: Random) -> dict[str, Any]:
    """Documents a second and core of every way, against the sink and, where there is one, the ``node``."""
    with closing(_rows.filled(work, documents, draw)) as db, sink() as url:
        told = {"sink": _told(_client.rounds(_client.ready(db, Cluster((url,))), Cluster((url,)), rounds, _nothing))}
        if node:
            cluster = _of(node)
            with connect(cluster, timeout_s=_client.PATIENCE_S) as caller:
                ready = _client.ready(db, cluster)
                told["engine"] = _told(_client.rounds(ready, cluster, rounds, lambda: _client.emptied(caller, cluster)))
                _client.removed(caller, cluster.prefix)
    return {"documents": documents, "rounds": rounds, "goal_per_core_s": GOAL_PER_CORE, **told}


def _told(spent: Mapping[str, Spent]) -> dict[str, Any]:
    """Each way, and how many times as many documents as the helpers Vigie feeds with the same CPU."""
    told: dict[str, Any] = {name: one.told() for name, one in spent.items()}
    for name in (HELPERS, ORJSON):
        told[f"times_{name}"] = round(told[VIGIE]["per_core_s"] / told[name]["per_core_s"], 2)
    return told


@contextmanager
def _node(url: str | None, work: Path) -> Iterator[str | None]:
    """The address of an Elasticsearch: the one that is given, one that is started, None where none can be."""
    if url or engine.missing():
        yield url
        return
    with engine.one_node(work / "engine") as node:
        yield node.url


def _of(node: str) -> Cluster:
    return Cluster((node,), prefix=f"vigie-bench-{os.getpid()}")


def _nothing() -> None:
    """The sink keeps nothing, so nothing has to go."""


def _load() -> list[float]:
    """How many processes wanted a core, on average of the last 1, 5 and 15 minutes."""
    return [round(one, 1) for one in os.getloadavg()]


def _table(result: Mapping[str, Any]) -> Iterator[str]:
    sink, real = result["sink"], result.get("engine")
    load, cores = result["load_before"][0], result["cores"]
    yield f"{result['documents']:,} documents, medians of {result['rounds']} rounds; load {load} on {cores} cores"
    yield HEAD
    for name, words in WAYS.items():
        there = (f"{real[name]['per_core_s']:,}", f"{real[name]['per_s']:,}") if real else ("-", "-")
        yield FORM.format(words, f"{sink[name]['per_core_s']:,}", f"{sink[name]['per_s']:,}", *there)
    plain, fast = sink[f"times_{HELPERS}"], sink[f"times_{ORJSON}"]
    best = " and ".join(
        f"{sink[name]['best_per_core_s']:,} ({WAYS[name].partition(':')[0]})" for name in (VIGIE, HELPERS)
    )
    yield f"Best round, docs/s/core, sink: {best}"
    yield f"With the same CPU Vigie feeds {plain} times as many as the helpers, {fast} times where these have orjson"
    yield f"Goal: {GOAL_PER_CORE:,} documents/s/core, and never below the helpers"
    if lag := result.get("lag"):
        yield (
            f"From commit to search at {lag['posts_per_s']:,} posts/s: p50 {lag['p50_s']} s, p95 {lag['p95_s']} s, p99 "
            f"{lag['p99_s']} s of {lag['probes']:,} posts, {lag['missing']} never found; goal p99 {GOAL_LAG_S} s"
        )
    elif why := result.get("not_measured"):
        yield f"Not measured without Elasticsearch: {why}"
