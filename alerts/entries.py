"""What this room writes to the ledger: ids, codes and numbers, never the text of a post or the name of a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from alerts.rules.case import Routing
from store.records import Alert, Anchor, Delivery, LedgerEntry, Withdrawal

KINDS: Mapping[str, str] = {
    "routed": "the router decided on an incident event: lead, supports, how many are told",
    "delivery.sent": "a channel took a message",
    "delivery.retry": "a message did not get through and is tried again",
    "delivery.failed": "a message was given up",
    "delivery.cancelled": "a message was not sent: its agency acknowledged, or the incident closed, before its time",
    "escalated": "nobody of an agency acknowledged in time: the next contact is told",
    "escalation.exhausted": "nobody of an agency acknowledged, and there is nobody left to tell",
    "acknowledged": "an agency took an incident on",
    "withdrawal": "a post that was sent as a quote was deleted or edited at its source: who has it is told",
    "anchored": "the ledger's head was written down outside",
    "anchor.failed": "the ledger's head could not be written down outside; it is tried again",
}


def routed(alert: Alert, routing: Routing, now: datetime) -> LedgerEntry:
    """The router's decision."""
    detail = {
        "incident": alert.incident_id,
        "event": alert.event,
        "revision": alert.incident.revision,
        "status": alert.incident.status,
        "severity": alert.incident.severity,
        "lead": alert.lead,
        "support": list(alert.support),
        "told": len(routing.recipients),
        "held_back": len(routing.rejected),
        "config": alert.config_version,
    }
    return LedgerEntry(now, "routed", alert.id, detail=detail)


def delivery(kind: str, one: Delivery, now: datetime, **more: Any) -> LedgerEntry:
    """What became of a delivery: ``kind`` is one of the ``delivery.`` :data:`KINDS`."""
    detail = {
        "incident": one.incident_id,
        "alert": one.alert_id,
        "agency": one.agency,
        "role": one.role,
        "contact": one.contact,
        "channel": one.channel,
        "attempts": one.attempts,
        **more,
    }
    return LedgerEntry(now, kind, one.id, detail=detail)


def about_agency(kind: str, incident: str, agency: str, now: datetime, **more: Any) -> LedgerEntry:
    """A step of an agency on an incident: escalation or acknowledgement."""
    return LedgerEntry(now, kind, incident, detail={"agency": agency, **more})


def withdrawal(one: Withdrawal, quoting: Sequence[str], notices: Sequence[Delivery], now: datetime) -> LedgerEntry:
    """What its source took back: ids of the messages that held it, and of the notices to those who have them."""
    detail = {
        "post": one.post_id,
        "incident": one.incident_id,
        "kind": one.kind,
        "via": one.via,
        "out_of_reach": list(quoting),
        "notices": [notice.id for notice in notices],
        "told": len(notices),
    }
    return LedgerEntry(now, "withdrawal", one.id, detail=detail)


def anchored(anchor: Anchor) -> LedgerEntry:
    """Where the head went."""
    detail = {"head": anchor.seq, "digest": anchor.digest}
    return LedgerEntry(anchor.at, "anchored", anchor.place, detail=detail)


def anchor_failed(place: str, code: str, now: datetime) -> LedgerEntry:
    """Where the head should have gone; ``code`` says what went wrong."""
    return LedgerEntry(now, "anchor.failed", place, detail={"code": code})
