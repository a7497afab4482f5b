"""The engine that is configured while it answers, the one in the database while it does not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from sqlalchemy import func, select

from store import changes
from store.database import Database
from store.index import generations
from store.index.families import POSTS, PUBLIC_ORDER, STAGE
from store.index.lag import MOST
from store.index.rebuild import LOST
from store.search.embedded import NAME as SQLITE
from store.search.embedded import Embedded
from store.search.request import Answered, Away, Engine, Unfit
from store.tables import changes as changes_log

if TYPE_CHECKING:
    from store.index.cluster import Cluster

T = TypeVar("T")
ELASTICSEARCH = "elasticsearch"
ENGINES = (SQLITE, ELASTICSEARCH)
REST_S = 15.0
"""How long a cluster that did not answer is left alone; then one request tries it again."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What was asked for, and who answered."""

    value: T
    by: Answered


class Either:
    """Asks Elasticsearch where ``cluster`` is given, and the database where it is not or is :class:`Away`.

    Safe between threads; close it. ``clock`` counts seconds that never go back; ``engine`` makes the engine of the
    cluster, by default :class:`store.search.elastic.Elastic`.
    """

    def __init__(
        self,
        db: Database,
        cluster: Cluster | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        rest_s: float = REST_S,
        engine: Callable[[Cluster, Callable[[], int]], Engine] | None = None,
    ) -> None:
        self._db, self._cluster = db, cluster
        self._embedded = Embedded(db)
        self._made: Engine | None = None
        self._make, self._clock, self._rest_s = engine or _elastic, clock, rest_s
        self._lock, self._closed = threading.Lock(), False
        self._rests_until, self._why = float("-inf"), ""

    @property
    def configured(self) -> str:
        """The name of the engine that answers where nothing is wrong."""
        return SQLITE if self._cluster is None else ELASTICSEARCH

    def answer(self, ask: Callable[[Engine], T], *, only: str | None = None) -> Answer[T]:
        """What ``ask`` gives for one engine: whatever it asks, one engine has answered all of it.

        ``only`` names the engine that gave the page before, whose ``after`` the other would not understand, or would
        read otherwise. Raises :class:`Away` where that one cannot answer now, and ValueError for a name that is none.
        """
        if only not in (None, *ENGINES):
            raise ValueError(f"the engine must be one of {', '.join(ENGINES)}, not {only!r}")
        if only == SQLITE or (only is None and self._cluster is None):
            return Answer(ask(self._embedded), Answered(SQLITE))
        try:
            return Answer(self._ask_cluster(ask), Answered(ELASTICSEARCH))
        except Away as away:
            if only is not None:
                raise
            return Answer(ask(self._embedded), Answered(SQLITE, ELASTICSEARCH, str(away)))

    def behind(self) -> int:
        """How many changes of posts the index does not hold yet; at most :data:`store.index.lag.MOST` are counted."""
        log = changes_log.c
        with self._db.read() as conn:
            new = (log.table.in_({*POSTS.tables, *PUBLIC_ORDER.tables})) & (log.seq > changes.cursor(conn, STAGE))
            some = select(log.seq).where(new).limit(MOST).subquery()
            return conn.execute(select(func.count()).select_from(some)).scalar_one()

    def close(self) -> None:
        """Let the connections go. The database stays open; nothing else can be asked."""
        with self._lock:
            made, self._made, self._closed = self._made, None, True
        if made is not None and hasattr(made, "close"):
            made.close()

    def _ask_cluster(self, ask: Callable[[Engine], T]) -> T:
        self._check_whole()
        engine = self._engine()
        until, why = float("-inf"), ""
        try:
            return ask(engine)
        except Unfit:
            raise
        except Away as away:
            until, why = self._clock() + self._rest_s, str(away)
            raise
        finally:
            with self._lock:
                self._rests_until, self._why = until, why

    def _check_whole(self) -> None:
        """Raises Unfit while an index that was lost, or never was, is being filled: it lacks posts, or does not know
        which of them are reserved."""
        with self._db.read() as conn:
            lost = [
                its for _, its in generations.unsettled(conn, (POSTS, PUBLIC_ORDER)) if LOST in (its.wanted, its.why)
            ]
        if lost:
            raise Unfit(f"its index is being filled, {lost[0].done} of {lost[0].total} are there")

    def _engine(self) -> Engine:
        """The engine of the cluster, made when it is asked for the first time. Raises Away while it rests."""
        with self._lock:
            if self._closed:
                raise Away("the search is closed")
            if self._cluster is None:
                raise Away("no Elasticsearch is configured: VIGIE_ELASTICSEARCH names none")
            if self._clock() < self._rests_until:
                raise Away(self._why)
            if self._why:  # one tries, the others are answered by the database meanwhile
                self._rests_until = self._clock() + self._rest_s
            if self._made is None:
                self._made = self._make(self._cluster, self.behind)
            return self._made


def _elastic(cluster: Cluster, behind: Callable[[], int]) -> Engine:
    from store.search.elastic import Elastic  # takes a third of a second, and most installations have no cluster

    return Elastic(cluster, behind=behind)
