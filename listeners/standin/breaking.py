"""Which faults of a script strike now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from threading import RLock

from listeners.standin.script import ACTS, Trouble

_STRIKES = {"disorder": 3}


class Armed:
    """One fault of the script with what it has done so far. ``struck`` counts its strikes."""

    def __init__(self, trouble: Trouble) -> None:
        self.trouble = trouble
        self.began: datetime | None = None
        self.struck = 0
        self._round_struck = -1

    def holds(self, now: datetime) -> bool:
        """Whether it strikes now, given that it is due."""
        trouble = self.trouble
        if self.began is None:
            self.began = now
        if trouble.every is not None and trouble.times is not None and self._round(now) >= trouble.times:
            return False
        if trouble.what in ACTS or (trouble.every is not None and trouble.lasts is None):
            return self._round_struck < self._round(now)
        if (until := self.until(now)) is not None and now >= until:
            return False
        return trouble.every is not None or self.struck < self._at_most()

    def strike(self, now: datetime) -> None:
        """Counts one strike."""
        self.struck += 1
        self._round_struck = self._round(now)

    def until(self, now: datetime) -> datetime | None:
        """When it is over this time; None when it ends with what it strikes."""
        if self.trouble.lasts is None or self.began is None:
            return None
        start = self.began + timedelta(seconds=(self.trouble.every or 0) * self._round(now))
        return start + timedelta(seconds=self.trouble.lasts)

    def _round(self, now: datetime) -> int:
        if self.trouble.every is None or self.began is None:
            return 0
        return int((now - self.began).total_seconds() / self.trouble.every)

    def _at_most(self) -> float:
        if self.trouble.times is not None:
            return self.trouble.times
        return _STRIKES.get(self.trouble.what, 1) if self.trouble.lasts is None else float("inf")


class Breaker:
    """The faults of a script, asked before every answer and every line; safe to use from several threads.

    ``at`` counts from the moment given to :meth:`begin`, ``connect`` and ``post`` count what :meth:`connect` and
    :meth:`post` were told. ``struck`` counts the strikes of each kind.
    """

    def __init__(self, troubles: Iterable[Trouble], clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.struck: Counter[str] = Counter()
        self._armed = [Armed(trouble) for trouble in troubles]
        self._start: datetime | None = None
        self._connects = self._posts = 0
        self._lock = RLock()

    def begin(self, moment: datetime) -> None:
        """The play has begun; calls after the first change nothing."""
        self._start = self._start or moment

    def connect(self) -> None:
        """A client asks for the stream."""
        with self._lock:
            self._connects += 1

    def post(self) -> None:
        """The stream is about to send a post."""
        with self._lock:
            self._posts += 1

    def arm(self, trouble: Trouble) -> Armed:
        """Adds a fault while it runs."""
        armed = Armed(trouble)
        with self._lock:
            self._armed = [*self._armed, armed]
        return armed

    def mend(self) -> None:
        """Lifts every fault, those to come too."""
        with self._lock:
            self._armed = []

    def take(self, kinds: Collection[str], on: str = "stream") -> Armed | None:
        """The first fault of these kinds that strikes now, counted; None when all is well."""
        with self._lock:
            now = self.clock()
            for armed in self._armed:
                trouble = armed.trouble
                if trouble.what in kinds and trouble.on in (on, "all") and self._due(trouble, now) and armed.holds(now):
                    armed.strike(now)
                    self.struck[trouble.what] += 1
                    return armed
        return None

    def lifted(self, armed: Armed) -> bool:
        """Whether a fault was lifted."""
        return armed not in self._armed

    def over(self, armed: Armed) -> bool:
        """Whether a fault no longer strikes, because its time or its number is used up or it was lifted."""
        with self._lock:
            return self.lifted(armed) or not armed.holds(self.clock())

    def _due(self, trouble: Trouble, now: datetime) -> bool:
        if trouble.connect is not None:
            return self._connects >= trouble.connect
        if trouble.post is not None:
            return self._posts >= trouble.post
        return trouble.at is None or (self._start is not None and (now - self._start).total_seconds() >= trouble.at)
