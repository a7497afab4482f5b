"""A play: an invented day of posts, run by real processes as often as a trial wants, each time in a new store."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Protocol

import psutil

from desk.trials import compare
from desk.trials.compare import Difference, Made
from desk.trials.processes import Place, Processes, processes
from desk.trials.receivers import Receipt, Receivers, receiving
from desk.trials.recorded import dealt_with
from desk.trials.scene import SOURCE, write_bundle, write_posts
from store.database import Database

TASKS = ("listen", "understand", "dispatch")
CALM_TTL_S, TTL_S = 10.0, 1.5
PAUSE_S = 0.4
SLOW_S = 0.15
LONGEST_S = 240.0
TICK_S = 0.02


@dataclass
class Harm:
    """What was done to the processes, and how soon their work went on.

    ``cut`` are the moments (seconds of the monotonic clock) at which a dispatch ended, be it that it was killed or that
    it lost its lease; ``orphans`` the helpers of those who were killed.
    """

    cut: list[float] = field(default_factory=list)
    back: list[float] = field(default_factory=list)
    orphans: list[psutil.Process] = field(default_factory=list)


class Meddler(Protocol):
    """Does harm while processes work."""

    @property
    def busy(self) -> bool:
        """Whether the play must not end yet."""
        ...

    def __call__(self, crowd: Processes, db: Database) -> None:
        """Look, and do harm where it is time."""
        ...


@dataclass(frozen=True)
class Play:
    """Posts, a bundle and receivers, on which several runs play."""

    work: Path
    receivers: Receivers

    def run(
        self, name: str, harm: Harm, meddler: Meddler | None = None, crew: Sequence[str] = TASKS
    ) -> tuple[Made, list[Receipt]]:
        """All that the processes ``crew`` made and sent while ``meddler`` disturbed them. Raises TimeoutError."""
        self.receivers.taken.clear()
        self.receivers.slow_s = SLOW_S if meddler else 0.0
        place = Place(self.work / name, self.work / "bundle", TTL_S if meddler else CALM_TTL_S, PAUSE_S)
        with processes(place, *crew) as crowd, closing(Database.open(place.url)) as db:
            _until_dealt_with(crowd, db, harm, meddler)
            made = compare.made(db)
        shutil.rmtree(place.home)
        return made, list(self.receivers.taken)


@contextmanager
def play(draw: Random, work: Path, number: int, burning: int) -> Iterator[Play]:
    """An invented day of ``number`` everyday posts and fires in ``burning`` towns, ready to be played."""
    posts = work / "posts.jsonl"
    write_posts(posts, draw, number, burning)
    with receiving(Random(draw.random())) as receivers:
        source = f"{{id: {SOURCE}, kind: file, settings: {{path: {posts}}}}}"
        write_bundle(work / "bundle", mail=receivers.mail_port, webhook=receivers.webhook_port, sources=source)
        yield Play(work, receivers)


def undisturbed(each: Play) -> Made:
    """What a run makes that nobody disturbs. Raises RuntimeError where even then a message is amiss."""
    made, receipts = each.run("undisturbed", Harm())
    wrong = judged(made, made, receipts, Harm())
    if not wrong.none:
        raise RuntimeError(f"without any harm the receivers did not get what was sent: {wrong}")
    return made


def judged(expected: Made, made: Made, receipts: Sequence[Receipt], harm: Harm) -> Difference:
    """All that differs from the undisturbed run, and every message that came too seldom or too often."""
    wrong = compare.difference(expected, made) + compare.twice(made)
    return wrong + compare.received(made, receipts, harm.cut)


def _until_dealt_with(crowd: Processes, db: Database, harm: Harm, meddler: Meddler | None) -> None:
    """Let the processes work until all is dealt with; those that end by themselves are started again."""
    until = time.monotonic() + LONGEST_S
    while not dealt_with(db, SOURCE) or (meddler and meddler.busy):
        if time.monotonic() > until:
            raise TimeoutError(f"not all was dealt with {LONGEST_S:.0f} s after the beginning")
        if meddler:
            meddler(crowd, db)
        for name in crowd.ended():
            harm.cut += [time.monotonic()] if name.startswith("dispatch") else []
            crowd.start(name)
        time.sleep(TICK_S)
