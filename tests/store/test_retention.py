"""Retention: each class of data goes after its own time, and the ledger says how much."""

from datetime import timedelta

import pytest

from store import (
    alerts,
    annotations,
    cache,
    changes,
    gaps,
    holds,
    hourly,
    incidents,
    ledger,
    outbox,
    posts,
    withdrawals,
)
from store.records import Gap
from store.retention import BATCH, Ages, erase
from store.search.embedded import Embedded
from store.search.request import Query

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


def hold(db, subject, now, **more):
    given = {"by": "the office", "reason": "an inquiry", "legal_basis": "an invented order", "now": now, **more}
    with db.write(durable=True) as conn:
        return holds.place(conn, subject, **given)


def ids(db):
    with db.read() as conn:
        return set(conn.exec_driver_sql("SELECT id FROM posts").scalars())


@pytest.fixture
def two(db, make):
    """Two posts, the first of a closed incident, the second of none."""
    keep(db, make, make.post(1), **THREAT)
    keep(db, make, make.post(2), **THREAT)
    told = make.incident(state="closed", tags=("public_order_threat",), evidence=("file:1",), why=("fumée",))
    with db.write(durable=True) as conn:
        incidents.put(conn, [told])
        incidents.link(conn, "i1", ["file:1"])
        incidents.add_events(conn, [make.event(incident=told, reason=("tag public_order_threat", "3 voices"))])
        alerts.add(conn, [make.alert(incident=told, reason=("rule for public_order_threat", "rule 2"))])


@pytest.mark.parametrize(
    ("subject", "left"),
    [("all", {"file:1", "file:2"}), ("incident:i1", {"file:1"}), ("post:file:2", {"file:2"})],
)
def test_what_is_on_hold_is_not_erased_by_age(db, two, clock, now, subject, left):
    hold(db, subject, clock())
    erase(db, now, ages(WEEK, WEEK, WEEK, WEEK))
    assert ids(db) == left
    with db.read() as conn:
        kept = incidents.get(conn, "i1")
        scores = {one.tags["public_order_threat"] for one in annotations.get(conn, list(left)).values()}
    assert (kept is not None) == (subject != "post:file:2")
    assert scores == {0.9}


@pytest.mark.parametrize("end", ["released", "over"])
def test_a_hold_that_has_ended_keeps_nothing(db, two, clock, now, end):
    made = hold(db, "all", clock(), until=now if end == "over" else None)
    if end == "released":
        with db.write(durable=True) as conn:
            assert holds.release(conn, made.id, by="the office", now=now)
            assert holds.release(conn, made.id, by="the office", now=now) is None
    erase(db, now, ages(posts=WEEK))
    assert ids(db) == set()


def test_the_ledger_says_who_holds_what_and_why(db, two, clock, now):
    made = hold(db, "incident:i1", clock())
    with db.write(durable=True) as conn:
        holds.release(conn, made.id, by="another", now=now)
        added, released = ledger.entries(conn, subject=made.id)
    assert (added.kind, added.actor, added.detail["legal_basis"]) == ("hold.added", "the office", "an invented order")
    assert (released.kind, released.actor, released.detail) == ("hold.released", "another", {"subject": "incident:i1"})


@pytest.mark.parametrize("subject", ["incident:nowhere", "post:x:1", "incident:", "everything", "agency:sdis"])
def test_a_hold_on_nothing_is_refused(db, now, subject):
    with pytest.raises(holds.NoSuchThing):
        hold(db, subject, now)


def test_what_its_source_deletes_goes_although_it_is_on_hold(db, two, clock, now):
    hold(db, "all", clock())
    with db.write(durable=True) as conn:
        assert withdrawals.delete(conn, {"file:1": now}, now, "stream") == ["file:1"]
    assert ids(db) == {"file:2"}


def test_the_tag_of_a_threat_goes_out_of_what_was_told_and_decided(db, two, now):
    erase(db, now, ages(threats=WEEK))
    with db.read() as conn:
        (told,) = incidents.events(conn, ["e1"]).values()
        (alert,) = alerts.of_incident(conn, "i1")
        kept = incidents.get(conn, "i1")
    assert (kept.tags, told.incident.tags, alert.incident.tags) == ((), (), ())
    assert (told.reason, alert.reason) == (("3 voices",), ("rule 2",))


def test_a_past_incident_keeps_its_figures_and_neither_ids_nor_words_of_erased_posts(db, two, now):
    erase(db, now, ages(posts=WEEK))
    with db.read() as conn:
        kept = incidents.get(conn, "i1")
    assert (kept.evidence, kept.why) == ((), ())


def test_tombstones_and_ids_of_versions_go_with_the_posts_of_their_time(db, make, clock, now):
    with db.write(durable=True) as conn:
        posts.add(conn, [make.post(1), make.post(2, received_at=now)])
        withdrawals.alias(conn, "file:1", ["file:1", "file:11"])
        withdrawals.alias(conn, "file:2", ["file:2", "file:12"])
        withdrawals.delete(conn, {"file:11": clock()}, clock(), "stream")
        withdrawals.delete(conn, {"file:3": now}, now, "stream")
    erase(db, now, ages(posts=LONG))
    with db.read() as conn:
        assert withdrawals.deleted(conn, ["file:1", "file:3"]) == {"file:1", "file:3"}
    erase(db, now, ages(posts=WEEK))
    with db.read() as conn:
        assert withdrawals.deleted(conn, ["file:1", "file:3"]) == {"file:3"}
        assert withdrawals.stored(conn, ["file:11", "file:12"]) == {"file:12": "file:2"}


def test_counts_and_settled_holes_go_and_open_ones_stay(db, clock, now):
    with db.write() as conn:
        for at in (clock(), now):
            hourly.add(conn, at, {"source:x": (1, 1, 0.0)})
        for name, state in (("g1", "filled"), ("g2", "waiting"), ("g3", "lost")):
            gaps.put(conn, Gap(name, "x", clock(), clock(), "cut", state=state))
    erase(db, now, ages(counts=WEEK))
    with db.read() as conn:
        assert len(hourly.between(conn, "source:x", clock() - WEEK, now + WEEK)) == 1
        assert [gap.id for gap in gaps.since(conn, clock() - WEEK)] == ["g2"]


READERS = {"annotate": ("posts",), "detect": ("annotations",)}


def logged(db, table):
    with db.read() as conn:
        return [change.seq for change in changes.after(conn, 0, [table], 9999)]


@pytest.fixture
def log(db, make):
    """Three posts and three annotations in the log, then five incidents."""
    for n in range(3):
        keep(db, make, make.post(n))
    with db.write() as conn:
        for n in range(5):
            incidents.put(conn, [make.incident(f"i{n}")])
    return db


def cursors(db, **at):
    with db.write() as conn:
        for stage, seq in at.items():
            changes.set_cursor(conn, stage, seq)


def shorten(db, now, days=8):
    return [changes.shorten(db, now + timedelta(days=n), WEEK, READERS) for n in (0, days)]


def test_the_change_log_goes_once_it_is_old_and_everybody_has_read_it(log, now):
    cursors(log, annotate=99, detect=99)
    assert shorten(log, now, days=7) == [0, 0]
    assert shorten(log, now) == [0, 10]
    with log.read() as conn:
        assert changes.oldest(conn) == changes.latest(conn) == 11


def test_what_a_stage_has_not_read_stays_whatever_its_age(log, now):
    cursors(log, annotate=99, detect=2)
    shorten(log, now)
    assert (logged(log, "posts"), len(logged(log, "annotations"))) == ([], 2)


def test_a_stage_that_never_ran_has_read_nothing(log, now):
    cursors(log, annotate=99)
    shorten(log, now)
    assert len(logged(log, "annotations")) == 3


def test_a_reader_that_nobody_declared_keeps_what_it_has_not_read(log, now):
    cursors(log, annotate=99, detect=99, somebody=4)
    assert shorten(log, now) == [0, 4]


def test_numbers_rise_after_the_log_was_shortened(log, make, now):
    cursors(log, annotate=99, detect=99)
    shorten(log, now)
    with log.write() as conn:
        posts.add(conn, [make.post(99)])
        assert changes.latest(conn) == 12
    assert logged(log, "posts") == [12]


def test_the_words_of_erased_posts_leave_the_index(db, make, now):
    keep(db, make, make.post(1, "la péniche amarrée"))
    for n in range(2, 40):
        keep(db, make, make.post(n, received_at=now))
    erase(db, now, ages(posts=WEEK))
    with db.read() as conn:
        blocks = b"".join(conn.exec_driver_sql("SELECT block FROM posts_fts_data").scalars())
    assert Embedded(db).search(Query("fumée")).total == 38
    assert b"peniche"[1:] not in blocks
