"""How soon the work goes on when a part of a whole installation is killed: `vigie run`, with Airflow or without."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

import psutil
from sqlalchemy import select

import vigie
from config.settings import ROOT
from desk.supervise import answers
from desk.trials.receivers import free_port
from desk.trials.scene import write_bundle
from desk.trials.trial import Outcome
from store import changes, leases, posts, times
from store.database import Database
from store.records import Post
from store.tables import sources

PORTS = ("DESK", "ACKNOWLEDGE", "STANDIN", "MAILBOX", "WEBHOOK", "AIRFLOW")
SOURCES = "{id: x, kind: x_stream}"
WORDS = (
    "cholet, merci, exercice, pompiers, bergerie, matin, incendie, entrepôt, préfecture, personnes, explosion, "
    "nuit, minutes, soir, heure, fumée, quartier, odeur, jour, route, gens, lundi, angers, saumur, café, enfants, maine"
)
FILTERS = f"{{id: words, purpose: Hear every post of the exercise, keywords: [{WORDS}], where: anywhere}}"
UP_S = 600.0
PATIENCE_S = 300.0
STEADY_S = 20.0
"""Airflow's API, once it answers, goes on loading with its first requests."""
SOON_S, SCHEDULER_S = 10.0, 60.0
TIMES = 4
SPEED = 4


@dataclass(frozen=True, slots=True)
class Part:
    """A part to be killed: how its process is found, which tasks must work again afterwards, and within what time;
    ``above``: they must have moved beneath the new process, for they outlive the old one until that takes them over."""

    words: str
    find: Callable[[Installation], psutil.Process]
    tasks: Sequence[str]
    soon_s: float = SOON_S
    above: bool = False


@dataclass
class Installation:
    """A running `vigie run` with its database; ``api``: where Airflow's API answers, "" without Airflow."""

    run: psutil.Process
    db: Database
    api: str = ""
    said: int = 0

    def say(self) -> None:
        """Put a post of our own beside those of the exercise, so that there is something to understand."""
        self.said, now = self.said + 1, times.now()
        with self.db.write() as conn:
            posts.add(conn, [Post(f"trial:{self.said}", "trial", f"Café numéro {self.said}", now, now, "fr")])

    def holder(self, task: str) -> int | None:
        """The process that holds every stage of a task and lives, if one does."""
        with self.db.read() as conn:
            held = [leases.holder(conn, stage.name) for stage in vigie.TASKS[task]]
        pids = {int(one.owner.split(":")[1]) for one in held if one and one.expires_at > times.now()}
        found = pids.pop() if len(pids) == 1 and all(held) else None
        return found if found and psutil.pid_exists(found) else None

    def whole(self) -> bool:
        """Whether nothing is still being mended: living processes hold every task, and Airflow's API answers."""
        return all(self.holder(task) for task in ALL) and (not self.api or answers(self.api))

    def moved(self, task: str) -> int:
        """A number that grows while a task has work; what dispatch does follows from the others."""
        with self.db.read() as conn:
            if task == "understand":
                return changes.cursor(conn, "annotate")
            return sum(conn.execute(select(sources.c.received)).scalars()) if task == "listen" else 0

    def task(self, name: str) -> psutil.Process:
        """The process that runs a task."""
        return psutil.Process(self.holder(name))

    def component(self, *words: str) -> psutil.Process:
        """The child of `vigie run` whose command line holds these words; Airflow's parts rename themselves, from
        ``api-server`` to ``api_server`` as an example. Raises LookupError."""
        for child in self.run.children():
            with suppress(psutil.Error):  # ended while we looked
                line = " ".join(child.cmdline()).replace("_", "-")
                if all(re.search(rf"{word}\b", line) for word in words):  # `watch`, not `watchdog`
                    return child
        raise LookupError(f"no process {' '.join(words)}")


def _parent(task: str) -> Callable[[Installation], psutil.Process]:
    def find(house: Installation) -> psutil.Process:
        parent = house.task(task).parent()
        assert parent
        return parent

    return find


ALL = tuple(vigie.TASKS)
WITH_AIRFLOW = (
    *(Part(f"task {task}", lambda house, task=task: house.task(task), (task,)) for task in ALL),  # type: ignore[misc]
    Part("Airflow's supervisor of understand", _parent("understand"), ("understand",)),
    Part("dag-processor", lambda house: house.component("airflow", "dag-processor"), ALL),
    Part("api-server", lambda house: house.component("airflow", "api-server"), ALL),
    Part("scheduler", lambda house: house.component("airflow", "scheduler"), ALL, SCHEDULER_S, above=True),
)
WITHOUT = (Part("vigie watch", lambda house: house.component("watch"), ALL),)


def with_airflow(draw: Random, work: Path, *, parts: Sequence[Part] = WITH_AIRFLOW, each: int = TIMES) -> Outcome:
    """Kill every part of an installation under Airflow, one after the other, ``each`` times."""
    return _tried("a part killed under Airflow", draw, work, parts, each, [])


def without_airflow(draw: Random, work: Path, *, each: int = TIMES) -> Outcome:
    """Kill `vigie watch`, ``each`` times."""
    return _tried("vigie watch killed", draw, work, WITHOUT, each, ["--no-airflow"])


def _tried(fault: str, draw: Random, work: Path, parts: Sequence[Part], each: int, arguments: Sequence[str]) -> Outcome:
    took: dict[str, list[float]] = {part.words: [] for part in parts}
    order = [part for part in parts for _ in range(each)]
    draw.shuffle(order)
    with installation(work, arguments) as house:
        for part in order:
            took[part.words].append(_kill(house, part))
            time.sleep(STEADY_S)
    soon = sum(second <= part.soon_s for part in parts for second in took[part.words])
    told = ", ".join(f"{words} {max(seconds):.1f} s" for words, seconds in took.items())
    longest = max(second for seconds in took.values() for second in seconds)
    return Outcome(fault, len(order), soon, longest_recovery_s=longest, said=f"back after at most: {told}")


def _kill(house: Installation, part: Part) -> float:
    """Seconds from the kill until the part is there again, its tasks are held by living processes, and move. Each kill
    meets a whole installation, so that no part answers for another."""
    _until(house.whole, PATIENCE_S, "all is mended")
    victim = part.find(house)
    before = {task: house.moved(task) for task in part.tasks}
    held = house.holder(part.tasks[0])
    began = time.monotonic()
    victim.kill()
    _until(lambda: not victim.is_running() or victim.status() == psutil.STATUS_ZOMBIE, 5, "it is dead")

    def back() -> bool:
        house.say()
        try:
            new = part.find(house)
            fresh = new != victim
            fresh = fresh and (len(part.tasks) > 1 or house.holder(part.tasks[0]) != held)  # an orphan is no successor
            fresh = fresh and not (part.above and any(new not in house.task(task).parents() for task in part.tasks))
        except (LookupError, psutil.Error, AssertionError):
            return False
        return fresh and all(
            house.holder(task) and (task == "dispatch" or house.moved(task) > before[task]) for task in part.tasks
        )

    _until(back, PATIENCE_S, f"{part.words} is back")
    return time.monotonic() - began


@contextmanager
def installation(work: Path, arguments: Sequence[str]) -> Iterator[Installation]:
    """`vigie run` on the bundled exercise, on free ports, once every task is held. Raises TimeoutError."""
    ports = {name: free_port() for name in PORTS}
    bundle = work / "bundle"
    write_bundle(bundle, mail=ports["MAILBOX"], webhook=ports["WEBHOOK"], sources=SOURCES, filters=FILTERS)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("VIGIE_", "X_BEARER"))}
    env |= {f"VIGIE_{name}_PORT": str(port) for name, port in ports.items()}
    env |= {
        "VIGIE_HOME": str(work),
        "VIGIE_CONFIG": str(bundle),
        "PYTHONPATH": str(ROOT),
        "VIGIE_DRILL_SPEED": str(SPEED),
    }
    with (work / "run.log").open("wb") as out:
        argv = [sys.executable, "-m", "desk.cli", "run", *arguments]
        run = subprocess.Popen(argv, env=env, stdout=out, stderr=out, start_new_session=True)
    try:
        _until(lambda: (work / "vigie.db").exists(), UP_S, "the database")
        api = "" if "--no-airflow" in arguments else f"http://127.0.0.1:{ports['AIRFLOW']}/api/v2/monitor/health"
        house = Installation(psutil.Process(run.pid), Database.open(f"sqlite:///{work / 'vigie.db'}"), api)
        _until(lambda: all(house.holder(task) for task in ALL), UP_S, "every task is held")
        _until(lambda: house.moved("understand") > 0, UP_S, "posts are understood")
        yield house
        house.db.close()
    finally:
        run.send_signal(signal.SIGTERM)
        run.wait(60)


def _until(condition: Callable[[], object], seconds: float, what: str) -> None:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.2)
