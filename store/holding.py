"""Holding leases while stages run: a heartbeat renews them, and ends the run when a parent died or a lease was lost."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType

import psutil

from store.database import Database
from store.leases import LeaseLost, acquire, holder, release, resume
from store.owners import gone
from store.records import Lease
from store.trouble import FAULTS, Patience, ailment

log = logging.getLogger(__name__)

TTL = timedelta(seconds=10)
BEAT_S = 1.0


class Holding:
    """A context in which this process holds the leases of some stages.

    Entering waits until every lease is free (or ``stop`` is set) and logs who holds it; one whose process is gone is
    taken at once. A background thread renews them every second, or four times in each ``ttl``. When the Airflow process
    above this one dies, ``stop`` is set, so that no orphan works on.
    """

    def __init__(
        self,
        db: Database,
        stages: Sequence[str],
        owner: str,
        clock: Callable[[], datetime],
        stop: threading.Event,
        *,
        ttl: timedelta = TTL,
    ) -> None:
        self._db, self._stages, self._owner, self._clock, self._stop, self._ttl = db, stages, owner, clock, stop, ttl
        self._leases: dict[str, Lease] = {}
        self._lost: LeaseLost | None = None
        self._ancestors = _airflow_ancestors()
        self._done = threading.Event()
        self._beat = threading.Thread(target=self._keep, name="leases", daemon=True)

    def __enter__(self) -> Holding:
        patience = Patience(self._stop)
        for stage in self._stages:
            patience.outlast(partial(self._wait_for, stage))
        self._beat.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._beat.join(timeout=5)
        for lease in self._leases.values():
            try:
                release(self._db, lease)
            except FAULTS as fault:
                if ailment(fault) is None:
                    raise
                log.warning("the lease of %s could not be given back and runs out by itself: %s", lease.stage, fault)

    def lease(self, stage: str) -> Lease:
        """The lease of that stage. Raises LeaseLost once it could not be renewed."""
        if self._lost:
            raise self._lost
        return self._leases[stage]

    def _wait_for(self, stage: str) -> None:
        said: str | None = None
        while not self._stop.is_set():
            lease = acquire(self._db, stage, self._owner, self._clock(), self._ttl)
            if lease:
                self._leases[stage] = lease
                return
            with self._db.read() as conn:
                other = holder(conn, stage)
            if other and gone(other.owner):
                log.warning("%s was run by %s, which is gone: taking over", stage, other.owner)
                release(self._db, other)
                continue
            if other and other.owner != said:
                said = other.owner
                log.warning("%s is run by %s: standing by", stage, other.owner)
            self.renew()
            self._stop.wait(0.5)

    def _keep(self) -> None:
        while not self._done.wait(min(BEAT_S, self._ttl.total_seconds() / 4)):
            if not all(process.is_running() for process in self._ancestors):
                self._stop.set()  # first: the log went to the process that is gone
                log.warning("the Airflow process above this task is gone: ending")
            try:
                self.renew()
            except LeaseLost as lost:
                self._lost = lost
                self._stop.set()
            except FAULTS as fault:
                if ailment(fault) is None:
                    raise
                log.warning("the leases could not be renewed: %s", getattr(fault, "orig", None) or fault)

    def renew(self) -> None:
        """Prolong every lease, also one that ran out while nobody took it. Raises LeaseLost where somebody did."""
        now = self._clock()
        for stage, lease in list(self._leases.items()):
            self._leases[stage] = resume(self._db, lease, now, self._ttl)


def _airflow_ancestors() -> list[psutil.Process]:
    """The Airflow processes above this one, which must live for it to go on."""
    above = []
    for process in psutil.Process().parents():
        with suppress(psutil.Error):  # gone or not ours to look at: not one to watch
            if "airflow" in " ".join(process.cmdline()):
                above.append(process)
    return above
