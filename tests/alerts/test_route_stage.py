"""Events become alerts and deliveries, once."""

import shutil
from dataclasses import replace
from datetime import timedelta

import pytest
from alerts_kit import NIGHT, event, happens, world

from alerts.router import route_stage
from store import alerts, changes, leases, ledger, outbox
from store.database import Database, LeaseLost


def everything(db):
    with db.read() as conn:
        return alerts.of_incident(conn, "inc-1"), outbox.of_incident(conn, "inc-1"), ledger.entries(conn)


def changed(**more):
    there = world()
    return replace(there, bundle=there.bundle.model_copy(update=more))


def test_routing_twice_makes_nothing_twice(db, clock):
    happens(db, event())
    route_stage(db, world(), clock=clock)
    first = everything(db)
    assert route_stage(db, world(), clock=clock) == 0
    assert everything(db) == first


def test_an_event_read_again_after_a_lost_cursor_makes_nothing_twice(db, clock):
    happens(db, event())
    route_stage(db, world(), clock=clock)
    first = everything(db)
    with db.write() as conn:
        changes.set_cursor(conn, "route", 0)
    assert route_stage(db, world(), clock=clock) > 0
    assert everything(db) == first


def test_one_by_one_gives_what_one_batch_gives(db, clock, migrated, tmp_path):
    shutil.copy(migrated, tmp_path / "other.db")
    other = Database.open(f"sqlite:///{tmp_path / 'other.db'}", clock=clock)
    story = [
        event(severity="Moderate"),
        event("update", NIGHT + timedelta(minutes=5), revision=2, severity="Severe"),
        event("update", NIGHT + timedelta(minutes=9), revision=3, severity="Severe", tags=("public_order_threat",)),
        event("closed", NIGHT + timedelta(hours=3), revision=4, severity="Severe"),
    ]
    clock.forward(hours=3)
    for base, limit in ((db, 1), (other, 100)):
        happens(base, *story)
        while route_stage(base, world(), clock=clock, limit=limit):
            pass
    assert everything(db)[:2] == everything(other)[:2]
    assert len(everything(db)[0]) == 4


def test_every_event_leaves_an_alert_and_a_ledger_line_whoever_is_told(db, clock):
    happens(db, event(late=True))
    route_stage(db, world(), clock=clock)
    [alert], deliveries, [entry] = everything(db)
    assert not alert.paged
    assert deliveries == []
    assert "nobody is paged: found late, so never paged as new; it is on the desk" in alert.reason
    assert (entry.kind, entry.detail["told"], entry.detail["lead"]) == ("routed", 0, "rescue")


def test_ids_depend_on_content_only(db, clock):
    happens(db, event())
    route_stage(db, world(), clock=clock)
    _, deliveries, _ = everything(db)
    assert len({one.id for one in deliveries}) == len(deliveries) == 4
    clock.forward(minutes=3)
    happens(db, event(id="inc-2"))
    route_stage(db, world(), clock=clock)
    with db.read() as conn:
        assert not {one.id for one in deliveries} & {one.id for one in outbox.of_incident(conn, "inc-2")}


def test_an_update_of_the_same_severity_rise_has_keys_of_its_own(db, clock):
    happens(db, event(severity="Moderate"), event("update", NIGHT + timedelta(minutes=5), revision=2))
    route_stage(db, world(), clock=clock)
    _, deliveries, _ = everything(db)
    officers = [one for one in deliveries if one.contact == "officer"]
    assert [one.event for one in officers] == ["new", "update"]
    assert officers[0].id != officers[1].id


def test_two_messages_to_an_agency_are_two_minutes_apart(db, clock):
    happens(db, event(severity="Moderate"), event("update", NIGHT + timedelta(seconds=20), revision=2))
    route_stage(db, world(), clock=clock)
    officers = [one for one in everything(db)[1] if one.contact == "officer"]
    assert officers[1].next_at == NIGHT + timedelta(minutes=2)


def test_extreme_does_not_wait(db, clock):
    later = NIGHT + timedelta(seconds=20)
    happens(db, event(severity="Moderate"), event("update", later, revision=2, severity="Extreme"))
    route_stage(db, world(), clock=clock)
    officers = [one for one in everything(db)[1] if one.contact == "officer"]
    assert officers[1].next_at is None


def test_after_an_outage_those_on_call_now_are_told(db, clock):
    clock.now = NIGHT.replace(hour=9)
    happens(db, event(severity="Moderate"))
    route_stage(db, world(), clock=clock)
    keeper = next(one for one in everything(db)[1] if one.contact == "keeper")
    assert keeper.next_at == clock.now


def test_without_the_lease_nothing_is_decided(db, clock):
    happens(db, event())
    old = leases.acquire(db, "route", "one", clock())
    clock.forward(seconds=11)
    leases.acquire(db, "route", "two", clock())
    with pytest.raises(LeaseLost):
        route_stage(db, world(), clock=clock, lease=old)
    assert everything(db) == ([], [], [])


def test_a_lead_that_nobody_can_reach_is_replaced_by_the_default_lead(db, clock):
    there = changed(
        agencies=[
            one.model_copy(update={"contacts": ()} if one.id == "police" else {}) for one in world().bundle.agencies
        ]
    )
    happens(db, event(hazard="looting"))
    route_stage(db, there, clock=clock)
    [alert], deliveries, _ = everything(db)
    assert alert.lead == "police"
    assert [one.contact for one in deliveries] == ["duty"]
    assert "default lead: nobody of police can be reached" in alert.reason


def test_public_order_is_no_topic_without_a_legal_basis(db, clock):
    there = changed(public_order=None)
    happens(db, event(tags=("public_order_threat",)))
    route_stage(db, there, clock=clock)
    [alert], _, _ = everything(db)
    assert "police" not in alert.support
    assert any("no legal basis" in one for one in alert.reason)
