"""Can the database be written, and for how long still? Found by writing to it, and by looking at its disk."""

from __future__ import annotations

import shutil
import threading
import time
from dataclasses import dataclass

from store.database import Database
from store.trouble import Ailment

LOOK_S = 5.0
PATIENCE_S = 0.5
LOW_BYTES = 1 << 30
"""Free space below which people are warned: hours of a heavy stream, or a backup."""


@dataclass(frozen=True, slots=True)
class Storage:
    """What ails the database now, None where it takes writes; ``free`` bytes are left on its disk."""

    ailment: Ailment | None
    free: int

    @property
    def low(self) -> bool:
        """Whether the disk is nearly full."""
        return self.free < LOW_BYTES


def look(db: Database) -> Storage:
    """Try a write, and measure the disk."""
    return Storage(db.ailing(PATIENCE_S), shutil.disk_usage(db.file.parent).free)


class Watch:
    """The same, looked at no more often than every five seconds, whoever asks."""

    def __init__(self, db: Database, *, every: float = LOOK_S) -> None:
        self._db, self._every = db, every
        self._lock = threading.Lock()
        self._at = 0.0
        self._seen: Storage | None = None

    def storage(self) -> Storage:
        """The last look, or a new one."""
        with self._lock:
            if self._seen is None or time.monotonic() - self._at > self._every:
                self._seen, self._at = look(self._db), time.monotonic()
            return self._seen
