"""What the watchdog looks at: the store, the disk, Airflow; each may be away."""

from __future__ import annotations

import logging
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import requests
from sqlalchemy.exc import SQLAlchemyError

from config.faults import BundleError
from config.publish import Configuration
from config.settings import Settings
from config.world import World
from desk.pulse import vitals
from desk.pulse.ear import Ear
from desk.pulse.troubles import Trouble, of_vitals
from store import state
from store.database import Busy, Database, Unusable
from store.migrations import UnknownVersion

log = logging.getLogger(__name__)

LEAST_FREE = 100_000_000
PATIENCE_S = 2.0
TIMEOUT_S = 5.0
AWAY = (SQLAlchemyError, sqlite3.Error, Busy, Unusable, UnknownVersion, OSError)
"""How a database says that it cannot be used."""


class Sight:
    """The store as far as it can be read, and the configuration last seen there, else the folder's.

    ``patience`` is for how many seconds other writers are waited for. Opening, reading and writing never raise:
    :attr:`away` says what is wrong with the database, "" when nothing is.
    """

    def __init__(self, settings: Settings, patience: float = PATIENCE_S) -> None:
        self._settings, self._patience = settings, patience
        self._ear = Ear(settings.status)
        self._db: Database | None = None
        self._configuration: Configuration | None = None
        self.world: World | None = None
        self.away = ""

    def look(self, now: datetime, stalled: timedelta) -> list[Trouble] | None:
        """What stands still in the store; None where it cannot be read."""
        try:
            db = self._open()
            assert self._configuration
            self.world = self._configuration.current() or self.world or self._folder()
            if self.world is None:
                return None
            with db.read() as conn:
                found = vitals.read(conn, now, self.world.bundle, self._ear)
            return list(of_vitals(found, self.world.bundle, stalled))
        except AWAY as error:
            self._lost(error)
        except BundleError as error:
            log.error("the published configuration cannot be read: %s", error)
        self.world = self.world or self._folder()
        return None

    def sign(self, life: vitals.WatchdogLife) -> None:
        """Leave a sign of life in the store, which also shows whether it can be written."""
        try:
            with self._open().write() as conn:
                state.put(conn, vitals.WATCHDOG, {"life": vitals.remember(life)})
            self.away = ""
        except AWAY as error:
            self._lost(error)

    def close(self) -> None:
        """Let go of the database."""
        if self._db:
            self._db.close()
        self._db = self._configuration = None

    def _open(self) -> Database:
        if self._db is None:
            self._db = Database.open(self._settings.database, patience=self._patience)
            self._configuration = Configuration(self._db)
        return self._db

    def _folder(self) -> World | None:
        try:
            return World.load(self._settings.config)
        except (BundleError, OSError) as error:
            log.error("the configuration in %s cannot be read: %s", self._settings.config, error)
            return None

    def _lost(self, error: BaseException) -> None:
        self.away = str(getattr(error, "orig", None) or error) or type(error).__name__
        log.warning("the database cannot be used: %s", self.away)
        self.close()


def around(settings: Settings, *, airflow: bool) -> Iterator[Trouble]:
    """What is wrong beside the store; ``airflow`` says whether it is to run."""
    free = shutil.disk_usage(settings.home).free
    if free < LEAST_FREE:
        yield Trouble("disk", detail=f"{free // 1_000_000} MB")
    if airflow and (reason := _airflow(f"{settings.airflow_url}/api/v2/monitor/health")):
        yield Trouble("airflow", detail=reason)


def _airflow(url: str) -> str:
    """What is wrong with Airflow; "" when nothing is."""
    try:
        answer = requests.get(url, timeout=TIMEOUT_S, allow_redirects=False)
        parts = answer.json() if answer.status_code == 200 else {}
    except requests.RequestException as error:
        return f"its API does not answer ({type(error).__name__})"
    if answer.status_code != 200:
        return f"its API answered {answer.status_code}"
    ill = [name for name in ("metadatabase", "scheduler") if not _healthy(parts, name)]
    return f"not healthy: {', '.join(ill)}" if ill else ""


def _healthy(parts: Any, name: str) -> bool:
    part = parts.get(name) if isinstance(parts, dict) else None
    return isinstance(part, dict) and part.get("status") == "healthy"
