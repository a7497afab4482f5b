"""``vigie bench pipeline``: posts a second through all stages, and how soon an alert leaves, beside the naive loop."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import click
import orjson

from config.settings import ROOT
from config.world import World
from desk.bench import _naive
from desk.bench._posts import fires, invented, recorded
from desk.replay import EventClock, Stages
from listeners.incoming import Incoming
from nlp.annotate import Annotator
from nlp.crew import Crew
from store.database import Database

CHUNK = 500
NAIVE = 1000
WARM = 500
LATEST_S = 0.02
BETWEEN_S = 0.15

FILES = click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.command(epilog="Example: vigie bench pipeline --posts 20000 --seed 7 --json")
@FILES
@click.option("--posts", "number", default=20_000, show_default=True, type=click.IntRange(min=100), help="How many.")
@click.option(
    "--share",
    default=0.1,
    show_default=True,
    type=click.FloatRange(0, 0.5),
    help="About a situation; as many look-alikes.",
)
@click.option(
    "--rate", default=200.0, show_default=True, type=click.FloatRange(min=1), help="Posts a second meanwhile."
)
@click.option("--incidents", default=30, show_default=True, type=click.IntRange(1, 60), help="Fires to time alerts of.")
@click.option("--seed", default=0, show_default=True, help="Of everything that is drawn.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(
    files: tuple[Path, ...], number: int, share: float, rate: float, incidents: int, seed: int, as_json: bool
) -> None:
    """Measure throughput and latency on this machine, with posts written for the project, or those of FILES.

    Throughput: posts taken in, stored, annotated, detected and routed, to the outbox on the disk; models and gazetteer
    are warm when counting begins. Latency: from the receipt of the post that opens the gate to the first attempt to
    send, under a steady stream of ordinary posts.
    """
    draw = Random(seed)
    posts = recorded(files, number) if files else invented(number, draw, share=share)
    with closing(Crew().gather()) as crew:
        throughput(invented(WARM, Random(seed + 1), share=0.5), crew)
        through = throughput(posts, crew)
        delays = latency(incidents, rate, draw, crew)
    with tempfile.TemporaryDirectory() as folder:
        naive = _naive.run([post.text for post in posts[:NAIVE]], Path(folder))
    result = {"seed": seed, **through, "latency": _spread(delays, incidents), "naive": _naively(naive)}
    result["times_naive"] = round(through["posts_per_s"] / result["naive"]["posts_per_s"], 1)
    click.echo(orjson.dumps(result) if as_json else _sentences(result))


@contextmanager
def _store() -> Iterator[Database]:
    with tempfile.TemporaryDirectory(prefix="vigie-bench-") as folder:
        db = Database.open(f"sqlite:///{folder}/bench.db")
        yield db
        db.close()


def throughput(posts: Sequence[Incoming], annotator: Annotator) -> dict[str, Any]:
    """Posts a second, and the seconds of each stage, in chunks of 500, durable to the outbox."""
    with _store() as db:
        clock = EventClock()
        stages = Stages(db, World.load(ROOT / "config" / "catch-all"), annotator, clock)
        began = time.perf_counter()
        for start in range(0, len(posts), CHUNK):
            chunk = posts[start : start + CHUNK]
            clock.now = chunk[0].created_at
            stages.collect(chunk)
            stages.understand()
        seconds = time.perf_counter() - began
    spent = {name: round(value, 2) for name, value in stages.spent.items()}
    return {
        "posts": len(posts),
        "texts": len({post.text for post in posts}),
        "seconds": round(seconds, 2),
        "posts_per_s": round(len(posts) / seconds),
        "cores": os.cpu_count(),
        "stages_s": spent,
    }


def latency(incidents: int, rate: float, draw: Random, annotator: Annotator) -> list[float]:
    """Seconds from gate-opening post to first attempt, of each of ``incidents`` invented fires that was alerted."""
    with _store() as db:
        stages = Stages(db, World.load(ROOT / "config" / "catch-all"), annotator, _now)
        waiting = _schedule(incidents, rate, draw)
        began = time.monotonic()
        while waiting:
            elapsed = time.monotonic() - began
            due = [text for at, text in waiting if at <= elapsed]
            if not due:
                time.sleep(LATEST_S / 10)
                continue
            waiting = waiting[len(due) :]
            _live(stages, due)
        return [
            _waited(one.first_attempt_at, one.trigger_received_at)
            for _, one in stages.recorder.sent
            if one.event == "new"
        ]


def _live(stages: Stages, due: Sequence[str]) -> None:
    now = _now()
    first = len(stages.read)
    stages.collect(
        [Incoming("file", f"b{first + at}", text, now, author_id=f"a{first + at}") for at, text in enumerate(due)]
    )
    stages.understand()
    stages.dispatch()


def _schedule(incidents: int, rate: float, draw: Random) -> list[tuple[float, str]]:
    """Texts with the second at which each comes: ordinary ones at ``rate``, and fires of three voices between them."""
    told = [text for _, (_, said) in zip(range(incidents), fires(draw), strict=False) for text in said]
    timed = [(BETWEEN_S * at, text) for at, text in enumerate(told)]
    ordinary = invented(int(rate * BETWEEN_S * len(told)), draw, share=0.0)
    return sorted([*timed, *((at / rate, post.text) for at, post in enumerate(ordinary))])


def _waited(attempted: datetime | None, received: datetime | None) -> float:
    assert attempted, "a delivery that was sent was tried"
    assert received, "a new incident has a post that opened the gate"
    return (attempted - received).total_seconds()


def _now() -> datetime:
    return datetime.now(UTC)


def _spread(seconds: Sequence[float], expected: int) -> dict[str, Any]:
    return {"alerts": len(seconds), "expected": expected, **percentiles(seconds, 50, 99)}


def percentiles(seconds: Sequence[float], *wanted: int) -> dict[str, float | None]:
    """``p50_ms`` and so on of durations in seconds, in milliseconds, None where there are none."""
    if not seconds:
        return dict.fromkeys(f"p{each}_ms" for each in wanted)
    cuts = statistics.quantiles([*seconds, *seconds], n=100, method="inclusive")
    return {f"p{each}_ms": round(1000 * cuts[each - 1], 1) for each in wanted}


def _naively(taken: Sequence[float]) -> dict[str, Any]:
    return {"posts": len(taken), "posts_per_s": round(len(taken) / sum(taken)), **percentiles(taken, 50, 99)}


def _sentences(result: dict[str, Any]) -> str:
    late, naive = result["latency"], result["naive"]
    stages = ", ".join(f"{name} {seconds} s" for name, seconds in result["stages_s"].items())
    return "\n".join(
        (
            f"{result['posts']:,} posts ({result['texts']:,} different texts, seed {result['seed']}): "
            f"{result['posts_per_s']:,} posts/s on {result['cores']} cores, durable to the outbox ({stages})",
            f"Alert of an incident: p50 {late['p50_ms']} ms, p99 {late['p99_ms']} ms from gate-opening post to first "
            f"attempt ({late['alerts']} of {late['expected']} fires)",
            f"Naive loop: {naive['posts_per_s']:,} posts/s, a post p50 {naive['p50_ms']} ms, p99 {naive['p99_ms']} ms",
            f"Vigie takes {result['times_naive']} times as many posts as the naive loop",
        )
    )
