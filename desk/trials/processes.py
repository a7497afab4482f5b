"""Processes that run the real stages of one store, to be killed, stopped and started again."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path

import psutil

import vigie
from config.settings import settings
from config.world import World
from desk.trials.recorded import Decided, Understood
from desk.trials.scene import SOURCE
from store import leases, times
from store.database import Database
from store.holding import Holding
from store.owners import this_process
from store.records import Lease

SECRETS = {"VIGIE_SECRET": "a trial", "VIGIE_WEBHOOK_KEY": "a trial"}
GONE_S = 5.0
SEARCH_S = 60.0
QUIET = "ignore:resource_tracker:UserWarning"
"""Who is killed leaves semaphores behind: that is no news here."""


log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a trial's Vigie lives, and how: ``ttl_s`` is how long a lease lasts, ``pause_s`` how long collect rests
    between two parts of its sources, ``recorded`` whether time is that of the posts."""

    home: Path
    bundle: Path
    ttl_s: float = 10.0
    pause_s: float = 0.0
    recorded: bool = True
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The database."""
        return f"sqlite:///{self.home / 'vigie.db'}"

    def environment(self) -> dict[str, str]:
        """The settings and secrets of its processes."""
        here = {"VIGIE_HOME": str(self.home), "VIGIE_CONFIG": str(self.bundle), "VIGIE_DATABASE": self.url}
        return {**here, "VIGIE_STATUS": "Exercise", **SECRETS, **self.env}


def serve(place: Place, task: str, parent: int) -> None:
    """Run one of :func:`vigie.tasks` until killed: what a process of a trial does. ``parent`` is the trial's own id."""
    _move_in(place, task)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    db, stop = Database.open(place.url), threading.Event()
    house = vigie.House(settings(), db, _clock(place, task, db), stop, recorded=place.recorded)
    stages = [
        _resting(stage, place.pause_s) if stage.name == "collect" else stage
        for stage in vigie.tasks(house.settings)[task]
    ]
    ttl = timedelta(seconds=place.ttl_s)
    with Holding(db, [stage.name for stage in stages], this_process(task), times.now, stop, ttl=ttl) as holding:
        vigie.run_stages(stages, house, holding)


def search_for(place: Place, ahead: timedelta) -> None:
    """Let search fill the holes once, in a process of its own whose clock is ``ahead``. Raises RuntimeError."""
    process = _context().Process(target=_search, args=(place, ahead), name="search")
    process.start()
    process.join(SEARCH_S)
    if process.exitcode != 0:
        process.kill()
        raise RuntimeError(f"search ended with {process.exitcode}, see {place.home / 'search.log'}")


def _search(place: Place, ahead: timedelta) -> None:
    _move_in(place, "search")
    with closing(Database.open(place.url, clock=lambda: times.now() + ahead)) as db:
        vigie.search(vigie.House(settings(), db, lambda: times.now() + ahead))


def _move_in(place: Place, task: str) -> None:
    """Take up the settings, and write what is logged into a file."""
    os.environ.update(place.environment())
    with (place.home / f"{task}.log").open("a") as out:
        os.dup2(out.fileno(), 2)
    logging.basicConfig(level=logging.INFO, force=True)


def _process(task: str, target: Callable[..., None], args: tuple[object, ...], name: str) -> BaseProcess:
    """One that starts in a moment; the feeder needs no models, so that nobody need load them for it."""
    if task == vigie.INDEX.name:
        return get_context("spawn").Process(target=target, args=args, name=name)
    return _context().Process(target=target, args=args, name=name)


def _context() -> ForkServerContext:
    os.environ.setdefault("PYTHONWARNINGS", QUIET)
    context = get_context("forkserver")
    context.set_forkserver_preload(["desk.trials.warm"])
    return context


def _clock(place: Place, task: str, db: Database) -> Callable[[], datetime]:
    if place.recorded and task != "listen":
        return Understood(db, SOURCE) if task == "understand" else Decided(db)
    return times.now


def _resting(stage: vigie.Stage, seconds: float) -> vigie.Stage:
    """The stage, with a rest before each step, so that a file comes in little by little."""

    @contextmanager
    def opened(house: vigie.House) -> Iterator[vigie.Step]:
        with stage.open(house) as step:

            def rested(world: World, lease: Lease) -> int:
                house.stop.wait(seconds)
                return step(world, lease)

            yield rested

    return vigie.Stage(stage.name, opened) if seconds else stage


def _end_with(parent: int) -> None:
    while psutil.pid_exists(parent):
        time.sleep(1)
    os._exit(1)


@dataclass
class Processes:
    """The processes of a trial by name, which begins with the task: ``dispatch``, ``dispatch-2`` for a second one."""

    place: Place
    running: dict[str, BaseProcess] = field(default_factory=dict)

    def start(self, name: str) -> None:
        """Start a process; it takes up its work when the leases are free."""
        task = name.partition("-")[0]
        self.running[name] = _process(task, serve, (self.place, task, os.getpid()), name)
        self.running[name].start()

    def kill(self, name: str) -> float:
        """``kill -9`` a process; gives the moment (seconds of the monotonic clock)."""
        moment = time.monotonic()
        self.signal(name, signal.SIGKILL)
        self.running.pop(name).join(GONE_S)
        return moment

    def helpers(self, name: str) -> list[psutil.Process]:
        """The processes that this one started to share its work with."""
        try:
            found = psutil.Process(self.running[name].pid).children()
            return [one for one in found if any("spawn_main" in part for part in one.cmdline())]
        except psutil.NoSuchProcess:
            return []

    def signal(self, name: str, number: int) -> None:
        """Send a signal, unless the process has ended by itself."""
        process = self.running[name]
        if process.pid is not None and process.is_alive():
            os.kill(process.pid, number)

    def ended(self) -> list[str]:
        """Those that ended by themselves, as one does that lost its lease."""
        return [name for name, process in self.running.items() if not process.is_alive()]

    def holds(self, db: Database, name: str) -> bool:
        """Whether a process holds every lease of its task now."""
        process, task = self.running.get(name), name.partition("-")[0]
        if process is None or process.pid is None:
            return False
        with db.read() as conn:
            held = [leases.holder(conn, stage.name) for stage in vigie.TASKS[task]]
        mine = f":{process.pid}:{task}"
        return all(one is not None and one.owner.endswith(mine) and one.expires_at > times.now() for one in held)

    def end(self) -> None:
        """Kill them all."""
        for name in list(self.running):
            self.kill(name)


@contextmanager
def processes(place: Place, *names: str) -> Iterator[Processes]:
    """These processes, started; killed at the end of the block."""
    place.home.mkdir(parents=True, exist_ok=True)
    Database.open(place.url).close()
    crowd = Processes(place)
    try:
        for name in names:
            crowd.start(name)
        yield crowd
    finally:
        crowd.end()
