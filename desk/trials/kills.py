"""``kill -9`` at random instants, on a file of posts: all must be as if nobody had been killed."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import psutil

from desk.trials.compare import Difference
from desk.trials.play import TASKS, Harm, judged, play, undisturbed
from desk.trials.processes import Processes
from desk.trials.trial import Outcome
from store.database import Database

EACH = 8


def on_a_file(draw: Random, work: Path, *, kills: int = 300, number: int = 2500, burning: int = 12) -> Outcome:
    """Kill any of collect, understanding (and its helpers) and dispatch at random, in rounds of a few kills each."""
    rounds, done, survived, again, harm, found = 0, 0, 0, 0, Harm(), Difference()
    with play(draw, work, number, burning) as each:
        expected = undisturbed(each)
        while done < kills:
            killer = Killer(draw, harm, min(EACH, kills - done))
            rounds, planned = rounds + 1, killer.left
            made, receipts = each.run(f"round-{rounds}", harm, killer)
            wrong = judged(expected, made, receipts, harm)
            done += planned - killer.left
            survived += planned - killer.left if wrong.none else 0
            again += len(receipts) - len({one.key for one in receipts})
            found += wrong
    sizes = f"{len(expected['posts'])} posts, {len(expected['alerts'])} alerts, {len(expected['deliveries'])} messages"
    told = f"{sizes} in each of {rounds} runs; {again} messages came twice, with their key"
    return Outcome(
        "kill -9 at random instants, file replay", done, survived, len(found.lost),
        len(found.doubled) + len(_orphans(harm)), max(harm.back, default=None),
        "; ".join(filter(None, [told, str(found)])),
    )  # fmt: skip


@dataclass
class Killer:
    """Kills one process, some, or all, or once a helper alone, ``left`` times in all; starts those again at once.

    A post whose helper dies is read again in a process of its own; killed there as well, it is set aside: hence once.
    """

    draw: Random
    harm: Harm
    left: int
    busy: bool = False
    _helped: bool = False
    _at: float = field(default_factory=time.monotonic)
    _waiting: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._at += self._while()

    def __call__(self, crowd: Processes, db: Database) -> None:
        """Strike where it is time, and note who is back."""
        if self.left and time.monotonic() >= self._at:
            self._strike(crowd)
            self.left, self._at = self.left - 1, time.monotonic() + self._while()
        for name in [name for name in self._waiting if crowd.holds(db, name)]:
            self.harm.back.append(time.monotonic() - self._waiting.pop(name))

    def _while(self) -> float:
        """Seconds until the next kill: often at once, seldom long."""
        return 0.02 + self.draw.expovariate(1 / 0.9)

    def _strike(self, crowd: Processes) -> None:
        victims = [name for name in TASKS if self.draw.random() < 0.45] or [self.draw.choice(TASKS)]
        alone, helpers = self.draw.random() < 0.2, crowd.helpers("understand")
        if alone and helpers and not self._helped:
            helpers[0].kill()
            self._helped = True
            return
        self.harm.orphans += helpers if "understand" in victims else []
        for name in victims:
            self._waiting[name] = crowd.kill(name)
        self.harm.cut += [self._waiting["dispatch"]] if "dispatch" in victims else []
        for name in victims:
            crowd.start(name)


def _orphans(harm: Harm) -> list[psutil.Process]:
    """The helpers that still work though their process was killed long ago."""
    return psutil.wait_procs(harm.orphans, timeout=5)[1]
