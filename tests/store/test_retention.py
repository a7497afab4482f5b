"""Retention: each class of data goes after its own time, and the ledger says how much."""

from datetime import timedelta

import pytest

from store import alerts, annotations, cache, incidents, ledger, outbox, posts
from store.retention import BATCH, Ages, erase

LONG = timedelta(days=400)
WEEK = timedelta(days=7)


def ages(posts=LONG, incidents=LONG, threats=LONG, counts=LONG, changes=LONG):
    return Ages(posts, incidents, threats, counts, changes)


THREAT = {
    "tags": {"rumour": 0.1, "public_order_threat": 0.9, "emerging_incident": 0.8},
    "labels": ("public_order_threat", "emerging_incident"),
    "why": ("rendez-vous",),
}


@pytest.fixture
def now(clock):
    return clock() + timedelta(days=30)


def entries(db):
    with db.read() as conn:
        found = ledger.entries(conn, kind="retention")
    return [{name: count for name, count in entry.detail.items() if count} for entry in found]


def keep(db, make, post, **annotation):
    with db.write() as conn:
        posts.add(conn, [post])
        annotations.put(conn, [make.annotation(post_id=post.id, **annotation)])


def read(db, post):
    with db.read() as conn:
        return annotations.get(conn, [post.id]).get(post.id)


def test_a_threat_is_forgotten_after_its_days_and_the_rest_of_the_reading_stays(db, make, now):
    old, new = make.post(1), make.post(2, received_at=now - WEEK)
    for post in (old, new):
        keep(db, make, post, **THREAT)
    assert erase(db, now, ages(threats=WEEK)) == 0
    assert read(db, old).tags == {"rumour": 0.1, "public_order_threat": None, "emerging_incident": 0.8}
    assert (read(db, old).labels, read(db, old).why) == (("emerging_incident",), ())
    assert read(db, new) == make.annotation(2, **THREAT)
    assert entries(db) == [{"threats": 1}]


def test_a_score_below_the_label_is_forgotten_too_and_its_words_stay(db, make, now):
    keep(db, make, make.post(1), why=("fumée",))
    erase(db, now, ages(threats=WEEK))
    assert read(db, make.post(1)).tags["public_order_threat"] is None
    assert read(db, make.post(1)).why == ("fumée",)


def test_posts_go_with_their_annotations_however_many_there_are(db, make, now):
    with db.write() as conn:
        posts.add(conn, [make.post(n) for n in range(BATCH + 1)])
        annotations.put(conn, [make.annotation(1)])
        posts.add(conn, [make.post(9999, received_at=now)])
    assert erase(db, now, ages(posts=WEEK)) == BATCH + 1
    assert read(db, make.post(1)) is None
    with db.read() as conn:
        assert conn.exec_driver_sql("SELECT count(*) FROM posts").scalar_one() == 1


def test_a_closed_incident_goes_with_all_that_was_decided_on_it(db, make, clock, now):
    with db.write(durable=True) as conn:
        incidents.put(conn, [make.incident(state="closed"), make.incident("i2")])
        incidents.add_events(conn, [make.event()])
        alerts.add(conn, [make.alert()])
        outbox.add(conn, [make.delivery()])
        outbox.acknowledge(conn, make.acknowledgement())
    erase(db, now, ages(incidents=WEEK))
    with db.read() as conn:
        assert [incident.id for incident in incidents.recent(conn, 9)] == ["i2"]
        assert incidents.events(conn, ["e1"]) == {}
        assert alerts.of_incident(conn, "i1") == []
        assert outbox.of_incident(conn, "i1") == []
        assert outbox.acknowledgements(conn, ["i1"]) == {}
    assert entries(db) == [{"incidents": 1}]


def test_answers_of_the_geocoder_go_with_the_posts(db, clock, now):
    with db.write() as conn:
        cache.put(conn, "old", 1, clock())
        cache.put(conn, "new", 2, now)
    erase(db, now, ages(posts=WEEK))
    with db.read() as conn:
        assert (cache.get(conn, "old"), cache.get(conn, "new")) == (None, 2)


def test_nothing_to_erase_leaves_no_line_in_the_ledger(db, now):
    assert erase(db, now, ages(WEEK, WEEK, WEEK)) == 0
    assert entries(db) == []
