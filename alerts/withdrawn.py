"""When a source takes back a post that was quoted in a message: the notice to those who have the message.

A message that was sent is out of reach. Whoever has it is told through the same channel that a quoted post was deleted
or edited, without its words: once for each contact and withdrawal. Nobody is asked to answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from alerts import entries
from alerts.errors import PermanentError
from alerts.ids import delivery_id
from alerts.messages.message import Message
from alerts.messages.withdrawal import write
from config.world import World
from store import alerts, ledger, outbox, withdrawals
from store.records import Delivery, Withdrawal


def take(conn: Connection, ids: Sequence[str], now: datetime) -> None:
    """Write the notices of withdrawals, and their lines in the ledger, in the caller's durable transaction."""
    for one in withdrawals.get(conn, ids).values():
        if reached := [found for id in one.out_of_reach if (found := outbox.get(conn, id))]:
            _tell(conn, one, reached, now)


def after_all(conn: Connection, claimed: Delivery, now: datetime) -> None:
    """Write the notices of what was withdrawn while a message that quotes it was on its way."""
    withdrawn = withdrawals.of_incident(conn, claimed.incident_id)
    sent = outbox.get(conn, claimed.id) if withdrawn else None
    if sent is None or sent.state != "sent":
        return
    began = sent.first_attempt_at or sent.created_at
    for one in withdrawn:
        if one.post_id in sent.quoted and one.at >= began and sent.id not in one.out_of_reach:
            _tell(conn, one, [sent], now)


def message(conn: Connection, world: World, notice: Delivery, address: str, now: datetime) -> Message:
    """What a notice says. Raises PermanentError where what it is about is gone."""
    alert = alerts.get(conn, [notice.alert_id]).get(notice.alert_id)
    about = withdrawals.of_incident(conn, notice.incident_id)
    one = next((one for one in about if _id(one, notice) == notice.id), None)
    if alert is None or one is None:
        raise PermanentError("no-alert", f"what notice {notice.id} is about is gone")
    told = outbox.of_incident(conn, notice.incident_id)
    quoting = [each for each in told if one.post_id in each.quoted and _to(each) == _to(notice)]
    return write(alert, notice, one, quoting, world, address, now)


def _tell(conn: Connection, one: Withdrawal, reached: Sequence[Delivery], now: datetime) -> None:
    notices = {_to(each): _notice(one, each, now) for each in reversed(reached)}
    outbox.add(conn, list(notices.values()))
    ledger.append(conn, [entries.withdrawal(one, [each.id for each in reached], list(notices.values()), now)])


def _notice(one: Withdrawal, quoting: Delivery, now: datetime) -> Delivery:
    return replace(
        quoting,
        id=_id(one, quoting),
        event="withdrawal",
        created_at=now,
        state="pending",
        attempts=0,
        next_at=None,
        first_attempt_at=None,
        sent_at=None,
        error=None,
        trigger_received_at=None,
        quoted=(),
        fence=None,
        fault=None,
    )


def _id(one: Withdrawal, told: Delivery) -> str:
    return delivery_id(told.incident_id, f"withdrawal:{one.id}", *_to(told))


def _to(told: Delivery) -> tuple[str, str, str]:
    return told.agency, told.contact, told.channel
