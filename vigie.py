"""The spine: how one post goes through the house. Everything that runs the stages calls this.

    collect ──Post──▶ annotate ──Annotation──▶ detect ──IncidentEvent──▶ route ──Alert, Delivery──▶ dispatch

Each stage is a function that takes the store, the world (the configuration in force) and its lease, does what has come
in since its cursor, and returns how much that was. Airflow runs the three :data:`TASKS`; ``vigie watch`` runs the same
three in one process; ``vigie replay`` runs the same functions on recorded posts.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from alerts.dispatch import dispatch_stage, senders
from alerts.router import route_stage
from config.publish import Configuration
from config.secrets import installation_key
from config.settings import Settings, settings
from config.world import World
from listeners.intake import Intake, search_sources
from nlp.annotate import Annotator, annotate_stage
from nlp.detect import Memory, detect_stage
from store import retention
from store.database import Database
from store.holding import Holding
from store.records import Lease

IDLE_S = 0.05

Step = Callable[[World, Lease], int]


def utc_now() -> datetime:
    """The clock of a real run: now, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class House:
    """What the stages stand on. ``stop`` ends every loop within a second or two."""

    settings: Settings
    db: Database
    clock: Callable[[], datetime] = utc_now
    stop: threading.Event = field(default_factory=threading.Event)


def open_house() -> House:
    """The house that the environment describes; makes and migrates the database on first use."""
    chosen = settings()
    return House(chosen, Database.open(chosen.database))


def collect(house: House) -> Step:
    """Posts from every source, as far as a filter wants them."""
    return Intake(house.db, house.settings, clock=house.clock, stop=house.stop).step


def annotate(house: House) -> Step:
    """What each post says."""
    annotator = Annotator()
    return lambda world, lease: annotate_stage(house.db, world, annotator=annotator, clock=house.clock, lease=lease)


def detect(house: House) -> Step:
    """Which posts tell the same incident, and what changed about it."""
    memory = Memory.load(house.db)
    return lambda world, lease: detect_stage(house.db, world, memory=memory, clock=house.clock, lease=lease)


def route(house: House) -> Step:
    """Who is told, and why."""
    return lambda world, lease: route_stage(house.db, world, clock=house.clock, lease=lease)


def dispatch(house: House) -> Step:
    """Send, retry, escalate."""
    key = installation_key(house.settings.home, "acknowledge")
    out = senders()
    return lambda world, lease: dispatch_stage(house.db, world, senders=out, key=key, clock=house.clock, lease=lease)


class Stage(NamedTuple):
    """A stage's name, which is also its lease's, and what makes its step."""

    name: str
    make: Callable[[House], Step]


STAGES = (
    Stage("collect", collect),
    Stage("annotate", annotate),
    Stage("detect", detect),
    Stage("route", route),
    Stage("dispatch", dispatch),
)

TASKS = {"listen": STAGES[:1], "understand": STAGES[1:4], "dispatch": STAGES[4:]}


def run_task(name: str, house: House | None = None, *, seconds: float = 0) -> None:
    """Hold the leases of one of :data:`TASKS` and run its stages until told to stop, or for so many seconds.

    Waits while another process holds a lease. Raises LeaseLost where one is taken away meanwhile.
    """
    house = house or open_house()
    owner = f"{socket.gethostname()}:{os.getpid()}:{name}"
    if seconds:
        threading.Timer(seconds, house.stop.set).start()
    with Holding(house.db, [stage.name for stage in TASKS[name]], owner, house.clock, house.stop) as holding:
        run_stages(TASKS[name], house, holding)


def run_stages(stages: Iterable[Stage], house: House, holding: Holding) -> None:
    """Run the stages in turn, each under its lease, on the newest configuration, until ``house.stop``."""
    steps = [(stage.name, stage.make(house)) for stage in stages]
    configuration = Configuration(house.db)
    while not house.stop.is_set():
        world = configuration.current()
        done = 0
        if world:
            done = sum(step(world, holding.lease(name)) for name, step in steps)
        if not done:
            house.stop.wait(IDLE_S)


def search(house: House | None = None) -> int:
    """Ask every search source once; returns how many posts were kept."""
    house = house or open_house()
    world = Configuration(house.db).current()
    return search_sources(house.db, world, house.settings, clock=house.clock) if world else 0


def retain(house: House | None = None) -> int:
    """Erase what is older than the bundle's retention; returns how many posts went."""
    house = house or open_house()
    world = Configuration(house.db).current()
    if not world:
        return 0
    now, keep = house.clock(), world.bundle.retention
    return retention.erase(house.db, now, timedelta(days=keep.posts_days), timedelta(days=keep.incidents_days))
