"""Nobody is told twice for one decision, or not at all: kills, two dispatchers, slow receivers, lost keys, clocks."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
from alerts_kit import KEY, NIGHT, event, happens, world

from alerts.dispatch import Dispatcher, dispatch_stage
from alerts.errors import PermanentError, SetupError, TransientError
from alerts.router import route_stage
from store import incidents, leases, ledger, outbox
from store.database import LeaseLost
from store.records import Acknowledgement


class Recorder:
    """A channel that remembers what it was given; ``faults`` are raised first, ``slow`` waits for its event."""

    def __init__(self, *faults, slow=None):
        self.sent, self.faults, self.slow = [], list(faults), slow

    def __call__(self, delivery, message, settings, secrets):
        if self.slow and delivery.contact == "officer":
            self.slow.wait(10)
        if self.faults:
            raise self.faults.pop(0)
        self.sent.append(delivery)

    @property
    def contacts(self):
        return sorted(one.contact for one in self.sent)


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
        return [one for one in outbox.of_incident(conn, "inc-1") if one.contact == contact]


def kinds(db, kind):
    with db.read() as conn:
        return len(ledger.entries(conn, kind=kind))


def until(done, seconds=5):
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.01)


def hold(db, clock, owner):
    return leases.acquire(db, "dispatch", owner, clock())


def test_the_next_holder_of_the_lease_sends_at_once_what_a_killed_one_had_claimed(db, there, clock, run):
    page(db, there, clock, event(hazard="looting"))
    killed = hold(db, clock, "one")
    with db.write(durable=True, lease=killed) as conn:
        [claimed] = outbox.claim(conn, clock(), 10, timedelta(seconds=90), fence=killed.fence)
    clock.forward(seconds=10)
    channel = Recorder()
    run(channel, lease=hold(db, clock, "two"))
    assert [one.id for one in channel.sent] == [claimed.id]


def test_who_lost_the_lease_between_claim_and_send_sends_nothing(db, there, clock):
    page(db, there, clock, event())
    old, channel = hold(db, clock, "one"), Recorder()
    out = Dispatcher(db, senders={"mail": channel, "webhook": channel}, clock=clock, key=KEY)
    out.step(there, old, 0)
    claimed = out._claim(old, 4)
    clock.forward(seconds=11)
    hold(db, clock, "two")
    with pytest.raises(LeaseLost):
        out._send(there, old, claimed[0])
    out.close()
    assert channel.sent == []


def test_what_was_sent_when_the_lease_went_is_written_down_by_who_claimed_it(db, there, clock):
    page(db, there, clock, event())
    gate = threading.Event()
    old, channel = hold(db, clock, "one"), Recorder(slow=gate)
    with closing(Dispatcher(db, senders={"mail": channel, "webhook": channel}, clock=clock, key=KEY)) as out:
        out.step(there, old)
        until(lambda: len(channel.sent) == 3)
        clock.forward(hours=1)
        gate.set()
        with pytest.raises(LeaseLost):
            out.step(there, old)
    assert [one.state for one in stored(db, "officer")] == ["sent"]


def test_two_dispatchers_at_once_tell_each_contact_once(db, there, clock, run):
    page(db, there, clock, event())
    channel = Recorder()
    with ThreadPoolExecutor(4) as pool:
        for one in [pool.submit(run, channel) for _ in range(4)]:
            one.result()
    assert channel.contacts == ["duty", "keeper", "officer", "system"]
    assert kinds(db, "delivery.sent") == 4


def test_a_receiver_that_hangs_holds_up_nobody_else_now_or_later(db, there, clock):
    page(db, there, clock, event())
    gate = threading.Event()
    channel = Recorder(slow=gate)
    with closing(Dispatcher(db, senders={"mail": channel, "webhook": channel}, clock=clock, key=KEY)) as out:
        out.step(there)
        until(lambda: out.step(there) == 0 and len(channel.sent) == 3)
        page(db, there, clock, event(id="inc-2", hazard="looting"))
        until(lambda: out.step(there) == 0 and "desk-officer" in channel.contacts)
        gate.set()
        until(lambda: out.step(there) == 0 and not out.busy)
    assert channel.contacts == ["desk-officer", "duty", "keeper", "officer", "system"]


def test_one_contact_that_hangs_takes_two_slots_whatever_there_is_for_it(db, there, clock):
    page(db, there, clock, *(event(id=f"inc-{n}", hazard="fire") for n in range(1, 7)))
    gate = threading.Event()
    channel = Recorder(slow=gate)
    with closing(Dispatcher(db, senders={"mail": channel, "webhook": channel}, clock=clock, key=KEY)) as out:
        until(lambda: out.step(there) == 0 and len(channel.sent) == 12)
        assert sum(one.contact == "officer" for one in out._under_way.values()) == 2
        gate.set()
        until(lambda: out.step(there) == 0 and len(channel.sent) == 18 and not out.busy)
    assert channel.contacts.count("officer") == 6


def test_a_message_without_its_key_goes_out_when_the_key_is_there(db, there, clock, run, monkeypatch):
    monkeypatch.delenv("TEST_WEBHOOK_KEY")
    page(db, there, clock, event())
    channel = Recorder()
    run(channel)
    [waiting] = stored(db, "system")
    assert (waiting.state, waiting.fault) == ("pending", "repair:missing-secret")
    assert "export TEST_WEBHOOK_KEY" in waiting.error
    monkeypatch.setenv("TEST_WEBHOOK_KEY", "shared")
    run(channel)  # a new start looks again
    assert channel.contacts == ["duty", "keeper", "officer", "system"]


def test_what_waits_for_a_repair_is_tried_every_five_minutes_for_a_day(db, there, clock):
    page(db, there, clock, event(hazard="looting"))
    broken = Recorder(*[SetupError("tls-certificate", "renew it")] * 1000)
    with closing(Dispatcher(db, senders={"mail": broken}, clock=clock, key=KEY)) as out:
        until(lambda: out.step(there) == 0 and not out.busy)
        assert stored(db, "desk-officer")[0].next_at == NIGHT + timedelta(minutes=5)
        clock.forward(minutes=5)
        until(lambda: out.step(there) == 0 and not out.busy)
        assert (stored(db, "desk-officer")[0].state, stored(db, "desk-officer")[0].attempts) == ("pending", 2)
        clock.forward(hours=24)
        until(lambda: out.step(there) == 0 and not out.busy)
    assert stored(db, "desk-officer")[0].state == "failed"
    assert kinds(db, "escalation.exhausted") == 1


def test_what_waits_for_a_repair_is_not_sent_once_the_incident_is_closed(db, there, clock, run):
    page(db, there, clock, event(hazard="looting"))
    run(Recorder(SetupError("no-key", "name one")))
    with db.write() as conn:
        incidents.put(conn, [replace(incidents.get(conn, "inc-1"), state="closed")])
    channel = Recorder()
    run(channel)
    assert (channel.sent, stored(db, "desk-officer")[0].state) == ([], "cancelled")


def test_an_agency_that_waits_for_a_repair_is_escalated_at_once(db, there, clock, run):
    page(db, there, clock, event())
    channel = Recorder(*[SetupError("smtp-535", "correct the secrets")] * 4)
    run(channel)
    run(channel)
    assert {"chief", "cabinet"} <= set(channel.contacts)


def test_retries_start_no_timer_that_has_run_out(db, there, clock, run):
    page(db, there, clock, event(hazard="looting"))
    channel = Recorder(*[TransientError("smtp-timeout", "slow")] * 12)
    for _ in range(12):
        run(channel)
        clock.forward(minutes=11)
    assert kinds(db, "escalation.exhausted") == 1


def reopened(db, there, clock, channel, run):
    """The lead acknowledged the first life of an incident, it closed, and it lives again."""
    page(db, there, clock, event())
    run(channel)
    with db.write(durable=True) as conn:
        assert outbox.acknowledge(conn, Acknowledgement("inc-1", "rescue", "Maud", clock(), "desk"))
    at = clock.forward(hours=3)
    page(db, there, clock, event("closed", at, revision=2, state="closed"))
    run(channel)
    at = clock.forward(hours=1)
    page(db, there, clock, event("update", at, revision=3))
    run(channel)


def test_a_reopened_incident_tells_and_escalates_anew(db, there, clock, run):
    channel = Recorder()
    reopened(db, there, clock, channel, run)
    assert channel.contacts.count("officer") == 2
    clock.forward(minutes=6)
    run(channel)
    assert "chief" in channel.contacts


def test_an_answer_to_the_reopened_incident_stops_its_escalation(db, there, clock, run):
    channel = Recorder()
    reopened(db, there, clock, channel, run)
    with db.write(durable=True) as conn:
        assert outbox.acknowledge(conn, Acknowledgement("inc-1", "rescue", "Yanis", clock(), "desk"))
    clock.forward(minutes=30)
    run(channel)
    assert "chief" not in channel.contacts


def test_who_was_told_in_an_escalation_before_is_told_again_when_the_incident_lives_again(db, there, clock, run):
    channel = Recorder()
    page(db, there, clock, event())
    run(channel)
    clock.forward(minutes=6)
    run(channel)
    at = clock.forward(hours=3)
    page(db, there, clock, event("closed", at, revision=2, state="closed"))
    run(channel)
    page(db, there, clock, event("update", clock.forward(hours=1), revision=3))
    run(channel)
    clock.forward(minutes=6)
    run(channel)
    assert channel.contacts.count("chief") == 2


@pytest.fixture
def out(db, there, clock):
    """A dispatcher that lives on while the clock is stepped, and its channel."""
    channel = Recorder()
    with closing(
        Dispatcher(db, senders={"mail": channel, "webhook": channel}, clock=clock, key=KEY, draw=lambda: 1)
    ) as made:

        def work():
            until(lambda: made.step(there) == 0 and not made.busy)

        yield channel, work


def test_a_clock_put_back_by_an_hour_freezes_no_retry(db, there, clock, out):
    channel, work = out
    page(db, there, clock, event(hazard="looting"))
    channel.faults = [TransientError("smtp-451", "later", retry_after=200)]
    work()
    clock.forward(hours=-1)
    work()
    assert channel.contacts == ["desk-officer"]


def test_a_clock_put_back_by_an_hour_escalates_after_the_rosters_minutes(db, there, clock, out):
    channel, work = out
    page(db, there, clock, event())
    work()
    clock.forward(hours=-1)
    work()
    assert "chief" not in channel.contacts
    clock.forward(minutes=5)
    work()
    assert "chief" in channel.contacts


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_stepped_tells_nobody_twice(db, there, clock, out, hours):
    channel, work = out
    page(db, there, clock, event())
    work()
    clock.forward(hours=hours)
    work()
    clock.forward(minutes=20)
    work()
    assert len({(one.contact, one.id) for one in channel.sent}) == len(channel.sent)
    assert len(channel.contacts) == len(set(channel.contacts))


def test_a_clock_put_forward_does_not_claim_again_what_is_under_way(db, there, clock):
    page(db, there, clock, event())
    gate = threading.Event()
    channel = Recorder(slow=gate)
    with closing(Dispatcher(db, senders={"mail": channel, "webhook": channel}, clock=clock, key=KEY)) as out:
        out.step(there)
        until(lambda: len(channel.sent) == 3)
        clock.forward(hours=1)
        for _ in range(3):
            out.step(there)
        gate.set()
        until(lambda: out.step(there) == 0 and not out.busy)
    assert channel.contacts.count("officer") == 1


def test_a_permanent_refusal_stays_one(db, there, clock, run):
    page(db, there, clock, event(hazard="looting"))
    run(Recorder(PermanentError("smtp-550", "no such mailbox")))
    channel = Recorder()
    run(channel)
    assert (channel.sent, stored(db, "desk-officer")[0].fault) == ([], "smtp-550")
