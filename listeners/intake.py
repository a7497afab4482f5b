"""Every declared source, kept open and emptied: what the collect stage does."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random

from config.bundle import Source
from config.publish import FolderWatch
from config.secrets import secret
from config.settings import Settings
from config.world import World
from listeners import health
from listeners.authors import AuthorKeys
from listeners.collect import BATCH, collect
from listeners.incoming import Incoming, Listener
from listeners.replay import BadLine, Replay
from listeners.x_search import XSearch
from listeners.x_stream import XStream
from store.database import Database
from store.records import Lease, SourceState

log = logging.getLogger(__name__)
WAIT_S = 0.2
LOOK = timedelta(seconds=2)


class Recording:
    """A declared file of posts that is read once, a part at each call; how that goes is told under ``source``."""

    def __init__(self, source: Source, db: Database, clock: Callable[[], datetime]) -> None:
        self._id, self._db, self._clock = source.id, db, clock
        path = str(source.settings.get("path", ""))
        self._posts: Iterator[Incoming] | None = Replay([Path(path)], report=_report).posts() if path else None
        if not path:
            self._say("off", "settings.path does not say which file to read")

    def posts(self, since: datetime | None = None) -> Iterator[Incoming]:  # noqa: ARG002 -- all of the file is wanted
        """The next posts of the file, at most 500."""
        if self._posts is None:
            return iter(())
        try:
            some = list(islice(self._posts, BATCH))
        except OSError as error:
            self._end("off", f"the file cannot be read: {error}")
            return iter(())
        if not some:
            self._end("off", "read to its end")
        return iter(some)

    def close(self) -> None:
        """Nothing is held open between calls but the file, which goes with its reader."""

    def _end(self, kind: SourceState, reason: str) -> None:
        self._posts = None
        self._say(kind, reason)

    def _say(self, kind: SourceState, reason: str) -> None:
        with self._db.write() as conn:
            health.set_state(conn, self._id, kind, reason, self._clock())


def _report(line: BadLine) -> None:
    log.warning("%s", line)


class Intake:
    """Publishes the configuration when its files change, and collects from every enabled source of it."""

    def __init__(
        self, db: Database, settings: Settings, *, clock: Callable[[], datetime], stop: threading.Event
    ) -> None:
        self._db, self._settings, self._clock, self._stop = db, settings, clock, stop
        self._keys = AuthorKeys.of_home(settings.home)
        self._folder = FolderWatch(db, settings.config)
        self._look_at = clock()
        self._listeners: dict[str, Listener] = {}
        self._version = ""
        self.publish()

    def publish(self) -> None:
        """Publish the bundle's folder where it changed; a bad one is refused, and shown as a source that is off."""
        if (now := self._clock()) < self._look_at:
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
        if world.version != self._version:
            self._adopt(world)
        return sum(self._empty(name, listener, world, lease) for name, listener in self._listeners.items())

    def close(self) -> None:
        """Let go of every connection."""
        for listener in self._listeners.values():
            listener.close()
        self._listeners = {}

    def _empty(self, name: str, listener: Listener, world: World, lease: Lease) -> int:
        came = collect(
            self._db,
            world,
            listener.posts(),
            source=name,
            clock=self._clock,
            key=self._keys,
            lease=lease,
            status=self._settings.status or "Actual",
        )
        return came.received

    def _adopt(self, world: World) -> None:
        """Streams that stay are told of the new filters; what is no longer declared is closed."""
        self._version = world.version
        declared = {one.id: one for one in world.bundle.sources if one.enabled and one.kind in ("x_stream", "file")}
        for name in [name for name in self._listeners if name not in declared]:
            self._listeners.pop(name).close()
            with self._db.write() as conn:
                health.set_state(conn, name, "off", "no longer declared, or not enabled", self._clock())
        for name, source in declared.items():
            known = self._listeners.get(name)
            if isinstance(known, XStream):
                known.adopt(world)
            elif known is None:
                self._listeners[name] = self._open(source, world)

    def _open(self, source: Source, world: World) -> XStream | Recording:
        if source.kind == "file":
            return Recording(source, self._db, self._clock)
        return XStream(
            source.id, self._db, world, token=token_of(source), base_url=self._settings.x_base_url,
            clock=self._clock, rng=Random(), wait_seconds=WAIT_S,
        )  # fmt: skip


def token_of(source: Source) -> Callable[[], str]:
    """What gives the bearer token of a source when it is asked for; raises MissingSecret then."""
    name = source.secrets.get("bearer_token", "X_BEARER_TOKEN")
    return lambda: secret(name)


def search_sources(db: Database, world: World, settings: Settings, *, clock: Callable[[], datetime]) -> int:
    """Ask every enabled search source once; returns how many posts were new and kept."""
    kept = 0
    for source in world.bundle.sources:
        if source.kind == "x_search" and source.enabled:
            listener = XSearch(source.id, db, world, token=token_of(source), base_url=settings.x_base_url, clock=clock)
            came = collect(
                db, world, listener.posts(), source=source.id, clock=clock, key=AuthorKeys.of_home(settings.home),
                status=settings.status or "Actual", mark=listener.mark,
            )  # fmt: skip
            kept += came.kept
    return kept
