"""How soon what is committed can be searched: a writer, the feeder as a task of its own, and somebody who searches."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from elasticsearch import Elasticsearch

from desk.bench._client import removed
from desk.bench._posts import START
from desk.bench._rows import made, understanding
from desk.trials.drip import BUNDLE
from desk.trials.processes import Place, processes
from store import annotations as understood
from store import changes, config_versions, posts, times
from store.database import Database
from store.index.cluster import Cluster, connect
from store.index.families import POSTS, STAGE
from store.records import Post

BATCH_S, MOST = 0.05, 500
"""Collect gathers for so long, and so many at most."""
LOOK_S = 0.02
WARM_S, OVER_S = 3.0, 60.0
AT_A_TIME = 200
WORD = "sonde"


class Probe(NamedTuple):
    """A post with a word of its own, and when it was committed (seconds since 1970)."""

    id: str
    word: str
    at: float


class Found(NamedTuple):
    """``lags``: seconds from commit to the answer of the search that found it, of each probe; ``missing`` were never
    found. ``posts`` were committed in ``seconds``."""

    lags: list[float]
    missing: int
    posts: int
    seconds: float

    def told(self) -> dict[str, Any]:
        """Percentiles in seconds, None where none was found."""
        cuts = {f"p{share}_s": _percentile(self.lags, share) for share in (50, 95, 99)}
        rate = round(self.posts / self.seconds) if self.seconds else 0
        return {"probes": len(self.lags), "missing": self.missing, "posts": self.posts, "posts_per_s": rate, **cuts}


def measured(work: Path, cluster: Cluster, rate: float, seconds: float, seed: int, *, annotated: bool) -> Found:
    """Commit ``rate`` posts a second for so many seconds, after some that are not counted; with ``annotated`` each is
    understood in the next batch. Raises RuntimeError where the writer dies."""
    env = {"VIGIE_ELASTICSEARCH": ",".join(cluster.hosts), "VIGIE_ELASTICSEARCH_PREFIX": cluster.prefix}
    place = Place(work, work, recorded=False, env=env)
    db = Database.open(place.url)
    with db.write(durable=True) as conn:
        config_versions.publish(conn, {"b.yaml": BUNDLE}, "bench", START)
        changes.set_cursor(conn, STAGE, 0)
    db.close()
    with processes(place, "index"), connect(cluster, timeout_s=OVER_S) as client:
        found = _heard(place, client, cluster, rate, WARM_S + seconds, seed, annotated)
    with connect(cluster, timeout_s=OVER_S) as client:
        removed(client, cluster.prefix)
    return found


def _heard(
    place: Place, client: Elasticsearch, cluster: Cluster, rate: float, seconds: float, seed: int, annotated: bool
) -> Found:
    with _writer(place.url, rate, seconds, seed, annotated) as told:
        waiting: dict[str, Probe] = {}
        lags: list[float] = []
        count, took, until, warm = 0, 0.0, math.inf, 0.0
        while time.monotonic() < until and (waiting or until == math.inf):
            while until == math.inf and told.poll():
                heard = _recv(told)
                if isinstance(heard, Probe):
                    waiting[heard.id], warm = heard, warm or heard.at + WARM_S
                else:
                    (count, took), until = heard, time.monotonic() + OVER_S
            found = _search(client, POSTS.alias(cluster.prefix), list(waiting.values())[:AT_A_TIME])
            now, probes = time.time(), [waiting.pop(id) for id in found]
            lags += [now - probe.at for probe in probes if probe.at >= warm]
            time.sleep(LOOK_S)
        return Found(lags, len(waiting), count, took)


def _recv(told: Connection) -> Any:
    try:
        return told.recv()
    except EOFError as error:  # which click would take for somebody who gives up
        raise RuntimeError("the writer died, what it said stands above") from error


def _search(client: Elasticsearch, alias: str, some: Sequence[Probe]) -> list[str]:
    """The ids of those that are found by their words."""
    if not some:
        return []
    query = {"match": {"text": " ".join(one.word for one in some)}}
    patient = client.options(ignore_status=503)  # the index is being made
    found = patient.search(
        index=alias, query=query, size=len(some), source=False, track_total_hits=False, ignore_unavailable=True
    ).body
    return [hit["_id"] for hit in found.get("hits", {}).get("hits", ())]


@contextmanager
def _writer(url: str, rate: float, seconds: float, seed: int, annotated: bool) -> Iterator[Connection]:
    context = get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_write, args=(url, rate, seconds, seed, annotated, there), daemon=True)
    process.start()
    there.close()  # so that its end is heard here, whatever it dies of
    try:
        yield here
    finally:
        process.kill()
        process.join()


def _write(url: str, rate: float, seconds: float, seed: int, annotated: bool, told: Connection) -> None:
    """Commit in batches, as collect does; tell of a probe in each, and at the end of how many in which time."""
    db, draw = Database.open(url), Random(seed)
    drafts, before = made(2000, draw), list[Post]()
    began, number = time.monotonic(), 0
    while (elapsed := time.monotonic() - began) < seconds:
        due = min(MOST, int(rate * elapsed) - number)
        some = [_of(drafts[at % len(drafts)], f"{seed}-{at}") for at in range(number, number + due)]
        if some:
            word = f"{WORD}{seed}x{number}"
            some[-1] = _with(some[-1], word)
            with db.write() as conn:
                posts.add(conn, some)
                if annotated:
                    understood.put(conn, [understanding(post, draw) for post in before])
            told.send(Probe(some[-1].id, word, time.time()))
            number, before = number + due, some
        time.sleep(max(0.0, BATCH_S - (time.monotonic() - began - elapsed)))
    told.send((number, time.monotonic() - began))
    db.close()


def _of(draft: Post, name: str) -> Post:
    now = times.now()
    return Post(f"lag:{name}", "lag", draft.text, now, now, lang="fr", author=draft.author, filters=draft.filters)


def _with(post: Post, word: str) -> Post:
    return Post(post.id, post.source, f"{post.text} {word}", post.created_at, post.received_at, lang="fr")


def _percentile(seconds: Sequence[float], share: int) -> float | None:
    """By nearest rank."""
    if not seconds:
        return None
    return round(sorted(seconds)[math.ceil(len(seconds) * share / 100) - 1], 3)
