"""The outbox at work: claim, send outside any transaction, record; and escalate what nobody acknowledges.

Killed between sending and recording, a delivery is claimed again by the next holder of the lease at once, and goes out
with the same idempotency key: the receiver can tell that it is the same message.
"""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from alerts import entries, facts, timers, withdrawn
from alerts.addressing import route_of
from alerts.anchoring import Anchoring
from alerts.channels import Sender, senders
from alerts.errors import SetupError
from alerts.messages import cap
from alerts.messages.message import Message, write
from alerts.outcomes import Draw, Superseded, cause, settle, waits_for_repair
from config.world import World
from store import incidents, ledger, outbox
from store.database import Database
from store.records import Acknowledgement, Delivery, Lease
from store.trouble import FAULTS, ailment

__all__ = ["Dispatcher", "dispatch_stage", "senders"]

AT_ONCE = 16
PER_CHANNEL = 8
PER_CONTACT = 2
HOLD = timedelta(seconds=90)
GLANCE_S = 0.02
FAREWELL_S = 5.0
STEPPED = timedelta(seconds=1)

log = logging.getLogger(__name__)


def dispatch_stage(
    db: Database,
    world: World,
    *,
    senders: Mapping[str, Sender],
    clock: Callable[[], datetime],
    key: bytes,
    lease: Lease | None = None,
    limit: int = 50,
    draw: Draw = random.random,
) -> int:
    """Send at most ``limit`` deliveries that are due, and escalate where it is time; returns how many were tried.

    ``senders`` are the channels by kind, ``key`` signs acknowledgement links, ``draw`` gives numbers in [0, 1) for the
    jitter of retries. Raises LeaseLost where ``lease`` is no longer ours; what was claimed then is sent by the holder.
    """
    with closing(Dispatcher(db, senders=senders, clock=clock, key=key, draw=draw)) as out:
        done, working = 0, True
        while out.busy or (working and done < limit):
            before = out.busy
            started = out.step(world, lease, limit - done)
            working, done = before or started > 0, done + started
    return done


class Dispatcher:
    """The outbox at work over many rounds. A slow receiver holds up nobody: it costs its own slot, and at most
    ``PER_CONTACT`` of one contact and ``PER_CHANNEL`` of one channel are under way at once."""

    def __init__(
        self,
        db: Database,
        *,
        senders: Mapping[str, Sender],
        clock: Callable[[], datetime],
        key: bytes,
        draw: Draw = random.random,
        anchors: Anchoring | None = None,
    ) -> None:
        self._db, self._senders, self._clock, self._key, self._draw = db, senders, clock, key, draw
        self._anchors = anchors
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="dispatch")
        self._under_way: dict[Future[None], Delivery] = {}
        self._over: list[tuple[Delivery, BaseException | None]] = []
        self._adopted: tuple[int | None, str] | None = None
        self._last: datetime | None = None

    @property
    def busy(self) -> bool:
        """Whether something is under way, or over and not written down."""
        return bool(self._under_way or self._over)

    def step(self, world: World, lease: Lease | None = None, limit: int = 50) -> int:
        """One round: record what is over, escalate, start what is due. Returns how many were started or escalated.

        Does not wait for what is under way longer than a glance. Raises LeaseLost as :func:`dispatch_stage`.
        """
        now = self._clock()
        self._adopt(world, lease, now)
        self._record(world, lease)
        done = timers.escalate(self._db, world, lease, now)
        done += self._start(world, lease, max(0, limit - done))
        if self._anchors:
            self._anchors.step(self._db, world, lease, now, self._senders)
        if self._under_way:
            wait(self._under_way, timeout=GLANCE_S)
            self._record(world, lease)
        return done

    def close(self) -> None:
        """Wait some seconds for what is under way, and write down what became of it under the claims we hold."""
        if self._under_way:
            wait(self._under_way, timeout=FAREWELL_S)
        self._gather()
        self._pool.shutdown(wait=False, cancel_futures=True)
        if self._anchors:
            self._anchors.close()
        if not self._over:
            return
        try:
            with self._db.write(durable=True) as conn:
                for delivery, raised in self._over:
                    settle(conn, delivery, cause(delivery, raised), self._clock(), self._draw)
        except FAULTS as fault:
            if ailment(fault) is None:
                raise
            log.warning("%d messages were tried and could not be written down: %s", len(self._over), fault)
        self._over = []

    def _adopt(self, world: World, lease: Lease | None, now: datetime) -> None:
        """Look again at what waits, after a new start, a new configuration, or a clock that was put back."""
        adopted = (lease.fence if lease else None, world.version)
        back = self._last is not None and now < self._last - STEPPED
        if back:
            log.warning("the clock went back by %s: what waits is looked at again", self._last and self._last - now)
        self._last = now
        if adopted == self._adopted and not back:
            return
        timers.pull_in(self._db, world, lease, now)
        with self._db.write(durable=True, lease=lease) as conn:
            outbox.hurry(conn, SetupError.prefix)
        self._adopted = adopted

    def _start(self, world: World, lease: Lease | None, limit: int) -> int:
        room = min(limit, AT_ONCE - len(self._under_way))
        claimed = self._claim(lease, room) if room > 0 else []
        for delivery in claimed:
            self._under_way[self._pool.submit(self._send, world, lease, delivery)] = delivery
        return len(claimed)

    def _claim(self, lease: Lease | None, room: int) -> list[Delivery]:
        """The deliveries to send now; those that need not be sent any more are cancelled on the way."""
        now, fence = self._clock(), lease.fence if lease else None
        avoid = self._avoid()
        with self._db.read() as conn:
            if not outbox.due(conn, now, fence=fence, avoid=avoid):
                return []
        with self._db.write(durable=True, lease=lease) as conn:
            seen = self._fitting(outbox.due(conn, now, 2 * room, fence=fence, avoid=avoid), room)
            claimed = [taken for one in seen if (taken := outbox.take(conn, one, now, HOLD, fence))]
            answered = outbox.acknowledgements(conn, {one.incident_id for one in claimed})
            needless = {one.id for one in claimed if _needless(conn, one, answered.get(one.incident_id, []))}
            for one in claimed:
                if one.id in needless:
                    outbox.cancel(conn, one.incident_id, ids=[one.id])
                    ledger.append(conn, [entries.delivery("delivery.cancelled", one, now)])
        return [one for one in claimed if one.id not in needless]

    def _avoid(self) -> outbox.Avoid:
        """What is under way, and the channels and contacts that have as many under way as they may."""
        active = list(self._under_way.values()) + [delivery for delivery, _ in self._over]
        channels, contacts = Counter(one.channel for one in active), Counter(one.contact for one in active)
        return outbox.Avoid(
            frozenset(one.id for one in active),
            frozenset(name for name, n in channels.items() if n >= PER_CHANNEL),
            frozenset(name for name, n in contacts.items() if n >= PER_CONTACT),
        )

    def _fitting(self, due: list[Delivery], room: int) -> list[Delivery]:
        """The first of those due that neither their channel nor their contact has too many of."""
        channels = Counter(one.channel for one in self._under_way.values())
        contacts = Counter(one.contact for one in self._under_way.values())
        chosen: list[Delivery] = []
        for one in due:
            if len(chosen) < room and channels[one.channel] < PER_CHANNEL and contacts[one.contact] < PER_CONTACT:
                chosen.append(one)
                channels[one.channel] += 1
                contacts[one.contact] += 1
        return chosen

    def _send(self, world: World, lease: Lease | None, delivery: Delivery) -> None:
        """Write the message and hand it over. Raises ChannelError. Runs in a thread of its own, outside transactions.

        Right before, it makes sure that the claim still holds, and notes which posts the message quotes.
        """
        route = route_of(world, delivery)
        sender = self._senders.get(route.kind)
        if sender is None:
            raise SetupError("no-sender", f"no channel of kind {route.kind} is set up here")
        message = self._message(world, delivery, route.address, route.settings.get("format") == "cap")
        only_cap = route.kind == "webhook" and route.settings.get("format") == "cap"
        quoted = () if only_cap else message.quoted
        with self._db.write(lease=lease) as conn:
            if not outbox.quote(conn, delivery, quoted):
                raise Superseded(delivery.id)
        sender(delivery, message, route.settings, route.secrets)

    def _message(self, world: World, delivery: Delivery, address: str, as_cap: bool) -> Message:
        now = self._clock()
        with self._db.read() as conn:
            if delivery.event == "withdrawal":
                return withdrawn.message(conn, world, delivery, address, now)
            known = facts.gather(conn, world, delivery, now)
        message = write(known, address, self._key)
        return replace(message, cap=cap.write(known, message)) if as_cap else message

    def _gather(self) -> None:
        for future in [one for one in self._under_way if one.done()]:
            self._over.append((self._under_way.pop(future), future.exception()))

    def _record(self, world: World, lease: Lease | None) -> None:
        """Write down what became of deliveries, and start the timers of their agencies.

        What cannot be written now, as while the disk is full, is kept and written with the next round.
        """
        self._gather()
        if not self._over:
            return
        now = self._clock()
        with self._db.write(durable=True, lease=lease) as conn:
            for delivery, raised in self._over:
                if settle(conn, delivery, cause(delivery, raised), now, self._draw):
                    timers.start(conn, world, delivery, now, sent=raised is None)
                    withdrawn.after_all(conn, delivery, now)
        self._over = []


def _needless(conn: Connection, delivery: Delivery, answered: list[Acknowledgement]) -> bool:
    """Whether the agency acknowledged after this message was written, or its repair came after the incident's end."""
    if delivery.event == "withdrawal":
        return False
    if any(one.agency == delivery.agency and one.at >= delivery.created_at for one in answered):
        return True
    incident = incidents.get(conn, delivery.incident_id) if waits_for_repair(delivery) else None
    return incident is not None and incident.state == "closed"
