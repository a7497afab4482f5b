"""What becomes of a delivery that was tried: sent, tried again later, or given up."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from alerts import entries
from alerts.errors import ChannelError, PermanentError, SetupError, TransientError
from store import ledger, outbox
from store.records import Delivery

FIRST_WAIT_S = 2.0
LONGEST_WAIT_S = outbox.LONGEST.total_seconds()
MOST_ATTEMPTS = 20
REPAIR_WITHIN = timedelta(hours=24)

Draw = Callable[[], float]

log = logging.getLogger(__name__)


class Superseded(Exception):
    """The delivery was cancelled, or claimed by a newer holder, before it was handed over: nothing was sent."""


def settle(conn: Connection, one: Delivery, error: ChannelError | Superseded | None, now: datetime, draw: Draw) -> bool:
    """Write down what became of a claimed delivery, with its line in the ledger; gives False where it was not ours."""
    if isinstance(error, Superseded):
        return False
    if error is None:
        kept, entry = outbox.sent(conn, one, now), entries.delivery("delivery.sent", one, now)
    elif _gives_up(one, error, now):
        kept = outbox.failed(conn, one, str(error), error.fault)
        entry = entries.delivery("delivery.failed", one, now, code=error.code)
    else:
        wait = _wait(one, error, draw)
        kept = outbox.retry(conn, one, now + timedelta(seconds=wait), str(error), error.fault)
        entry = entries.delivery("delivery.retry", one, now, code=error.code, wait_s=round(wait, 1))
    if kept:
        ledger.append(conn, [entry])
    return kept


def cause(delivery: Delivery, raised: BaseException | None) -> ChannelError | Superseded | None:
    """The error as the outbox takes it; one that no channel raises is a fault of ours, logged, and tried again."""
    if raised is None or isinstance(raised, (ChannelError, Superseded)):
        return raised
    log.error("delivery %s could not be sent", delivery.id, exc_info=raised)
    return TransientError(f"fault-{type(raised).__name__}", f"a fault of Vigie: {type(raised).__name__}, see the log")


def backoff(attempts: int, draw: Draw, asked: float | None = None) -> float:
    """Seconds until the next attempt: 2, 4, 8 … 300, half of it drawn at random; longer where the receiver asks so.

    300 is the most, so that a receiver that asks for hours, or a clock that is put back, keeps nobody uninformed.
    """
    full = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** (min(attempts, 30) - 1))
    return float(min(LONGEST_WAIT_S, max(asked or 0.0, full / 2 + draw() * full / 2)))


def waits_for_repair(delivery: Delivery) -> bool:
    """Whether somebody here has to put something right before this delivery can be sent."""
    return (delivery.fault or "").startswith(SetupError.prefix)


def _gives_up(one: Delivery, error: ChannelError, now: datetime) -> bool:
    if isinstance(error, SetupError):
        return now - (one.first_attempt_at or now) >= REPAIR_WITHIN
    return isinstance(error, PermanentError) or one.attempts >= MOST_ATTEMPTS


def _wait(one: Delivery, error: ChannelError, draw: Draw) -> float:
    if isinstance(error, SetupError):
        return LONGEST_WAIT_S
    return backoff(one.attempts, draw, error.retry_after if isinstance(error, TransientError) else None)
