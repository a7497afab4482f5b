"""From an incident event to a real mailbox and a real webhook."""

import hashlib
import hmac
from email import message_from_bytes, policy

import orjson
from alerts_kit import KEY, event, happens, world

from alerts.channels import senders
from alerts.dispatch import dispatch_stage
from alerts.router import route_stage
from store import ledger, outbox


def test_an_incident_reaches_the_mailbox_and_the_webhook_of_those_on_call(db, clock, inbox, receiver):
    box, port = inbox
    there = world(smtp=port, hook=receiver.url)
    happens(db, event())
    assert route_stage(db, there, clock=clock) == 1
    assert dispatch_stage(db, there, senders=senders(), clock=clock, key=KEY) == 4
    assert sorted(mail.rcpt_tos[0] for mail in box.mails) == [
        "duty@example.org",
        "keeper@example.org",
        "officer@example.org",
    ]
    headers, body = receiver.taken[0]
    signed = hmac.new(b"shared between two", headers["Vigie-Timestamp"].encode() + b"." + body, hashlib.sha256)
    assert headers["Vigie-Signature"] == f"v1={signed.hexdigest()}"
    assert orjson.loads(body)["id"] == headers["Idempotency-Key"]
    with db.read() as conn:
        assert {one.state for one in outbox.of_incident(conn, "inc-1")} == {"sent"}
        kinds = [entry.kind for entry in ledger.entries(conn)]
        assert kinds == ["routed", *["delivery.sent"] * 4]
        assert ledger.verify(conn) is None


def test_a_mail_carries_the_delivery_as_message_id(db, clock, inbox, receiver):
    box, port = inbox
    there = world(smtp=port, hook=receiver.url)
    happens(db, event())
    route_stage(db, there, clock=clock)
    dispatch_stage(db, there, senders=senders(), clock=clock, key=KEY)
    with db.read() as conn:
        keys = {f"<{one.id}@example.org>" for one in outbox.of_incident(conn, "inc-1")}
    mails = [message_from_bytes(mail.content, policy=policy.default) for mail in box.mails]
    assert {mail["Message-ID"] for mail in mails} < keys
