"""What can ail the database from outside: the disk, its rights, another process. No record is at fault, and waiting
may help: a stage that meets it holds on to what it has and tries again.
"""

from __future__ import annotations

import errno
import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Literal, TypeVar

from sqlalchemy.exc import SQLAlchemyError

log = logging.getLogger(__name__)
Ailment = Literal["full", "busy", "read_only", "io", "damaged"]
T = TypeVar("T")

ADVICE: dict[Ailment, str] = {
    "full": "the disk of the database is full: free some space; nothing else needs to be done",
    "busy": "another process holds the database: end it, or wait until it is done",
    "read_only": "the database cannot be written: give its files (-wal, -shm too), folder and disk their rights back",
    "io": "the disk does not read or write the database: look at the disk and at the system's log",
    "damaged": "the database is damaged: end Vigie and bring the last copy back with `vigie restore`",
}
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 2.0
SAY_AGAIN_S = 60.0


class Unusable(ValueError):
    """The database cannot be opened; the message says which, why, and what to do."""


FAULTS = (SQLAlchemyError, sqlite3.Error, OSError, Unusable)
"""The classes that an ailment comes as; :func:`ailment` tells which it is."""

_CODES: dict[int, Ailment] = {
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_BUSY: "busy",
    sqlite3.SQLITE_LOCKED: "busy",
    sqlite3.SQLITE_READONLY: "read_only",
    sqlite3.SQLITE_PERM: "read_only",
    sqlite3.SQLITE_IOERR: "io",
    sqlite3.SQLITE_CANTOPEN: "read_only",
    sqlite3.SQLITE_CORRUPT: "damaged",
    sqlite3.SQLITE_NOTADB: "damaged",
}
_ERRNOS: dict[int, Ailment] = {
    errno.ENOSPC: "full",
    errno.EDQUOT: "full",
    errno.EROFS: "read_only",
    errno.EACCES: "read_only",
    errno.EPERM: "read_only",
    errno.EIO: "io",
}


class Busy(SQLAlchemyError):
    """Other writers held the database for longer than a write may wait: one hangs, or writes too much at once."""


def ailment(error: BaseException) -> Ailment | None:
    """What ails the database, where ``error`` tells of it; None for any other fault."""
    if isinstance(error, Busy):
        return "busy"
    if isinstance(error, Unusable) and error.__cause__:
        return ailment(error.__cause__)
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", None)
        return None if code is None else _CODES.get(code & 0xFF)
    return _ERRNOS.get(cause.errno or 0) if isinstance(cause, OSError) else None


class Patience:
    """Waits while something ails the database, ever longer up to two seconds, until ``stop``.

    The log is told when it begins, each minute, and when it is over.
    """

    def __init__(self, stop: threading.Event, *, longest: float = LONGEST_PAUSE_S) -> None:
        self._stop, self._longest = stop, longest
        self._since: float | None = None
        self._said = 0.0
        self._pause = FIRST_PAUSE_S

    def outlast(self, action: Callable[[], T]) -> T | None:
        """What ``action`` gives, tried again as long as something ails the database; None once told to stop.

        Raises whatever else ``action`` raises.
        """
        while not self._stop.is_set():
            try:
                result = action()
            except FAULTS as error:
                what = ailment(error)
                if what is None:
                    raise
                self._wait(what, error)
            else:
                self._over()
                return result
        return None

    def _wait(self, what: Ailment, error: BaseException) -> None:
        now = time.monotonic()
        if self._since is None or now - self._said > SAY_AGAIN_S:
            log.error("waiting, with all that is held: %s (%s)", ADVICE[what], getattr(error, "orig", None) or error)
            self._said = now
        self._since = self._since or now
        self._stop.wait(self._pause)
        self._pause = min(self._longest, 2 * self._pause)

    def _over(self) -> None:
        if self._since is not None:
            log.warning("the database is well again after %.0f s: going on", time.monotonic() - self._since)
        self._since, self._pause = None, FIRST_PAUSE_S
