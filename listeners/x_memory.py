"""What the listener of a stream remembers in the store, so that a restart is no excuse: connects, rests, refusals."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any

from listeners import pacing
from store import state, times
from store.database import Database
from store.records import Lease


def stage_of(source: str) -> str:
    """Under which name the state of a stream is kept."""
    return f"x_stream:{source}"


class Memory:
    """Kept in the store under ``stage_of(source)``. Every method may raise SQLAlchemyError, Busy and LeaseLost.

    ``rng`` draws the salt under which a refused credential is remembered.
    """

    def __init__(
        self, source: str, db: Database, clock: Callable[[], datetime], rng: Random, lease: Lease | None
    ) -> None:
        self._stage, self._db, self._clock, self._rng, self._lease = stage_of(source), db, clock, rng, lease

    def early(self) -> tuple[timedelta, str]:
        """How long X does not want to be connected to, and why; no time where it may be done at once."""
        known, now = self._known(), self._clock()
        until = known.get("rest_until")
        rest = datetime.fromisoformat(until) - now if until else pacing.NONE
        if pacing.NONE < rest <= pacing.WINDOW:  # more than that is a clock that was set back
            return rest, known.get("rest_reason", "")
        pause = pacing.wait(self._history(known, now), now)
        return pause, f"X allows {pacing.AT_MOST} connects in 15 minutes: pausing"

    def rest(self, until: datetime, reason: str) -> None:
        """Not to connect before ``until`` (UTC), whoever starts meanwhile."""
        self._put({"rest_until": until.isoformat(), "rest_reason": reason})

    def note_connect(self) -> None:
        """To be called before the connect, so that no crash loses one."""
        now = self._clock()
        self._keep_history([*self._history(self._known(), now), now])

    def refused(self, situation: str) -> str | None:
        """Why this very situation (configuration, address, credential) was refused before; None where it was not."""
        known = self._known().get("refused")
        if known and hmac.compare_digest(_sealed(known["salt"], situation), known["mark"]):
            return str(known["reason"])
        return None

    def refuse(self, situation: str, reason: str) -> None:
        """Not to be tried again, also after a restart. The situation itself is not kept, only a salted hash."""
        salt = self._rng.randbytes(16).hex()
        self._put({"refused": {"salt": salt, "mark": _sealed(salt, situation), "reason": reason}})

    def keep_rules(self, filters: Mapping[str, tuple[str, ...]]) -> None:
        """The filters that each rule's tag stands for, as in force at X."""
        self._put({"rules": {tag: list(names) for tag, names in filters.items()}})

    def filters(self) -> dict[str, tuple[str, ...]]:
        """The filters that each rule's tag stood for when rules were last in force at X."""
        return {tag: tuple(names) for tag, names in self._known().get("rules", {}).items()}

    def heard_until(self) -> datetime | None:
        """The last moment (UTC) up to which all that was heard is kept; None where nothing was ever heard."""
        until = self._known().get("heard_until")
        return min(times.from_iso(until), self._clock()) if until else None

    def _history(self, known: Mapping[str, Any], now: datetime) -> list[datetime]:
        """The connects that count. Those in the future were made before the clock was set back: now they age again."""
        moments = [datetime.fromisoformat(moment) for moment in known.get("connects", [])]
        counted = pacing.recent([min(moment, now) for moment in moments], now)
        if any(moment > now for moment in moments):
            self._keep_history(counted)
        return counted

    def _keep_history(self, moments: list[datetime]) -> None:
        self._put({"connects": [moment.isoformat() for moment in moments]})

    def _known(self) -> dict[str, Any]:
        with self._db.read() as conn:
            return state.get(conn, self._stage)

    def _put(self, values: Mapping[str, Any]) -> None:
        with self._db.write(lease=self._lease) as conn:
            state.put(conn, self._stage, values)


def _sealed(salt: str, situation: str) -> str:
    return hmac.new(bytes.fromhex(salt), situation.encode(), hashlib.sha256).hexdigest()
