from datetime import timedelta

from store import incidents, outbox

HOLD = timedelta(seconds=60)


def test_a_pending_delivery_is_claimed_by_one_claimer_only(db, clock, make):
    with db.write(durable=True) as conn:
        outbox.add(conn, [make.delivery()])
    with db.write(durable=True) as conn:
        first = outbox.claim(conn, clock.now, 10, HOLD)
    with db.write(durable=True) as conn:
        second = outbox.claim(conn, clock.now, 10, HOLD)
    assert ([d.id for d in first], second) == (["d1"], [])


def test_a_claim_counts_the_attempt_and_keeps_when_the_first_one_was(db, clock, make):
    with db.write(durable=True) as conn:
        outbox.add(conn, [make.delivery()])
        [first] = outbox.claim(conn, clock.now, 10, HOLD)
        outbox.retry(conn, first, clock.forward(30), "timed out")
        [second] = outbox.claim(conn, clock.now, 10, HOLD)
        kept = outbox.get(conn, "d1")
    assert (first.attempts, second.attempts, second.state) == (1, 2, "sending")
    assert second.first_attempt_at == first.first_attempt_at
    assert second == kept


def test_a_claim_compares_before_it_sets(db, clock, make):
    with db.write(durable=True) as conn:
        outbox.add(conn, [make.delivery()])
        stale = outbox.get(conn, "d1")
        outbox.claim(conn, clock.now, 10, HOLD)
        assert outbox.take(conn, stale, clock.now, HOLD) is None


def test_a_retry_is_not_due_before_its_time(db, clock, make):
    with db.write(durable=True) as conn:
        outbox.add(conn, [make.delivery()])
        [claimed] = outbox.claim(conn, clock.now, 10, HOLD)
        outbox.retry(conn, claimed, clock.now + timedelta(seconds=30), "timed out")
        assert outbox.claim(conn, clock.forward(29), 10, HOLD) == []
        assert [d.error for d in outbox.claim(conn, clock.forward(1), 10, HOLD)] == ["timed out"]


def test_a_delivery_whose_claimer_died_is_claimed_again_when_the_hold_ends(db, clock, make):
    with db.write(durable=True) as conn:
        outbox.add(conn, [make.delivery()])
        outbox.claim(conn, clock.now, 10, HOLD)
        assert outbox.claim(conn, clock.forward(59), 10, HOLD) == []
        assert [d.attempts for d in outbox.claim(conn, clock.forward(1), 10, HOLD)] == [2]


def test_a_sent_delivery_is_settled(db, clock, make):
    with db.write(durable=True) as conn:
        outbox.add(conn, [make.delivery()])
        [claimed] = outbox.claim(conn, clock.now, 10, HOLD)
        assert outbox.sent(conn, claimed, clock.forward(1))
        assert not outbox.retry(conn, claimed, clock.now, "late")
        assert not outbox.failed(conn, claimed, "late")
        kept = outbox.get(conn, "d1")
        assert outbox.claim(conn, clock.forward(3600), 10, HOLD) == []
    assert (kept.state, kept.error) == ("sent", None)


def test_a_failed_delivery_says_why_and_is_not_claimed_again(db, clock, make):
    with db.write(durable=True) as conn:
        outbox.add(conn, [make.delivery()])
        [claimed] = outbox.claim(conn, clock.now, 10, HOLD)
        assert outbox.failed(conn, claimed, "no such mailbox")
        assert outbox.claim(conn, clock.forward(3600), 10, HOLD) == []
        assert outbox.get(conn, "d1").error == "no such mailbox"


def test_cancelling_an_incident_stops_what_waits_and_leaves_what_was_sent(db, clock, make):
    with db.write(durable=True) as conn:
        outbox.add(conn, [make.delivery("d1"), make.delivery("d2"), make.delivery("d3", incident_id="i2")])
        [claimed] = outbox.claim(conn, clock.now, 1, HOLD)
        outbox.sent(conn, claimed, clock.now)
        assert outbox.cancel(conn, "i1") == 1
        assert [d.state for d in outbox.of_incident(conn, "i1")] == ["sent", "cancelled"]
        assert outbox.get(conn, "d3").state == "pending"


def test_a_delivery_sent_while_it_was_being_cancelled_is_recorded_as_sent(db, clock, make):
    with db.write(durable=True) as conn:
        outbox.add(conn, [make.delivery()])
        [claimed] = outbox.claim(conn, clock.now, 1, HOLD)
        outbox.cancel(conn, "i1")
        assert outbox.sent(conn, claimed, clock.now)
        assert outbox.get(conn, "d1").state == "sent"


def test_adding_a_delivery_again_leaves_it_as_it_is(db, clock, make):
    with db.write(durable=True) as conn:
        outbox.add(conn, [make.delivery()])
        outbox.claim(conn, clock.now, 1, HOLD)
        outbox.add(conn, [make.delivery()])
        assert outbox.get(conn, "d1").state == "sending"


def test_the_first_acknowledgement_of_an_agency_stands(db, make):
    with db.write(durable=True) as conn:
        assert outbox.acknowledge(conn, make.acknowledgement(by="Maud"))
        assert not outbox.acknowledge(conn, make.acknowledgement(by="Yanis"))
        assert outbox.acknowledge(conn, make.acknowledgement("mairie", by="Yanis"))
        kept = outbox.acknowledgements(conn, ["i1", "i2"])
    assert [(a.agency, a.by) for a in kept["i1"]] == [("mairie", "Yanis"), ("sdis", "Maud")]
    assert list(kept) == ["i1"]


def test_a_newer_lease_claims_at_once_what_an_older_one_left_behind(db, clock, make):
    with db.write(durable=True) as conn:
        outbox.add(conn, [make.delivery()])
        outbox.claim(conn, clock.now, 10, HOLD, fence=3)
        assert outbox.claim(conn, clock.now, 10, HOLD, fence=3) == []
        [again] = outbox.claim(conn, clock.forward(1), 10, HOLD, fence=4)
    assert (again.id, again.attempts, again.fence) == ("d1", 2, 4)


def test_who_lost_a_claim_settles_nothing(db, clock, make):
    with db.write(durable=True) as conn:
        outbox.add(conn, [make.delivery()])
        [old] = outbox.claim(conn, clock.now, 10, HOLD, fence=3)
        [new] = outbox.claim(conn, clock.now, 10, HOLD, fence=4)
        assert not outbox.failed(conn, old, "late")
        assert outbox.sent(conn, new, clock.now)


def test_what_waits_longer_than_any_wait_because_the_clock_went_back_is_due(db, clock, make):
    with db.write(durable=True) as conn:
        soon = clock.now + timedelta(minutes=2)
        outbox.add(conn, [make.delivery("d1"), make.delivery("d2", next_at=soon)])
        [claimed] = outbox.claim(conn, clock.now, 1, HOLD)
        outbox.retry(conn, claimed, clock.now + timedelta(minutes=5), "timed out")
        assert outbox.due(conn, clock.now, 9) == []
        clock.forward(-3600)
        assert {one.id for one in outbox.due(conn, clock.now, 9)} == {"d1", "d2"}


def test_what_waits_for_a_shift_waits_for_it_whatever_the_clock_did(db, clock, make):
    with db.write(durable=True) as conn:
        outbox.add(conn, [make.delivery(next_at=clock.now + timedelta(hours=5))])
        assert outbox.due(conn, clock.forward(-3600), 9) == []


def test_what_is_to_be_avoided_is_not_due(db, clock, make):
    with db.write(durable=True) as conn:
        outbox.add(conn, [make.delivery("d1"), make.delivery("d2", contact="chef"), make.delivery("d3", channel="x")])
        avoid = outbox.Avoid(frozenset({"d2"}), frozenset({"x"}), frozenset())
        assert [one.id for one in outbox.due(conn, clock.now, 9, avoid=avoid)] == ["d1"]


def test_alerts_leave_before_withdrawals(db, clock, make):
    with db.write(durable=True) as conn:
        later = clock.forward(60)
        outbox.add(conn, [make.delivery("d1", event="withdrawal"), make.delivery("d2", created_at=later)])
        assert [one.id for one in outbox.due(conn, clock.now, 9)] == ["d2", "d1"]


def test_what_waits_for_a_repair_is_hurried_by_its_fault(db, clock, make):
    with db.write(durable=True) as conn:
        outbox.add(conn, [make.delivery("d1"), make.delivery("d2")])
        first, second = outbox.claim(conn, clock.now, 2, HOLD)
        outbox.retry(conn, first, clock.now + timedelta(minutes=5), "no key", "repair:no-key")
        outbox.retry(conn, second, clock.now + timedelta(minutes=5), "busy", "smtp-451")
        assert outbox.hurry(conn, "repair:") == 1
        assert [one.id for one in outbox.due(conn, clock.now, 9)] == ["d1"]


def test_a_reopened_incident_is_acknowledged_anew(db, make):
    with db.write(durable=True) as conn:
        incidents.put(conn, [make.incident(state="closed", revision=2)])
        incidents.add_events(conn, [make.event("e2", event="closed", incident=make.incident(revision=2))])
        outbox.acknowledge(conn, make.acknowledgement(by="Maud"))
        assert [one.by for one in outbox.acknowledgements(conn, ["i1"])["i1"]] == ["Maud"]
        incidents.put(conn, [make.incident(state="open", revision=3)])
        assert outbox.acknowledgements(conn, ["i1"]) == {}
        assert outbox.acknowledge(conn, make.acknowledgement(by="Yanis"))
        assert [(one.by, one.life) for one in outbox.acknowledgements(conn, ["i1"])["i1"]] == [("Yanis", 1)]


def test_what_a_message_quotes_is_remembered_over_its_attempts(db, clock, make):
    with db.write(durable=True) as conn:
        outbox.add(conn, [make.delivery()])
        [claimed] = outbox.claim(conn, clock.now, 10, HOLD)
        assert outbox.quote(conn, claimed, ["file:1", "file:2"])
        outbox.retry(conn, claimed, clock.now, "cut off")
        [claimed] = outbox.claim(conn, clock.now, 10, HOLD)
        assert outbox.quote(conn, claimed, ["file:2", "file:3"])
        assert outbox.get(conn, "d1").quoted == ("file:1", "file:2", "file:3")


def test_what_was_cancelled_or_claimed_by_another_is_not_the_callers_to_send(db, clock, make):
    with db.write(durable=True) as conn:
        outbox.add(conn, [make.delivery()])
        [old] = outbox.claim(conn, clock.now, 10, HOLD, fence=1)
        [new] = outbox.claim(conn, clock.now, 10, HOLD, fence=2)
        assert not outbox.quote(conn, old, [])
        outbox.cancel(conn, "i1")
        assert not outbox.quote(conn, new, [])
