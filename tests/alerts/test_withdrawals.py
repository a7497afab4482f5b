"""A quoted post that its source takes back: who has the quote is told once, without its words."""

import threading
from contextlib import closing

import pytest
from alerts_kit import KEY, NIGHT, event, happens, world

from alerts.channels import mail
from alerts.dispatch import Dispatcher, dispatch_stage
from alerts.router import route_stage
from store import ledger, outbox, posts, withdrawals
from store.records import Acknowledgement


class Recorder:
    def __init__(self, gate=None):
        self.sent, self.gate = [], gate

    def __call__(self, delivery, message, settings, secrets):
        if self.gate:
            self.gate.wait(5)
        self.sent.append((delivery, message))

    @property
    def notices(self):
        return [(delivery, message) for delivery, message in self.sent if delivery.event == "withdrawal"]


@pytest.fixture
def there(monkeypatch):
    monkeypatch.setenv("TEST_WEBHOOK_KEY", "shared")
    return world()


@pytest.fixture
def work(db, there, clock):
    def all_of_it(channel):
        while route_stage(db, there, clock=clock):
            pass
        out = {"mail": channel, "webhook": channel}
        return dispatch_stage(db, there, senders=out, clock=clock, key=KEY)

    return all_of_it


def link(db):
    from store import incidents

    with db.write() as conn:
        incidents.link(conn, "inc-1", ["file:1", "file:2", "file:3"])


def delete(db, clock, *ids):
    with db.write(durable=True) as conn:
        withdrawals.delete(conn, dict.fromkeys(ids, clock()), clock(), "stream")


def entries(db, kind):
    with db.read() as conn:
        return ledger.entries(conn, kind=kind)


def test_what_a_message_quotes_is_kept_with_it(db, there, clock, work):
    happens(db, event(hazard="looting"))
    channel = Recorder()
    work(channel)
    [(sent, message)] = channel.sent
    with db.read() as conn:
        assert outbox.get(conn, sent.id).quoted == message.quoted == ("file:1", "file:2")


def test_everybody_who_has_the_quote_is_told_once_without_its_words(db, there, clock, work):
    happens(db, event())
    link(db)
    channel = Recorder()
    work(channel)
    clock.forward(minutes=3)
    delete(db, clock, "file:1")
    work(channel)
    work(channel)
    told = sorted(delivery.contact for delivery, _ in channel.notices)
    assert told == ["duty", "keeper", "officer", "system"]
    for _, message in channel.notices:
        assert "supprimé à la source" in message.text
        assert "ne la transmettez pas" in message.text
        assert "fumée noire" not in message.text
        assert (message.link, message.urgent) == ("", False)
        assert message.subject.startswith("EXERCICE – Retrait")


def test_the_ledger_has_ids_and_counts_of_a_withdrawal(db, there, clock, work):
    happens(db, event())
    link(db)
    channel = Recorder()
    work(channel)
    clock.forward(minutes=3)
    delete(db, clock, "file:2")
    work(channel)
    [entry] = entries(db, "withdrawal")
    assert (entry.detail["post"], entry.detail["kind"], entry.detail["told"]) == ("file:2", "deleted", 4)
    assert sorted(entry.detail["notices"]) == sorted(delivery.id for delivery, _ in channel.notices)


def test_a_post_that_nobody_was_shown_is_withdrawn_in_silence(db, there, clock, work):
    happens(db, event())
    link(db)
    channel = Recorder()
    work(channel)
    clock.forward(minutes=3)
    delete(db, clock, "file:3")
    work(channel)
    assert (channel.notices, entries(db, "withdrawal")) == ([], [])


def test_a_notice_asks_for_no_answer_and_escalates_to_nobody(db, there, clock, work):
    happens(db, event())
    link(db)
    channel = Recorder()
    work(channel)
    with db.write(durable=True) as conn:
        outbox.acknowledge(conn, Acknowledgement("inc-1", "rescue", "Maud", clock(), "desk"))
    clock.forward(minutes=30)
    work(channel)
    delete(db, clock, "file:1")
    work(channel)
    assert len(channel.notices) == 4  # also to the agency that has answered
    clock.forward(minutes=30)
    work(channel)
    assert not {"chief", "cabinet"} & {delivery.contact for delivery, _ in channel.sent}


def test_what_is_withdrawn_while_a_message_that_quotes_it_is_on_its_way_is_told_after_it(db, there, clock):
    happens(db, event(hazard="looting"))
    link(db)
    route_stage(db, there, clock=clock)
    gate = threading.Event()
    channel = Recorder(gate)
    with closing(Dispatcher(db, senders={"mail": channel, "webhook": channel}, clock=clock, key=KEY)) as out:
        out.step(there)
        clock.forward(seconds=1)
        delete(db, clock, "file:1")
        gate.set()
        for _ in range(50):
            out.step(there)
    assert [delivery.event for delivery, _ in channel.sent] == ["new", "withdrawal"]


def test_a_message_that_is_tried_again_quotes_what_is_there_then(db, there, clock, work):
    from alerts.errors import TransientError

    happens(db, event(hazard="looting"))
    link(db)
    quoted = []

    def down(delivery, message, settings, secrets):
        quoted.append(message.quoted)
        if len(quoted) == 1:
            raise TransientError("smtp-timeout", "slow")

    work(down)
    clock.forward(seconds=10)
    delete(db, clock, "file:1")
    work(down)
    assert quoted[:2] == [("file:1", "file:2"), ("file:2", "file:3")]


def test_an_edited_post_is_told_as_edited(db, there, clock, work):
    happens(db, event(hazard="looting"))
    link(db)
    channel = Recorder()
    work(channel)
    clock.forward(minutes=3)
    with db.read() as conn:
        old = posts.get(conn, ["file:1"])["file:1"]
    from dataclasses import replace

    with db.write(durable=True) as conn:
        new = replace(old, text="Ce n'était que de la vapeur", edited_at=clock())
        assert withdrawals.edit(conn, new, clock(), "stream", version="file:1b")
    work(channel)
    [(_, message)] = channel.notices
    assert "was edited at its source" in message.text
    assert message.payload["kind"] == "edited"
    assert len(message.payload["withdraws"]) == 1
    assert "vapeur" not in message.text


def test_the_mail_of_a_notice_has_no_button(db, there, clock, work):
    happens(db, event(hazard="looting"))
    link(db)
    channel = Recorder()
    work(channel)
    clock.forward(minutes=3)
    delete(db, clock, "file:1")
    work(channel)
    [(delivery, message)] = channel.notices
    assert "<a href" not in mail.page(message)
    assert delivery.created_at > NIGHT
