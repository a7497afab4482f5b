"""Writing the ledger's head down outside the database: a line in a file, or a message to a contact that keeps it.

The holder of the dispatch lease does it, for each place of the bundle's ``anchors`` when its hours are over. What fails
is tried again every five minutes, and shown by ``vigie ledger verify`` until it works.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from alerts import directory, entries
from alerts.addressing import route_of
from alerts.channels import Sender
from alerts.errors import AlertError, ChannelError, PermanentError
from alerts.ids import digest
from alerts.messages.message import Message, wording
from config.bundle import AnchorPlace
from config.world import World
from store import anchors, ledger, state, times
from store.database import Database
from store.records import Anchor, Delivery, Lease

STATE = "dispatch/anchors"
AGAIN = timedelta(minutes=5)
LOOK = timedelta(seconds=5)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """A head on its way to a place."""

    place: AnchorPlace
    anchor: Anchor


class Anchoring:
    """Looks every few seconds which places are due. ``key`` seals the anchors, relative files lie in ``home``."""

    def __init__(self, home: Path, key: bytes) -> None:
        self._home, self._key = home, key
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="anchors")
        self._under_way: dict[Future[None], Job] = {}
        self._looked: datetime | None = None

    @property
    def busy(self) -> bool:
        """Whether a head is on its way."""
        return bool(self._under_way)

    def step(
        self, db: Database, world: World, lease: Lease | None, now: datetime, senders: Mapping[str, Sender]
    ) -> None:
        """Write down what was anchored, and begin with the places that are due. Raises LeaseLost."""
        self._record(db, lease, now)
        if self._under_way or (self._looked and timedelta() <= now - self._looked < LOOK):
            return
        self._looked = now
        for job in self._due(db, world, now):
            self._under_way[self._pool.submit(self._write, world, job, senders)] = job

    def close(self) -> None:
        """Wait a little for what is under way; what it did is anchored again, which harms nothing."""
        wait(self._under_way, timeout=2)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _due(self, db: Database, world: World, now: datetime) -> list[Job]:
        with db.read() as conn:
            seq, of_head = ledger.head(conn)
            failed = state.get(conn, STATE)
            last = {place.id: anchors.newest(conn, place.id) for place in world.bundle.anchors}
        due = [one for one in world.bundle.anchors if _is_due(one, last[one.id], failed.get(one.id), seq, now)]
        return [Job(one, anchors.seal(Anchor(seq, of_head, now, one.id), self._key)) for one in due]

    def _write(self, world: World, job: Job, senders: Mapping[str, Sender]) -> None:
        if job.place.file:
            append(self._home / job.place.file, anchors.to_line(job.anchor))
        else:
            send(world, job, senders)

    def _record(self, db: Database, lease: Lease | None, now: datetime) -> None:
        over = [future for future in self._under_way if future.done()]
        if not over:
            return
        with db.write(durable=True, lease=lease) as conn:
            failed = state.get(conn, STATE)
            for future in over:
                job, error = self._under_way[future], future.exception()
                if error is None:
                    anchors.add(conn, job.anchor)
                    state.put(conn, STATE, {job.place.id: None})
                    ledger.append(conn, [entries.anchored(job.anchor)])
                    continue
                state.put(conn, STATE, {job.place.id: {"at": times.to_iso(now + AGAIN), "error": _said(job, error)}})
                if job.place.id not in failed:
                    ledger.append(conn, [entries.anchor_failed(job.place.id, _code(error), now)])
        for future in over:
            del self._under_way[future]


def append(path: Path, line: bytes) -> None:
    """Add a line at the end of a file, and see to it that it is on the disk. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o640)
    try:
        size = os.fstat(handle).st_size
        torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
        os.write(handle, (b"\n" if torn else b"") + line)
        os.fsync(handle)
    finally:
        os.close(handle)


def send(world: World, job: Job, senders: Mapping[str, Sender]) -> None:
    """Send the head to the place's contact, past the outbox. Raises ChannelError."""
    owner, contact = directory.contact_anywhere(world.bundle, job.place.contact or "")
    if contact is None:
        raise PermanentError("not-in-bundle", f"the bundle has no contact {job.place.contact} any more")
    anchor = job.anchor
    id = "an-" + digest(anchor.place, str(anchor.seq), anchor.digest)
    one = Delivery(id, "", "", "update", owner, "support", contact.id, contact.channel, anchor.at)
    route = route_of(world, one)
    if route.kind not in senders:
        raise PermanentError("no-sender", f"no channel of kind {route.kind} is set up here")
    senders[route.kind](one, message(world, one, anchor, route.address), route.settings, route.secrets)


def message(world: World, one: Delivery, anchor: Anchor, address: str) -> Message:
    """What somebody who keeps an anchor gets: the line to keep, and what it is for."""
    words, line = wording(world, one), anchors.to_line(anchor).decode().strip()
    title = words.say("anchor", name=words.of(world.bundle.name), n=anchor.seq)
    text = "\n".join([title, words.say("anchor.what"), "", line])
    payload = {"id": one.id, "event": "anchor", "anchor": line, "subject": title, "text": text}
    return Message(address, title, text, "", anchor.at, words.language, False, payload)


def failing(known: Mapping[str, Any]) -> dict[str, str]:
    """Place → why its last anchor failed, of what the dispatcher remembers under :data:`STATE`."""
    return {place: str(one["error"]) for place, one in known.items()}


def _is_due(place: AnchorPlace, last: Anchor | None, failed: Mapping[str, Any] | None, seq: int, now: datetime) -> bool:
    if not seq:
        return False
    if failed and timedelta() <= times.from_iso(failed["at"]) - now <= AGAIN:
        return False
    return last is None or not timedelta() <= now - last.at < timedelta(hours=place.every_hours)


def _said(job: Job, error: BaseException) -> str:
    if isinstance(error, OSError):
        return f"{job.place.file} cannot be written: {error.strerror or type(error).__name__}"
    if not isinstance(error, AlertError):
        log.error("the anchor %s could not be written", job.place.id, exc_info=error)
    return str(error) or type(error).__name__


def _code(error: BaseException) -> str:
    return error.code if isinstance(error, ChannelError) else type(error).__name__
