"""The spine: how one post goes through the house. Everything that runs the stages calls this.

    collect ──Post──▶ annotate ──Annotation──▶ detect ──IncidentEvent──▶ route ──Alert, Delivery──▶ dispatch

Each stage is a function that takes the store, the world (the configuration in force) and its lease, does what has come
in since its cursor, and returns how much that was. Airflow runs the three :data:`TASKS`; ``vigie watch`` runs the same
three in one process; ``vigie replay`` runs the same functions on recorded posts.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import NamedTuple

from alerts.anchoring import Anchoring
from alerts.dispatch import Dispatcher, senders
from alerts.router import READS as ROUTE_READS
from alerts.router import route_stage
from config.publish import Configuration
from config.secrets import installation_key
from config.settings import Settings, settings
from config.world import World
from listeners import x_compliance
from listeners.intake import Intake, search_sources
from nlp.alone import Alone
from nlp.annotate import Annotator, annotate_stage
from nlp.crew import Crew
from nlp.detect import Memory, detect_stage
from nlp.detect.stage import TABLES as DETECT_READS
from nlp.geocode import Geocoder
from nlp.wary import wary
from store import changes, retention, times
from store.database import Database
from store.holding import Holding
from store.index.families import TABLES as INDEXED
from store.leases import LeaseExpired
from store.meter import Meter
from store.owners import this_process
from store.records import Lease
from store.trouble import Patience

IDLE_S = 0.05

Step = Callable[[World, Lease], int]


@dataclass(frozen=True)
class House:
    """What the stages stand on. ``stop`` ends every loop within a second or two.

    ``recorded``: posts of files count as received when they were written, and ``clock`` tells their time.
    """

    settings: Settings
    db: Database
    clock: Callable[[], datetime] = times.now
    stop: threading.Event = field(default_factory=threading.Event)
    recorded: bool = False


def open_house() -> House:
    """The house that the environment describes; makes and migrates the database on first use."""
    chosen = settings()
    return House(chosen, Database.open(chosen.database))


def prepare() -> None:
    """Load the models in this process, for all that are forked from it."""
    Annotator().ready()


@contextmanager
def collect(house: House) -> Iterator[Step]:
    """Posts from every source, as far as a filter wants them."""
    intake = Intake(house.db, house.settings, clock=house.clock, stop=house.stop, recorded=house.recorded)
    with closing(intake):
        yield intake.step


@contextmanager
def annotate(house: House) -> Iterator[Step]:
    """What each post says."""
    db, clock = house.db, house.clock
    outside = lru_cache(1)(lambda declared: declared and Geocoder(declared, db, clock))
    with closing(Crew()) as crew, closing(Alone()) as alone, wary(db, crew, alone) as reader:
        threading.Thread(target=crew.ready, name="models", daemon=True).start()  # most posts need no deep reading
        yield lambda world, lease: annotate_stage(
            db, world, annotator=reader, clock=clock, lease=lease, geocoder=outside(world.bundle.geocoder)
        )


@contextmanager
def detect(house: House) -> Iterator[Step]:
    """Which posts tell the same incident, and what changed about it."""
    memory = Memory.load(house.db)

    def step(world: World, lease: Lease) -> int:
        if not house.recorded:
            memory.follow(house.clock())
        return detect_stage(house.db, world, memory=memory, clock=house.clock, lease=lease)

    yield step


@contextmanager
def route(house: House) -> Iterator[Step]:
    """Who is told, and why."""
    yield lambda world, lease: route_stage(house.db, world, clock=house.clock, lease=lease)


@contextmanager
def dispatch(house: House) -> Iterator[Step]:
    """Send, retry, escalate, and write the ledger's head down outside."""
    home = house.settings.home
    key, seal = installation_key(home, "acknowledge"), installation_key(home, "anchor")
    anchors = Anchoring(home, seal)
    with closing(Dispatcher(house.db, senders=senders(), clock=house.clock, key=key, anchors=anchors)) as out:
        yield out.step


@contextmanager
def index(house: House) -> Iterator[Step]:
    """What changes, brought into the search index; what may not be kept any longer, dropped there."""
    from store.index.feed import Feeder  # the client of Elasticsearch takes a third of a second to load

    assert house.settings.cluster, "only where there is a cluster"
    with closing(Feeder(house.db, house.settings.cluster, house.clock, wait=house.stop.wait)) as feeder:
        yield lambda world, lease: feeder.step(lease, _ages(world).of_families())


class Stage(NamedTuple):
    """A stage's name, which is also its lease's, and what opens its step, and closes it when the loop ends."""

    name: str
    open: Callable[[House], AbstractContextManager[Step]]


STAGES = (
    Stage("collect", collect),
    Stage("annotate", annotate),
    Stage("detect", detect),
    Stage("route", route),
    Stage("dispatch", dispatch),
)

READERS = {
    "annotate": ("posts",),
    "detect": DETECT_READS,
    "route": ROUTE_READS,
}
"""The tables whose changes a stage reads: the change log keeps them until it has."""

TASKS = {"listen": STAGES[:1], "understand": STAGES[1:4], "dispatch": STAGES[4:]}

INDEX = Stage("index", index)
"""What feeds the search index, where the settings name a cluster: a task of its own, so that no alert ever waits for
it."""


def tasks(chosen: Settings) -> dict[str, tuple[Stage, ...]]:
    """The tasks that this installation runs: :data:`TASKS`, and the index where there is a cluster."""
    return TASKS | ({INDEX.name: (INDEX,)} if chosen.cluster else {})


def readers(chosen: Settings) -> dict[str, Collection[str]]:
    """Who reads the change log in this installation: :data:`READERS`, and the index where there is a cluster."""
    return READERS | ({INDEX.name: INDEXED} if chosen.cluster else {})


def run_task(name: str, house: House | None = None, *, seconds: float = 0) -> None:
    """Hold the leases of one of :func:`tasks` and run its stages until told to stop, or for so many seconds.

    Waits while another process holds a lease, or while the database cannot be opened. Raises LeaseLost where a lease
    is taken away meanwhile.
    """
    house = house or Patience(threading.Event()).outlast(open_house)
    assert house, "nobody can tell this patience to stop"
    if seconds:
        threading.Timer(seconds, house.stop.set).start()
    stages = tasks(house.settings)[name]
    with Holding(house.db, [stage.name for stage in stages], this_process(name), house.clock, house.stop) as holding:
        run_stages(stages, house, holding)


def run_stages(stages: Sequence[Stage], house: House, holding: Holding) -> None:
    """Run the stages in turn, each under its lease, on the newest configuration, until ``house.stop``.

    While the disk is full, or the database is locked or cannot be written, they wait with what they hold.
    """
    configuration, patience = Configuration(house.db), Patience(house.stop)
    meter = Meter(house.db, house.clock)
    meter.note({stage.name: 0 for stage in stages})
    with ExitStack() as opened:
        steps: dict[str, Step] = {}

        def turn() -> int:
            for stage in stages:
                if stage.name not in steps:
                    steps[stage.name] = opened.enter_context(stage.open(house))
            world = configuration.current()
            done = {name: step(world, holding.lease(name)) if world else 0 for name, step in steps.items()}
            return meter.note(done, house.settings.status or (world.bundle.status if world else "Actual"))

        while not house.stop.is_set():
            try:
                done = patience.outlast(turn)
            except LeaseExpired:  # nobody took it: the disk was full for long, or the clock was stepped
                done = patience.outlast(holding.renew)
            if not done:
                house.stop.wait(IDLE_S)


def search(house: House | None = None) -> int:
    """Fill the holes and ask every search source, where a round is due; returns how many posts were kept."""
    house = house or open_house()
    world = Configuration(house.db).current()
    return search_sources(house.db, world, house.settings, clock=house.clock, stop=house.stop) if world else 0


def retain(house: House | None = None) -> int:
    """Erase what is older than the bundle's retention; returns how many posts went."""
    house = house or open_house()
    world = Configuration(house.db).current()
    if not world:
        return 0
    if not house.settings.cluster:
        changes.forget(house.db, INDEX.name)
    return retention.erase(house.db, house.clock(), _ages(world), readers(house.settings))


def _ages(world: World) -> retention.Ages:
    """How long each class of data is kept."""
    keep, order = world.bundle.retention, world.bundle.public_order
    return retention.Ages(
        posts=timedelta(days=keep.posts_days),
        incidents=timedelta(days=keep.incidents_days),
        threats=timedelta(days=order.keep_days) if order else timedelta(),
        counts=timedelta(days=keep.counts_days),
        changes=timedelta(days=keep.changes_days),
    )


def comply(house: House | None = None) -> int:
    """Ask X, once a day, what it took back of the posts that are kept; returns how many went."""
    house = house or open_house()
    world = Configuration(house.db).current()
    return x_compliance.comply(house.db, world, house.settings, clock=house.clock, stop=house.stop) if world else 0


class Schedule(NamedTuple):
    """What runs now and then rather than all the time: a DAG of Airflow, or a turn of ``vigie watch``."""

    name: str
    every: timedelta
    run: Callable[[House], int]


SCHEDULES = (
    Schedule("search", timedelta(minutes=1), search),
    Schedule("retention", timedelta(days=1), retain),
    Schedule("compliance", timedelta(minutes=10), comply),
)


def run_schedules(house: House) -> None:
    """Run each of :data:`SCHEDULES` at once and whenever it is due, until ``house.stop``; an ailing database is waited
    for, as in the stages."""
    patience = Patience(house.stop)
    due = dict.fromkeys((schedule.name for schedule in SCHEDULES), time.monotonic())
    while not house.stop.wait(1):
        for schedule in SCHEDULES:
            if time.monotonic() >= due[schedule.name]:
                due[schedule.name] = time.monotonic() + schedule.every.total_seconds()
                patience.outlast(partial(schedule.run, house))
