"""The store under many writers: every transaction must commit, and none of their posts may be missing."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from queue import Empty
from random import Random
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from desk.trials.trial import Outcome
from store import changes, posts, state
from store.database import Busy, Database
from store.records import Post
from store.search.embedded import Embedded
from store.search.request import Query
from store.tables import posts as posts_table

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
WORDS = [
    "fumée",
    "incendie",
    "entrepôt",
    "sirènes",
    "pont",
    "crue",
    "route",
    "coupée",
    "marché",
    "soleil",
    "match",
    "café",
    "train",
    "retard",
]
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Wrote:
    """What one writer did: transactions that failed, why the last one did, and the seconds of each that committed."""

    failed: int
    error: str
    took: Sequence[float]


def read_then_update(draw: Random, work: Path, *, writers: int = 3, each: int = 300) -> Outcome:
    """Processes that read a number and write it back one higher, as fast as they can."""
    del draw
    url = _new(work)
    wrote = _together([partial(_count, url, each)] * writers)
    db = Database.open(url)
    with db.read() as conn:
        counted = state.get(conn, "trial").get("n", 0)
    db.close()
    tried = writers * each
    failed = sum(one.failed for one in wrote)
    return Outcome(
        f"{writers} writers read a row, then update it", tried, tried - failed, lost=tried - failed - counted,
        said=f"{failed} of {tried} transactions failed" + _last_error(wrote),
    )  # fmt: skip


def flood(
    draw: Random, work: Path, *, seconds: float = 10.0, writers: int = 6, readers: int = 2, rate: float = 1000.0
) -> Outcome:
    """Writers that together add ``rate`` posts a second, while others search and follow the change log."""
    url = _new(work)
    jobs: list[Callable[[], Wrote]] = [
        partial(_write, url, draw.random(), number, rate / writers, seconds) for number in range(writers)
    ]
    jobs += [partial(_read, url, seconds)] * readers
    wrote = _together(jobs, patience=seconds + PATIENCE_S)[:writers]
    db = Database.open(url)
    with db.read() as conn:
        kept = conn.execute(select(func.count()).select_from(posts_table)).scalar_one()
    db.close()
    took = sorted(second for one in wrote for second in one.took)
    failed = sum(one.failed for one in wrote)
    each = _per_transaction(rate / writers)
    p50, p99 = (1000 * took[min(len(took) - 1, int(len(took) * share))] if took else 0.0 for share in (0.5, 0.99))
    return Outcome(
        f"{writers} writers, {readers} readers, {rate:,.0f} posts/s", len(took) + failed, len(took),
        lost=len(took) * each - kept,
        said=f"{kept / seconds:,.0f} posts/s, commit p50 {p50:.1f} ms, p99 {p99:.1f} ms, {failed} failed"
        + _last_error(wrote),
    )  # fmt: skip


def _new(work: Path) -> str:
    url = f"sqlite:///{work / 'trial.db'}"
    Database.open(url).close()
    return url


def _together(jobs: Sequence[Callable[[], Wrote]], patience: float = PATIENCE_S) -> list[Wrote]:
    """What each job gives, run at the same time in processes of their own. Raises TimeoutError for one that hangs."""
    context = get_context("spawn")
    answers, ready = context.Queue(), context.Barrier(len(jobs))
    processes = [
        context.Process(target=_answer, args=(answers, ready, number, job), daemon=True)
        for number, job in enumerate(jobs)
    ]
    for process in processes:
        process.start()
    try:
        found = dict(answers.get(timeout=patience) for _ in processes)
    except Empty as error:
        raise TimeoutError(f"a writer did not end within {patience:.0f} s") from error
    finally:
        for process in processes:
            process.join(1)
            process.kill()
    return [found[number] for number in range(len(jobs))]


def _answer(answers: Any, ready: Barrier, number: int, job: Callable[[], Wrote]) -> None:
    ready.wait(PATIENCE_S)
    answers.put((number, job()))


def _transactions(db: Database, times: int, work: Callable[[Any, int], None], pace: Callable[[int], None]) -> Wrote:
    took, failed, error = [], 0, ""
    for number in range(times):
        pace(number)
        began = time.perf_counter()
        try:
            with db.write() as conn:
                work(conn, number)
        except (Busy, OperationalError) as fault:
            failed, error = failed + 1, str(fault)
        else:
            took.append(time.perf_counter() - began)
    return Wrote(failed, error, took)


def _count(url: str, times: int) -> Wrote:
    db = Database.open(url)

    def one(conn: Any, _: int) -> None:
        state.put(conn, "trial", {"n": state.get(conn, "trial").get("n", 0) + 1})

    wrote = _transactions(db, times, one, lambda _: None)
    db.close()
    return wrote


def _per_transaction(rate: float) -> int:
    """Posts in each transaction: what comes in 50 ms."""
    return max(1, round(rate / 20))


def _write(url: str, seed: float, writer: int, rate: float, seconds: float) -> Wrote:
    """Add posts, ``rate`` a second, for so many seconds."""
    db, draw, each = Database.open(url), Random(seed), _per_transaction(rate)
    start = time.monotonic()

    def add(conn: Any, number: int) -> None:
        posts.add(conn, [_post(f"{writer}-{number}-{at}", draw) for at in range(each)])

    def pace(number: int) -> None:
        time.sleep(max(0.0, start + number * each / rate - time.monotonic()))

    wrote = _transactions(db, int(seconds * rate / each), add, pace)
    db.close()
    return wrote


def _read(url: str, seconds: float) -> Wrote:
    """Search, and read the newest changes, ten times a second."""
    db, took, until = Database.open(url), [], time.monotonic() + seconds
    engine = Embedded(db)
    while time.monotonic() < until:
        began = time.perf_counter()
        with db.read() as conn:
            changes.after(conn, max(0, changes.latest(conn) - 500), ("posts",), 500)
        engine.search(Query("fumée"), limit=20)
        took.append(time.perf_counter() - began)
        time.sleep(0.1)
    db.close()
    return Wrote(0, "", took)


def _post(name: str, draw: Random) -> Post:
    at = START + timedelta(seconds=draw.random())
    return Post(f"file:{name}", "file", " ".join(draw.choices(WORDS, k=20)), at, at)


def _last_error(wrote: Sequence[Wrote]) -> str:
    errors = [one.error for one in wrote if one.error]
    return f": {errors[-1]}" if errors else ""
