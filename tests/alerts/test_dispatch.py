"""The outbox at work: retries, giving up, escalation, and what stops it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from alerts_kit import KEY, NIGHT, event, happens, world

from alerts.channels import senders
from alerts.dispatch import HOLD, dispatch_stage
from alerts.errors import PermanentError, TransientError
from alerts.outcomes import MOST_ATTEMPTS, backoff
from alerts.router import route_stage
from store import incidents, leases, ledger, outbox, posts
from store.database import LeaseLost
from store.records import Acknowledgement


class Recorder:
    """A channel that remembers what it was given; ``errors`` are raised first."""

    def __init__(self, *errors):
        self.sent = []
        self.errors = list(errors)

    def __call__(self, delivery, message, settings, secrets):
        if self.errors and (error := self.errors.pop(0)):
            raise error
        self.sent.append((delivery, message))

    @property
    def contacts(self):
        return sorted(delivery.contact for delivery, _ in self.sent)


@pytest.fixture
def there(monkeypatch):
    monkeypatch.setenv("TEST_WEBHOOK_KEY", "shared")
    return world()


@pytest.fixture
def run(db, there, clock):
    def step(channel, **more):
        out = {"mail": channel, "webhook": channel}
        return dispatch_stage(db, there, senders=out, clock=clock, key=KEY, draw=lambda: 0.5, **more)

    return step


def page(db, there, clock, *events):
    happens(db, *events)
    while route_stage(db, there, clock=clock):
        pass


def stored(db, contact):
    with db.read() as conn:
        return next(one for one in outbox.of_incident(conn, "inc-1") if one.contact == contact)


def kinds(db, *wanted):
    with db.read() as conn:
        return [one.kind for one in ledger.entries(conn, limit=1000) if one.kind in wanted]


def answer(db, clock, agency, incident="inc-1"):
    with db.write(durable=True) as conn:
        outbox.acknowledge(conn, Acknowledgement(incident, agency, "Maud", clock(), "desk"))


def test_sending_twice_sends_once(db, there, clock, run):
    page(db, there, clock, event())
    channel = Recorder()
    assert (run(channel), run(channel)) == (4, 0)
    assert len(channel.sent) == 4


def test_a_transient_failure_waits_and_is_tried_again_with_the_same_key(db, there, clock, run):
    page(db, there, clock, event(hazard="looting"))
    channel = Recorder(TransientError("http-503", "busy"))
    run(channel)
    waiting = stored(db, "desk-officer")
    assert (waiting.state, waiting.next_at, waiting.error) == ("pending", NIGHT + timedelta(seconds=1.5), "busy")
    assert run(channel) == 0
    clock.forward(seconds=2)
    assert run(channel) == 1
    assert channel.sent[0][0].id == waiting.id
    assert kinds(db, "delivery.retry", "delivery.sent") == ["delivery.retry", "delivery.sent"]


def test_a_receiver_that_asks_for_time_gets_it(db, there, clock, run):
    page(db, there, clock, event(hazard="looting"))
    run(Recorder(TransientError("http-429", "slow down", retry_after=40)))
    assert stored(db, "desk-officer").next_at == NIGHT + timedelta(seconds=40)


def test_a_permanent_failure_is_given_up_at_once(db, there, clock, run):
    page(db, there, clock, event(hazard="looting"))
    run(Recorder(PermanentError("smtp-550", "no such mailbox")))
    lost = stored(db, "desk-officer")
    assert (lost.state, lost.error, lost.attempts) == ("failed", "no such mailbox", 1)


def test_after_twenty_attempts_a_transient_failure_is_given_up(db, there, clock, run):
    page(db, there, clock, event(hazard="looting"))
    channel = Recorder(*[TransientError("x", "down")] * MOST_ATTEMPTS)
    for _ in range(MOST_ATTEMPTS):
        run(channel)
        clock.forward(minutes=6)
    assert stored(db, "desk-officer").state == "failed"


def test_waiting_grows_to_five_minutes_with_jitter():
    assert [backoff(n, lambda: 1.0) for n in (1, 2, 3, 9, 60)] == [2, 4, 8, 300, 300]
    assert backoff(3, lambda: 0.0) == 4


def test_a_fault_of_our_own_holds_up_nobody_else(db, there, clock, run):
    page(db, there, clock, event())
    channel = Recorder(KeyError("oops"))
    assert run(channel) == 4
    assert len(channel.sent) == 3
    assert kinds(db, "delivery.retry") == ["delivery.retry"]


def test_killed_between_sending_and_recording_it_sends_again_with_the_same_key(db, there, clock, run):
    page(db, there, clock, event(hazard="looting"))
    with db.write(durable=True) as conn:
        [claimed] = outbox.claim(conn, clock(), 10, HOLD)  # sent here, then killed before it could say so
    channel = Recorder()
    assert run(channel) == 0
    clock.forward(seconds=HOLD.total_seconds() + 1)
    assert run(channel) == 1
    assert channel.sent[0][0].id == claimed.id


def test_without_the_lease_nothing_is_claimed(db, there, clock, run):
    page(db, there, clock, event())
    old = leases.acquire(db, "dispatch", "one", clock())
    clock.forward(seconds=11)
    leases.acquire(db, "dispatch", "two", clock())
    with pytest.raises(LeaseLost):
        run(Recorder(), lease=old)
    assert stored(db, "officer").state == "pending"


def test_a_missing_secret_fails_with_what_to_set(db, there, clock, run, monkeypatch):
    monkeypatch.delenv("TEST_WEBHOOK_KEY")
    page(db, there, clock, event())
    run(Recorder())
    assert "export TEST_WEBHOOK_KEY" in (stored(db, "system").error or "")


def test_nobody_acknowledges_so_the_next_contact_is_told_after_the_rosters_minutes(db, there, clock, run):
    page(db, there, clock, event())
    channel = Recorder()
    run(channel)
    clock.forward(minutes=4, seconds=59)
    assert run(channel) == 0
    clock.forward(seconds=1)
    run(channel)
    assert "chief" in channel.contacts
    chief = next(message for delivery, message in channel.sent if delivery.contact == "chief")
    assert "Vos collègues prévenus n'ont pas répondu." in chief.text
    assert kinds(db, "escalated") == ["escalated"]


def test_when_everybody_was_told_the_ledger_says_so_once(db, there, clock, run):
    page(db, there, clock, event(hazard="looting"))
    for _ in range(4):
        run(Recorder())
        clock.forward(minutes=10)
    assert kinds(db, "escalation.exhausted") == ["escalation.exhausted"]


def test_an_acknowledgement_stops_the_escalation_of_its_agency(db, there, clock, run):
    page(db, there, clock, event())
    channel = Recorder()
    run(channel)
    answer(db, clock, "rescue")
    clock.forward(minutes=30)
    run(channel)
    assert "chief" not in channel.contacts


def test_when_the_lead_answers_the_supports_are_left_in_peace(db, there, clock, run):
    page(db, there, clock, event())
    channel = Recorder()
    run(channel)
    answer(db, clock, "rescue")
    clock.forward(minutes=30)
    run(channel)
    assert "cabinet" not in channel.contacts


def test_a_support_that_answers_does_not_stop_the_lead(db, there, clock, run):
    page(db, there, clock, event())
    channel = Recorder()
    run(channel)
    answer(db, clock, "prefecture")
    clock.forward(minutes=6)
    run(channel)
    assert "chief" in channel.contacts


def test_a_closed_incident_escalates_to_nobody(db, there, clock, run):
    page(db, there, clock, event())
    channel = Recorder()
    run(channel)
    with db.write() as conn:
        incidents.put(conn, [replace(incidents.get(conn, "inc-1"), state="closed")])
    clock.forward(minutes=30)
    run(channel)
    assert "chief" not in channel.contacts


def test_when_no_message_can_reach_an_agency_the_next_contact_is_told_at_once(db, there, clock, run):
    page(db, there, clock, event())
    channel = Recorder(*[PermanentError("smtp-550", "no")] * 4)
    run(channel)
    run(channel)
    assert "chief" in channel.contacts


def test_a_message_not_sent_yet_is_cancelled_once_its_agency_answered(db, there, clock, run):
    page(db, there, clock, event())
    clock.forward(seconds=5)
    answer(db, clock, "rescue")
    channel = Recorder()
    run(channel)
    assert channel.contacts == ["duty", "keeper"]
    assert stored(db, "officer").state == "cancelled"
    assert kinds(db, "delivery.cancelled") == ["delivery.cancelled"] * 2


def test_a_support_out_of_hours_is_told_when_its_shift_starts(db, there, clock, run):
    page(db, there, clock, event(severity="Moderate"))
    channel = Recorder()
    run(channel)
    assert "keeper" not in channel.contacts
    clock.now = NIGHT.replace(hour=7, minute=0)  # 08:00 in Paris
    run(channel)
    assert "keeper" in channel.contacts


def test_a_message_that_waits_for_the_morning_is_cancelled_when_the_incident_closes(db, there, clock, run):
    page(db, there, clock, event(severity="Moderate"))
    page(db, there, clock, event("closed", NIGHT + timedelta(hours=2), revision=2, severity="Moderate"))
    assert stored(db, "keeper").state == "cancelled"


def test_a_deleted_post_is_not_quoted(db, there, clock, run):
    page(db, there, clock, event(hazard="looting"))
    with db.write() as conn:
        posts.delete(conn, ["file:1"])
    channel = Recorder()
    run(channel)
    text = channel.sent[0][1].text
    assert "fumée noire" not in text
    assert "détonations" in text


def test_a_mail_refused_for_now_arrives_later(db, clock, inbox):
    box, port = inbox
    box.answers = ["451 try again later"]
    there = world(smtp=port)
    page(db, there, clock, event(hazard="looting"))
    for _ in range(2):
        dispatch_stage(db, there, senders=senders(), clock=clock, key=KEY)
        clock.forward(seconds=10)
    assert len(box.mails) == 1
    assert stored(db, "desk-officer").attempts == 2


def test_a_mailbox_that_does_not_exist_is_given_up(db, clock, inbox):
    box, port = inbox
    box.answers = ["550 no such user"]
    there = world(smtp=port)
    page(db, there, clock, event(hazard="looting"))
    dispatch_stage(db, there, senders=senders(), clock=clock, key=KEY)
    assert stored(db, "desk-officer").state == "failed"
