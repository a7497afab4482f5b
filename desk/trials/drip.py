"""A stage that writes posts one by one, under a real lease and :func:`vigie.run_stages`, while its world ails."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import vigie
from config.settings import settings
from config.world import World
from desk.trials.trial import Outcome
from store import config_versions, posts, times
from store.database import Database
from store.holding import Holding
from store.leases import LeaseLost
from store.records import Lease, Post

log = logging.getLogger(__name__)
AT = datetime(2026, 3, 2, tzinfo=UTC)
EVERY_S = 0.005
LONGEST_S = 60.0
BUNDLE = """
name: {fr: Épreuve, en: Trial}
default_lead: p
agencies: [{id: p, name: {fr: a, en: b}, kind: prefecture}]
"""


@dataclass
class Drip:
    """``number`` posts, written by one of ``holders`` holders of the stage; ``wrote`` has who wrote each, in order."""

    home: Path
    number: int
    clock: Callable[[], datetime] = times.now
    patience: float = 10.0
    wrote: list[str] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    stops: list[threading.Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.db = Database.open(f"sqlite:///{self.home / 'vigie.db'}", clock=self.clock, patience=self.patience)
        with self.db.write(durable=True) as conn:
            config_versions.publish(conn, {"b.yaml": BUNDLE}, "trial", AT)

    def stage(self, holder: str) -> vigie.Stage:
        """The stage as ``holder`` runs it: it lets go of a post only once it is committed."""

        @contextmanager
        def opened(_: vigie.House) -> Iterator[vigie.Step]:
            def step(_: World, lease: Lease) -> int:
                number = len(self.wrote)
                if number >= self.number:
                    return 0
                with self.db.write(lease=lease) as conn:
                    posts.add(conn, [Post(f"trial:{number}", "trial", "fumée", AT, AT)])
                self.wrote.append(holder)
                self.at.append(time.monotonic())
                time.sleep(EVERY_S)
                return 1

            yield step

        return vigie.Stage("collect", opened)

    @contextmanager
    def running(self, *holders: str) -> Iterator[None]:
        """The stage with these holders, of which one holds the lease and the others stand by."""
        threads = [threading.Thread(target=self._hold, args=(holder,), name=holder) for holder in holders]
        for thread in threads:
            thread.start()
        try:
            yield
            self._until_done()
        finally:
            for stop in self.stops:
                stop.set()
            for thread in threads:
                thread.join()
            self.db.close()

    def _hold(self, holder: str) -> None:
        house = vigie.House(settings({"VIGIE_HOME": str(self.home)}), self.db, clock=self.clock)
        self.stops.append(house.stop)
        try:
            with Holding(house.db, ["collect"], holder, house.clock, house.stop) as holding:
                vigie.run_stages([self.stage(holder)], house, holding)
        except LeaseLost as lost:
            log.warning("%s", lost)

    def _until_done(self) -> None:
        until = time.monotonic() + LONGEST_S
        while len(self.wrote) < self.number and time.monotonic() < until:
            time.sleep(0.05)

    def outcome(self, fault: str, times_tried: int, recoveries: list[float], said: str) -> Outcome:
        """What the store holds beside what was to be written."""
        db = Database.open(f"sqlite:///{self.home / 'vigie.db'}")
        with db.read() as conn:
            kept = conn.exec_driver_sql("SELECT count(*), count(DISTINCT id) FROM posts").one()
            well = conn.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
        db.close()
        survived = times_tried if well and kept[0] == self.number else 0
        return Outcome(
            fault, times_tried, survived, self.number - kept[1], len(self.wrote) - kept[1],
            max(recoveries, default=None), said,
        )  # fmt: skip

    def recovery(self, over: float) -> float:
        """Seconds from the moment ``over`` (monotonic), at which the fault ended, to the next post written."""
        return next((at - over for at in self.at if at > over), LONGEST_S)
