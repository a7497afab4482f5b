"""Two of each stage: the second stands by, and takes over from one that is stopped and wakes up again."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random

from desk.trials.play import TASKS, Harm, judged, play, undisturbed
from desk.trials.processes import Processes
from desk.trials.trial import Outcome
from store.database import Database

WRITE_S = 0.5
PAIRS = tuple(f"{task}{which}" for task in TASKS for which in ("", "-2"))


def two_of_each(draw: Random, work: Path, *, number: int = 1500, burning: int = 8) -> Outcome:
    """Two processes of each task, started together, make and send what one of each does."""
    with play(draw, work, number, burning) as each:
        expected, harm, look = undisturbed(each), Harm(), Look()
        made, receipts = each.run("pairs", harm, look, PAIRS)
    wrong = judged(expected, made, receipts, harm)
    told = f"{look.stood_by} of {len(TASKS)} second processes stood by; {len(expected['alerts'])} alerts as from one"
    return Outcome(
        "two of each stage", len(TASKS), len(TASKS) if wrong.none else 0, len(wrong.lost), len(wrong.doubled),
        said="; ".join(filter(None, [told, str(wrong)])),
    )  # fmt: skip


def stopped_holder(draw: Random, work: Path, *, number: int = 1500, burning: int = 8) -> Outcome:
    """Each holder is stopped for longer than its lease lasts, while another takes over; woken up, it must end."""
    with play(draw, work, number, burning) as each:
        expected, harm = undisturbed(each), Harm()
        pauser = Pauser(draw, harm, draw.sample(TASKS, len(TASKS)))
        made, receipts = each.run("stopped", harm, pauser, PAIRS)
    wrong = judged(expected, made, receipts, harm)
    told = f"{pauser.ended} of {len(TASKS)} ended when they woke up: the lease had a newer holder"
    return Outcome(
        "holder stopped beyond its lease, then woken", len(TASKS), pauser.ended if wrong.none else 0, len(wrong.lost),
        len(wrong.doubled), max(harm.back, default=None), "; ".join(filter(None, [told, str(wrong)])),
    )  # fmt: skip


@dataclass
class Look:
    """Notes that one of each pair holds the leases, and the other does not; does no harm."""

    busy: bool = True
    _seen: set[str] = field(default_factory=set)

    def __call__(self, crowd: Processes, db: Database) -> None:
        """Look once."""
        self._seen |= {task for task in TASKS if crowd.holds(db, task) != crowd.holds(db, f"{task}-2")}
        self.busy = len(self._seen) < len(TASKS)

    @property
    def stood_by(self) -> int:
        """How many tasks had one holder beside one that stood by."""
        return len(self._seen)


@dataclass
class Pauser:
    """Stops the holder of one task after the other; wakes it when the other of its pair has taken over."""

    draw: Random
    harm: Harm
    tasks: list[str]
    ended: int = 0
    _stopped: str = ""
    _process: BaseProcess | None = None
    _at: float = 0.0

    @property
    def busy(self) -> bool:
        """Whether somebody is still to be stopped."""
        return bool(self.tasks)

    def __call__(self, crowd: Processes, db: Database) -> None:
        """Stop, wake up, or see that it ended: one thing at a time."""
        if not self.tasks:
            return
        pair = (self.tasks[0], f"{self.tasks[0]}-2")
        if not self._stopped:
            self._stop(crowd, db, [name for name in pair if crowd.holds(db, name)])
            return
        other = pair[1] if self._stopped == pair[0] else pair[0]
        if self._at and crowd.holds(db, other):
            self.harm.back.append(time.monotonic() - self._at)
            crowd.signal(self._stopped, signal.SIGCONT)
            self._at = 0.0
        if not self._at and self._process and not self._process.is_alive():
            self.ended, self._stopped = self.ended + 1, ""
            self.tasks.pop(0)

    def _stop(self, crowd: Processes, db: Database, holders: list[str]) -> None:
        """Stop the holder, once it has worked for a moment drawn at random; in the middle of a write, another time.

        Who is stopped while it writes keeps SQLite's lock, and nobody can take over until it goes on or is killed.
        """
        if not holders or self.draw.random() >= 0.1:
            return
        at = time.monotonic()
        crowd.signal(holders[0], signal.SIGSTOP)
        if db.ailing(WRITE_S) == "busy":
            crowd.signal(holders[0], signal.SIGCONT)
        else:
            self._stopped, self._process, self._at = holders[0], crowd.running[holders[0]], at
