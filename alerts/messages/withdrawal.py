"""The notice that a post quoted in an earlier message was deleted or edited at its source. It repeats no word of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from alerts.messages.message import SUBJECT, Message, status_word, where, wording
from alerts.messages.quotes import cut
from config.world import World
from store import times
from store.records import Alert, Delivery, Withdrawal


def write(
    alert: Alert,
    notice: Delivery,
    one: Withdrawal,
    quoting: Sequence[Delivery],
    world: World,
    address: str,
    now: datetime,
) -> Message:
    """The message of ``notice`` about the withdrawal ``one``; ``quoting`` are the messages to this contact that hold
    the quote. There is no link: nobody has to answer."""
    words, incident = wording(world, notice), alert.incident
    parts = (
        status_word(incident, words),
        words.say("withdrawal"),
        words.hazard(incident.hazard),
        where(incident, words),
    )
    title = cut(" – ".join(part for part in parts if part), SUBJECT)
    sent = [words.clock(each.sent_at, now) for each in quoting if each.sent_at]
    what = words.say(f"withdrawal.{one.kind}", at=", ".join(sent) or words.clock(alert.at, now))
    text = "\n".join([title, what, words.say("withdrawal.do"), words.say("withdrawal.rest")])
    return Message(
        to=address,
        subject=title,
        text=text,
        link="",
        at=now,
        language=words.language,
        urgent=False,
        payload={
            "id": notice.id,
            "event": "withdrawal",
            "kind": one.kind,
            "alert": alert.id,
            "incident": incident.id,
            "at": times.to_iso(one.at),
            "status": incident.status,
            "agency": notice.agency,
            "role": notice.role,
            "withdraws": [each.id for each in quoting],
            "subject": title,
            "text": text,
        },
    )
