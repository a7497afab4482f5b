"""Every declared source, kept open and emptied: what the collect stage does."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from config.bundle import Source
from config.publish import FolderWatch
from config.secrets import secret
from config.settings import Settings
from config.world import World
from listeners import budget, gaps, health, logbook
from listeners.authors import AuthorKeys
from listeners.collect import collect
from listeners.incoming import Incoming, Listener
from listeners.recording import Recording
from listeners.x_memory import stage_of
from listeners.x_search import XSearch
from listeners.x_stream import XStream
from store import gaps as holes
from store import sources, state
from store.database import Database
from store.leases import LeaseLost
from store.records import Lease

log = logging.getLogger(__name__)
WAIT_S = 0.2
LOOK = timedelta(seconds=2)
RATION = timedelta(seconds=5)
UNDECLARED = "no longer declared, or not enabled"


class Intake:
    """Publishes the configuration when its files change, and collects from every enabled source of it.

    ``recorded``: posts of files count as received when they were written.
    """

    def __init__(
        self,
        db: Database,
        settings: Settings,
        *,
        clock: Callable[[], datetime],
        stop: threading.Event,
        recorded: bool = False,
    ) -> None:
        self._db, self._settings, self._clock, self._stop, self._recorded = db, settings, clock, stop, recorded
        self._keys = AuthorKeys.of_home(settings.home)
        self._folder = FolderWatch(db, settings.config)
        self._look_at = clock()
        self._listeners: dict[str, Listener] = {}
        self._situation: tuple[str, frozenset[str], frozenset[str]] | None = None
        self._rationed_at = clock() - RATION
        self.publish()

    def publish(self) -> None:
        """Publish the bundle's folder where it changed; a bad one is refused, and shown as a source that is off."""
        now = self._clock()
        if now < self._look_at <= now + LOOK:  # further off than that, the clock was put back
            return
        self._look_at = now + LOOK
        faults = self._folder.look(now)
        if faults is None:
            return
        errors = [str(fault) for fault in faults if fault.level == "error"]
        for error in errors:
            log.error("configuration refused: %s", error)
        reason = f"refused, the one before stays in force: {errors[0]}" if errors else ""
        with self._db.write() as conn:
            health.set_state(conn, health.CONFIGURATION, "off" if errors else "on", reason, now)

    def step(self, world: World, lease: Lease) -> int:
        """One round over the sources; returns how many posts came."""
        self.publish()
        self._ration(world, lease)
        return sum(self._empty(name, listener, world, lease) for name, listener in self._listeners.items())

    def close(self) -> None:
        """Let go of every connection."""
        for listener in self._listeners.values():
            listener.close()
        self._listeners = {}

    def _empty(self, name: str, listener: Listener, world: World, lease: Lease) -> int:
        try:
            came = collect(
                self._db,
                world,
                listener.posts(),
                source=name,
                clock=self._clock,
                key=self._keys,
                lease=lease,
                status=self._settings.status or "Actual",
                place=listener.keep_place if isinstance(listener, Recording) else None,
            )
        except (SQLAlchemyError, LeaseLost):
            if isinstance(listener, Recording):
                listener.again()
            raise
        if isinstance(listener, XStream):
            listener.note()
        return came.received

    def _ration(self, world: World, lease: Lease) -> None:
        """Take up a new configuration, and what the budgets of paid sources allow: a spent one goes off."""
        now = self._clock()
        known = self._situation and self._situation[0] == world.version
        if known and abs(now - self._rationed_at) < RATION:
            return
        self._rationed_at = now
        with self._db.read() as conn:
            budgets = budget.spending(conn, world.bundle, now)
        spent = {id: budget.reason(one) for one in budgets if one.spent for id in one.sources}
        slowed = frozenset(name for one in budgets for name in one.slowed)
        situation = (world.version, slowed, frozenset(spent))
        if situation != self._situation:
            self._adopt(budget.rationed(world, slowed), lease, spent)
            self._situation = situation

    def _adopt(self, world: World, lease: Lease, spent: Mapping[str, str]) -> None:
        """Streams that stay are told of the new filters; what is no longer declared is closed, and deaf to nobody;
        what is ``spent`` is closed for that reason, and deaf to everybody."""
        declared = {one.id: one for one in world.bundle.sources if one.enabled and one.kind in ("x_stream", "file")}
        for name in [name for name in self._listeners if name not in declared]:
            gone = self._listeners.pop(name)
            if isinstance(gone, XStream):
                gone.close(wanted=False)
                continue
            gone.close()
            with self._db.write() as conn:
                health.set_state(conn, name, "off", UNDECLARED, self._clock())
        self._forget_streams(world, lease)
        for name in [name for name in declared if name in spent]:
            self._end_spent(name, spent[name], world, lease)
            del declared[name]
        for name, source in declared.items():
            known = self._listeners.get(name)
            if isinstance(known, XStream):
                known.adopt(world)
            elif known is None:
                self._listeners[name] = self._open(source, world, lease)

    def _forget_streams(self, world: World, lease: Lease) -> None:
        """Streams that were known and that nobody declares or enables any more, also since before this process."""
        enabled = {one.id for one in world.bundle.sources if one.enabled}
        with self._db.write(lease=lease) as conn:
            for name in {known.source for known in sources.all(conn)} - enabled:
                if state.get(conn, stage_of(name)):
                    health.set_state(conn, name, "off", UNDECLARED, self._clock())
                    logbook.forget(conn, name, self._clock())

    def _end_spent(self, name: str, reason: str, world: World, lease: Lease) -> None:
        """Close a source whose budget is spent; what it would have heard from now on is a hole."""
        deaf = [one.id for one in world.bundle.filters if one.stream]
        with self._db.write(lease=lease) as conn:
            holes.begin(conn, name, self._clock(), reason, deaf)
        if name in self._listeners:
            self._listeners.pop(name).close()
        with self._db.write(lease=lease) as conn:
            health.set_state(conn, name, "off", reason, self._clock())

    def _open(self, source: Source, world: World, lease: Lease) -> XStream | Recording:
        if source.kind == "file":
            return Recording(source, self._db, self._clock, recorded=self._recorded)
        return XStream(
            source.id, self._db, world, token=token_of(source), base_url=self._settings.x_base_url,
            clock=self._clock, rng=Random(), lease=lease, wait_seconds=WAIT_S,
        )  # fmt: skip


def token_of(source: Source) -> Callable[[], str]:
    """What gives the bearer token of a source when it is asked for; raises MissingSecret then."""
    name = source.secrets.get("bearer_token", "X_BEARER_TOKEN")
    return lambda: secret(name)


def search_sources(
    db: Database,
    world: World,
    settings: Settings,
    *,
    clock: Callable[[], datetime],
    stop: threading.Event | None = None,
) -> int:
    """Fill the holes, then ask every enabled search source once; returns how many posts were new and kept.

    Once ``stop`` is set, no further query is asked; the next run goes on where this one ended.
    """
    key, status = AuthorKeys.of_home(settings.home), settings.status or "Actual"
    filled = gaps.fillers(db, world)
    kept = 0
    for source in world.bundle.sources:
        if source.kind == "x_search" and source.enabled:
            listener = XSearch(
                source.id, db, world, token=token_of(source), base_url=settings.x_base_url, clock=clock, stop=stop
            )  # fmt: skip

            def keep(some: Iterable[Incoming], mark: Callable[[Connection], None], id: str = source.id) -> int:
                came = collect(db, world, some, source=id, clock=clock, key=key, status=status, mark=mark)
                return came.kept

            kept += gaps.fill(listener, [name for name, filler in filled.items() if filler == source.id], keep)
            kept += keep(listener.posts(), listener.mark)
    gaps.give_up(db, world, filled, clock())
    return kept
