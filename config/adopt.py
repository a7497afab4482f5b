"""Taking up a changed configuration while running: one process publishes a folder, all stages adopt what it says."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from config.load import Fault
from config.publish import publish_folder
from config.world import World
from store import config_versions

if TYPE_CHECKING:
    from store.database import Database


class Configuration:
    """The newest published configuration, looked for at most once a second."""

    def __init__(self, db: Database, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._db, self._monotonic = db, monotonic
        self._world: World | None = None
        self._look_at = 0.0

    def current(self) -> World | None:
        """The world in force, or None before anything was published."""
        if self._monotonic() >= self._look_at:
            self._look_at = self._monotonic() + 1
            with self._db.read() as conn:
                newest = config_versions.latest(conn)
            if newest and (self._world is None or newest[0] != self._world.version):
                self._world = World.from_files(*newest)
        return self._world


class Publisher:
    """Publishes a folder of YAML whenever its files change."""

    def __init__(self, db: Database, folder: Path, clock: Callable[[], datetime]) -> None:
        self._db, self._folder, self._clock = db, folder, clock
        self._seen: object = None
        self._look_at = 0.0

    def look(self) -> list[Fault] | None:
        """Publish what changed. None: nothing did (or it is too soon); else the faults, empty when it was published."""
        if time.monotonic() < self._look_at:
            return None
        self._look_at = time.monotonic() + 2
        seen = sorted((path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in self._folder.glob("*.yaml"))
        if seen == self._seen:
            return None
        self._seen = seen
        return publish_folder(self._db, self._folder, by="listen", now=self._clock())
