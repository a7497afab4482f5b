"""The dead man's switch: tells people when Vigie stands still, and an outside service each minute when it does not.

It shares nothing with what it watches but the channels' code: no outbox, no Airflow, and no database where that is what
failed. It remembers what it told in a file of its own.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from alerts.channels import Sender
from config.bundle import Watchdog as Declared
from config.settings import Settings
from desk.pulse import memory as memories
from desk.pulse.heartbeat import Heartbeat
from desk.pulse.looking import PATIENCE_S, Sight, around
from desk.pulse.telling import News, tell
from desk.pulse.troubles import Trouble
from desk.pulse.vitals import WatchdogLife
from store.records import Status

log = logging.getLogger(__name__)

GRACE = timedelta(minutes=10)
"""What starts is given so long, or until all was well once: on a busy machine Airflow takes some minutes."""
TOGETHER = timedelta(seconds=30)
BREAK = timedelta(minutes=15)
JUMP_S = 30.0
SIGN_S = 10.0
HEARTBEAT_S = 60.0
TRY_AGAIN_S = 30.0
DEFAULT_STALLED = timedelta(minutes=5)


class Watchdog:
    """Looks and tells. ``clock`` gives UTC, ``ticks`` seconds that never go back; ``airflow`` says whether it runs,
    ``patience`` for how many seconds a locked database is waited for, ``grace`` how long what starts is given."""

    def __init__(
        self,
        settings: Settings,
        senders: Mapping[str, Sender],
        clock: Callable[[], datetime],
        *,
        airflow: bool = False,
        ticks: Callable[[], float] = time.monotonic,
        patience: float = PATIENCE_S,
        grace: timedelta = GRACE,
    ) -> None:
        self._settings, self._senders, self._clock, self._ticks = settings, senders, clock, ticks
        self._airflow, self._grace = airflow, grace
        self._path = settings.home / "watchdog.json"
        self._sight, self._heartbeat = Sight(settings, patience), Heartbeat()
        self._memory = memories.load(self._path, clock())
        self._last: tuple[datetime, float] | None = None
        self._known: dict[str, Trouble] = {}
        self._due: dict[str, float] = {}

    def turn(self) -> list[Trouble]:
        """One look, and what follows from it; gives what stands still for long enough to tell, with its beginning."""
        now = self._clock()
        self._keep_time(now)
        declared = self._declared()
        stalled = timedelta(minutes=declared.stalled_minutes) if declared else DEFAULT_STALLED
        found = self._find(now, stalled)
        self._memory.well = self._memory.well or not found
        ripe = [one for one in found if self._ripe(one, now, stalled)]
        if ripe:  # what failed just after it most likely has the same cause: one message for both
            ripe = [one for one in found if self._ripe(one, now, stalled - TOGETHER)]
        if self._every("sign", SIGN_S):
            contacts = declared.contacts if declared else ()
            self._sight.sign(WatchdogLife(now, tuple(one.code for one in ripe), contacts))
        if declared := self._declared():
            self._speak(ripe, found, now, declared)
            if not ripe and not self._memory.told and declared.heartbeat and self._every("heartbeat", HEARTBEAT_S):
                self._heartbeat.send(declared.heartbeat)
        self._memory.looked_at = now
        memories.save(self._path, self._memory)
        return ripe

    def close(self) -> None:
        """Let go of the database."""
        self._sight.close()

    def _declared(self) -> Declared | None:
        return self._sight.world.bundle.watchdog if self._sight.world else None

    def _keep_time(self, now: datetime) -> None:
        """Begin anew after a break, and where the clock jumped: leases and ages mean nothing then."""
        last, self._last = self._last, (now, self._ticks())
        if last is None:
            broken = not timedelta(0) <= now - self._memory.looked_at < BREAK
        else:
            broken = abs((now - last[0]).total_seconds() - (self._last[1] - last[1])) > JUMP_S
        if broken:
            log.warning("the clock jumped or the watchdog did not run since %s", self._memory.looked_at)
            self._memory.began, self._memory.well = now, self._memory.well and last is not None

    def _find(self, now: datetime, stalled: timedelta) -> list[Trouble]:
        """Every trouble with its beginning. While the store cannot be read, what it showed last still holds."""
        shown = self._sight.look(now, stalled)
        if shown is not None:
            self._known = {one.code: one for one in shown}
        found = [*self._known.values(), *around(self._settings, airflow=self._airflow)]
        if self._sight.away:
            found.append(Trouble("database", detail=self._sight.away))
        self._memory.seen = {one.code: self._since(one, now) for one in found}
        return [replace(one, since=self._memory.seen[one.code]) for one in found]

    def _since(self, trouble: Trouble, now: datetime) -> datetime:
        """When it began, as far as known; a time to come is one from before the clock was put back."""
        if trouble.since and trouble.since <= now:
            return trouble.since
        return min(self._memory.seen.get(trouble.code, now), now)

    def _ripe(self, trouble: Trouble, now: datetime, stalled: timedelta) -> bool:
        given = stalled if self._memory.well else max(stalled, self._grace)
        return now - (trouble.since or now) >= stalled and now - self._memory.began >= given

    def _speak(self, ripe: list[Trouble], found: list[Trouble], now: datetime, declared: Declared) -> None:
        memory = self._memory
        lasting = self._sight.away or any(one.code in memory.told for one in found)
        fresh = [one for one in ripe if one.code not in memory.told]
        again = memory.told_at is not None and now - memory.told_at >= timedelta(minutes=declared.again_minutes)
        if ripe and (fresh or again) and self._every("tell", TRY_AGAIN_S):
            self._tell(ripe, now, declared, everyone=again and not fresh)
        elif not ripe and memory.told and not lasting and self._every("tell", TRY_AGAIN_S):
            self._all_is_well(now)

    def _tell(self, ripe: list[Trouble], now: datetime, declared: Declared, *, everyone: bool) -> None:
        world, memory = self._sight.world, self._memory
        assert world
        news = News(ripe, now, self._status(), memory.number)
        reached = tell(news, world, self._senders, declared.contacts, everyone=everyone)
        if not reached:
            log.critical("nobody could be told of %s", ", ".join(one.code for one in ripe))
            return
        memory.told = {one.code: one.since or now for one in ripe} | memory.told
        memory.told_at, memory.number = now, memory.number + 1
        memory.reached = list(dict.fromkeys([*memory.reached, *reached]))

    def _all_is_well(self, now: datetime) -> None:
        """Say so to everybody who was told."""
        world, memory = self._sight.world, self._memory
        assert world
        gone = [Trouble.of_code(code, since) for code, since in memory.told.items()]
        news = News(gone, now, self._status(), memory.number, over=True)
        if tell(news, world, self._senders, memory.reached, everyone=True):
            memory.forget()
            memory.number += 1

    def _status(self) -> Status:
        world = self._sight.world
        return self._settings.status or (world.bundle.status if world else "Actual")

    def _every(self, what: str, seconds: float) -> bool:
        """Whether it is time for this again; the first time it is."""
        now = self._ticks()
        if now < self._due.get(what, now):
            return False
        self._due[what] = now + seconds
        return True
