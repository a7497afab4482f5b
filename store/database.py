"""The database: one SQLite file in WAL mode, opened for reading or for writing.

Every write is a ``BEGIN IMMEDIATE`` transaction, so that a read-then-update never meets another writer half-way.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError, SQLAlchemyError

from store import leases, times
from store.leases import LeaseLost
from store.migrations import migrate
from store.records import Lease
from store.trouble import ADVICE, Ailment, Busy, Unusable, ailment

__all__ = ["Busy", "Database", "LeaseLost", "Unusable"]

BUSY_SECONDS = 10
_POLL_SECONDS = 0.001
_TRY = (
    "INSERT INTO state (stage, key, value) VALUES ('desk', 'tried', json_quote(?)) "
    "ON CONFLICT DO UPDATE SET value = excluded.value"
)
_SYNCHRONOUS = {"normal": "PRAGMA synchronous=NORMAL", "durable": "PRAGMA synchronous=FULL"}


class Database:
    """An open database; safe to share between threads, not across a fork.

    ``clock`` gives the present in UTC; leases are judged by it.
    """

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._clock = clock

    @classmethod
    def open(cls, url: str, *, clock: Callable[[], datetime] = times.now, patience: float = BUSY_SECONDS) -> Database:
        """The database at ``url`` (``sqlite:////absolute/file.db``), made with its folder where absent, and migrated.

        A write waits at most ``patience`` seconds for other writers.

        Raises Unusable for another kind of URL and for a file that is no database or is damaged (it is left as it
        is), OSError where it cannot be written, and :class:`store.migrations.UnknownVersion` for a newer database.
        """
        path = file_of(url)
        path.parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": patience, "isolation_level": None})
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", partial(_begin, patience=patience))
        try:
            migrate(engine, path)
        except (sqlite3.DatabaseError, DatabaseError) as error:
            engine.dispose()
            why, what = getattr(error, "orig", None) or error, ailment(error)
            advice = "put a copy of it back, or move it away and Vigie starts with an empty one"
            advice = advice if what in (None, "damaged") else ADVICE[what]
            raise Unusable(f"the database {path} cannot be used ({why}): {advice}") from error
        return cls(engine, clock)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one state of the database throughout, and cannot write. Keep it short."""
        with self._fresh_after_trouble(), self._engine.connect().execution_options(vigie="read") as conn:
            yield conn

    @contextmanager
    def write(self, *, durable: bool = False, lease: Lease | None = None) -> Iterator[Connection]:
        """A transaction that commits at the end of the block, or leaves nothing when the block raises.

        ``durable`` also survives a power cut (decisions, outbox, ledger). Raises LeaseLost, before the block runs,
        where ``lease`` is not the newest of its stage or has expired; Busy where other writers held the database for
        longer than its patience, as happens when two of them are nested in one thread.
        """
        mode = "durable" if durable else "normal"
        with self._fresh_after_trouble(), self._engine.connect().execution_options(vigie=mode) as conn, conn.begin():
            if lease is not None:
                leases.check(conn, lease, self._clock())
            yield conn

    @contextmanager
    def _fresh_after_trouble(self) -> Iterator[None]:
        """Close the connections after a fault of the disk: one that was opened read-only would stay so for ever."""
        try:
            yield
        except SQLAlchemyError as error:
            if ailment(error) in ("read_only", "io", "damaged"):
                self._engine.dispose()
            raise

    @property
    def file(self) -> Path:
        """Where the database is."""
        return Path(str(self._engine.url.database))

    def ailing(self, patience: float) -> Ailment | None:
        """What keeps a write from being committed now, found by trying a small one; None where nothing does.

        Waits ``patience`` seconds for other writers.
        """
        try:
            with closing(sqlite3.connect(self.file, timeout=patience, isolation_level=None)) as conn:
                conn.execute("BEGIN IMMEDIATE")
                conn.execute(_TRY, (times.to_iso(self._clock()),))
                conn.execute("COMMIT")
        except sqlite3.Error as error:
            return ailment(error) or "damaged"
        return None

    def close(self) -> None:
        """Close every connection; the database can be opened again."""
        self._engine.dispose()


def file_of(url: str) -> Path:
    """Where the database of a URL is. Raises Unusable for one that names no SQLite file."""
    wrong = Unusable(f"VIGIE_DATABASE must name a SQLite file, as sqlite:////var/lib/vigie/vigie.db, not {url!r}")
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise wrong from error
    if not parsed.drivername.startswith("sqlite") or not parsed.database or parsed.database == ":memory:":
        raise wrong
    return Path(parsed.database).absolute()


def _prepare(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA secure_delete=FAST")
    connection.execute("PRAGMA wal_autocheckpoint=4000")
    connection.execute("PRAGMA journal_size_limit=67108864")


def _begin(conn: Connection, patience: float) -> None:
    mode = conn.get_execution_options().get("vigie", "read")
    if mode == "read":
        conn.exec_driver_sql("PRAGMA query_only=ON")
        conn.exec_driver_sql("BEGIN")
        return
    conn.exec_driver_sql("PRAGMA query_only=OFF")
    conn.exec_driver_sql(_SYNCHRONOUS[mode])
    _begin_immediate(conn.connection.driver_connection, patience)


def _begin_immediate(connection: Any, patience: float) -> None:
    """Take the write lock, asking every millisecond: SQLite itself sleeps 100 ms at a time, which starves writers."""
    deadline = monotonic() + patience
    connection.execute("PRAGMA busy_timeout=0")
    try:
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    raise OperationalError("BEGIN IMMEDIATE", None, error) from error
                if monotonic() > deadline:
                    raise Busy(f"other writers held the database for more than {patience:g} seconds") from error
            sleep(_POLL_SECONDS)
    finally:
        connection.execute(f"PRAGMA busy_timeout={int(patience * 1000)}")
