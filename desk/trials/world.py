"""The faults of the machine: a full disk, a locked or read-only database, a stepped clock, posts that kill a reader."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from config.settings import ROOT
from desk.trials import airflow_away
from desk.trials.drip import Drip
from desk.trials.trial import Outcome, Trial
from store import aside, posts, times
from store.database import Database
from store.records import Post

POSTS = 400
HELD_S = 12.0
STEP = timedelta(hours=1)
PREFIXES = (["unshare", "--mount"], ["unshare", "--mount", "--user", "--map-root-user"])
"""What gives a process a disk of its own, for root and for others."""


def locked(draw: Random, work: Path) -> Outcome:
    """Another process holds the database for longer than a write waits, and than a lease lasts."""
    drip = Drip(work, POSTS, patience=5.0)
    with drip.running("holder"), closing(sqlite3.connect(drip.db.file, isolation_level=None, timeout=30)) as other:
        time.sleep(draw.uniform(0.2, 1.0))
        other.execute("BEGIN IMMEDIATE")
        time.sleep(HELD_S)
        other.execute("ROLLBACK")
        over = time.monotonic()
    said = f"held for {HELD_S:g} s; the stage waited and went on"
    return drip.outcome("database locked by another", 1, [drip.recovery(over)], said)


class Stepped:
    """A clock that is set by ``by`` from now on, whenever :meth:`step` is called."""

    def __init__(self) -> None:
        self._off = timedelta()

    def __call__(self) -> datetime:
        """The time as this clock shows it."""
        return times.now() + self._off

    def step(self, by: timedelta) -> None:
        """Set the clock."""
        self._off += by


def clock(draw: Random, work: Path) -> Outcome:
    """The clock is set an hour forward, back, and back again, under one holder and one that stands by."""
    shown, recoveries = Stepped(), []
    drip = Drip(work, POSTS, clock=shown)
    steps = draw.sample((STEP, -STEP, -STEP, STEP), 4)
    with drip.running("first", "second"):
        for by in steps:
            time.sleep(draw.uniform(0.2, 0.5))
            shown.step(by)
            stepped = time.monotonic()
            while not any(at > stepped for at in drip.at) and time.monotonic() < stepped + 30:
                time.sleep(0.01)
            recoveries.append(drip.recovery(stepped))
    said = f"{len(set(drip.wrote))} of 2 holders wrote, never both at once"
    return drip.outcome("clock stepped by an hour, four times", len(steps), recoveries, said)


def full_disk(draw: Random, work: Path) -> Outcome:
    """The disk of the database is full for some seconds."""
    return _apart("full", draw, work, PREFIXES, "disk full")


def read_only(draw: Random, work: Path) -> Outcome:
    """The database loses the right to be written for some seconds; root is bound by it too."""
    bound = ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
    return _apart("read_only", draw, work, (bound,), "database read-only")


def _apart(what: str, draw: Random, work: Path, prefixes: tuple[list[str], ...], fault: str) -> Outcome:
    """The outcome of :mod:`desk.trials.storage`, run under the first prefix that this machine allows."""
    command = [sys.executable, "-m", "desk.trials.storage", what, str(work), str(draw.randrange(1 << 30))]
    for prefix in prefixes:
        if prefix and subprocess.run([*prefix, "true"], capture_output=True).returncode:
            continue
        done = subprocess.run(
            [*prefix, *command], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
        if done.returncode == 0:
            return Outcome(fault, **json.loads(done.stdout.splitlines()[-1]))
        return Outcome(fault, 1, 0, said=done.stderr.strip().splitlines()[-1])
    return Outcome(fault, 0, 0, said="not tried: this machine gives no process a disk of its own (unshare)")


def poison(draw: Random, work: Path) -> Outcome:
    """Posts that crash, hang or fill whatever reads them; the process is started again each time, as Airflow does."""
    texts = ["fumée"] * 60
    bad = dict(zip(draw.sample(range(len(texts)), 3), ("segfault", "hang", "greedy"), strict=True))
    for number, text in bad.items():
        texts[number] = text
    db = Database.open(f"sqlite:///{work / 'vigie.db'}")
    now = times.now()
    with db.write() as conn:
        posts.add(conn, [Post(f"trial:{n}", "trial", text, now, now) for n, text in enumerate(texts)])
    began = time.monotonic()
    endings: list[int] = []
    while len(endings) < 6 and (not endings or endings[-1] != 0):
        endings.append(_read(work))
    took = time.monotonic() - began
    with db.read() as conn:
        read = conn.exec_driver_sql("SELECT count(*) FROM annotations WHERE about IS NOT NULL").scalar_one()
        left_out = {one.key: one.reason for one in aside.newest(conn, 10)}
    db.close()
    survived = len(left_out) if set(left_out) == {f"trial:{number}" for number in bad} else 0
    deaths = ", ".join(signal.Signals(-code).name if code < 0 else f"exit {code}" for code in endings if code)
    said = f"set aside after {deaths}: {'; '.join(sorted(left_out.values()))}"
    lost = len(texts) - len(bad) - read
    return Outcome("poison posts: crash, hang, out of memory", len(bad), survived, lost, 0, took, said)


def _read(work: Path) -> int:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", "desk.trials.fragile", str(work)], env=env, capture_output=True
    ).returncode


def trials() -> tuple[Trial, ...]:
    """The faults of the machine."""
    made: tuple[tuple[str, Callable[[Random, Path], Outcome]], ...] = (
        ("disk-full", full_disk),
        ("read-only", read_only),
        ("locked", locked),
        ("clock", clock),
        ("poison", poison),
    )
    return (*(Trial(name, run) for name, run in made), Trial("airflow-away", airflow_away.api_hangs, slow=True))
