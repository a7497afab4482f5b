"""What changes in the database is in the index, whatever happens to either."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from feed_kit import asked, feed
from gate_kit import Gate
from sqlalchemy import delete, update

from store import annotations, aside, changes, hourly, incidents, leases, posts, tables
from store.index import generations
from store.index.cluster import connect
from store.index.families import FAMILIES, HOURS, INCIDENTS, POSTS, PUBLIC_ORDER, STAGE
from store.index.feed import Feeder
from store.index.generations import Generation, Standing
from store.index.lag import Lag, lag
from store.index.verify import Verifier
from store.records import Geo, Location

LAST_MONTH = datetime(2026, 2, 12, 12, tzinfo=UTC)
PLACED = Location("Cholet", 0, 6, "Cholet", "commune", "event", lat=47.06, lon=-0.88, radius_m=4000.0)


class Ticks:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def ticks():
    return Ticks()


@pytest.fixture
def client(cluster):
    with connect(cluster) as client:
        yield client


@pytest.fixture
def gate(cluster):
    gate = Gate(cluster.hosts[0])
    yield gate
    gate.shut()


@pytest.fixture
def another(db, cluster, clock, ticks):
    """Makes feeders, as other processes would have them."""
    made, patient = [], replace(cluster, timeout_s=60.0)

    def make(cluster=patient, **more):
        made.append(Feeder(db, cluster, clock, wait=lambda seconds: None, ticks=ticks, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def feeder(db, another):
    """One that feeds from the first change on."""
    with db.write() as conn:
        changes.set_cursor(conn, STAGE, 0)
    return another()


@pytest.fixture
def same(db, client, cluster, clock):
    """Asserts that the index holds what the database says, in every family."""

    def same(families=FAMILIES):
        verifier = Verifier(db, client, cluster, clock, wait=lambda seconds: None)
        client.indices.refresh(index=f"{cluster.prefix}-*")
        days = [verifier.compare(family, day) for family in families for day in verifier.days(family)]
        assert {(one.family, one.day): dict(one.faults) for one in days if not one.ok} == {}
        return sum(one.index for one in days)

    return same


def test_what_is_added_changed_and_deleted_is_so_in_the_index(db, make, feeder, client, cluster, same):
    with db.write() as conn:
        posts.add(conn, [make.post(n) for n in range(3)])
        incidents.put(conn, [make.incident("i1")])
    feed(feeder)
    assert (set(asked(client, cluster)), set(asked(client, cluster, INCIDENTS))) == (
        {"file:0", "file:1", "file:2"}, {"i1"}
    )  # fmt: skip
    with db.write() as conn:
        annotations.put(conn, [make.annotation(1)])
        posts.delete(conn, ["file:2"])
        posts.edit(conn, make.post(0, text="Le feu est éteint"))
    feed(feeder)
    found = asked(client, cluster)
    assert set(found) == {"file:0", "file:1"}
    assert (found["file:0"]["text"], found["file:1"]["hazard"]["name"]) == ("Le feu est éteint", "fire")
    assert same() == 3


POISON = {"geo": Geo(123.0, 0.0, 10.0, "nulle part")}


def set_aside(db):
    with db.read() as conn:
        return {one.key: one.reason for one in aside.newest(conn, 9) if one.stage == STAGE}


def test_what_the_index_cannot_take_is_set_aside_with_its_reason_and_the_rest_goes_on(
    db, make, feeder, client, cluster
):
    with db.write() as conn:
        posts.add(conn, [make.post(1), make.post(2, **POISON), make.post(3)])
    feed(feeder)
    assert set(asked(client, cluster)) == {"file:1", "file:3"}
    assert "latitude" in set_aside(db)["posts:file:2"]


def test_what_was_set_aside_is_taken_back_once_the_index_takes_it(db, make, feeder, client, cluster):
    with db.write() as conn:
        posts.add(conn, [make.post(1, **POISON), make.post(2, **POISON)])
    feed(feeder)
    assert set(set_aside(db)) == {"posts:file:1", "posts:file:2"}
    with db.write() as conn:
        annotations.put(
            conn, [make.annotation(1, locations=(PLACED,))]
        )  # what is understood stands before the platform
        posts.delete(conn, ["file:2"])
    feed(feeder)
    assert set(asked(client, cluster)) == {"file:1"}
    assert set_aside(db) == {}


def test_words_that_were_taken_back_do_not_stay_where_the_new_ones_are_refused(db, make, feeder, client, cluster):
    with db.write() as conn:
        posts.add(conn, [make.post(1)])
    feed(feeder)
    with db.write() as conn:
        conn.execute(update(tables.posts).values(lat=123.0, lon=0.0))
    feed(feeder)
    assert asked(client, cluster) == {}


def test_an_index_that_is_gone_is_built_anew_without_a_hand(db, make, feeder, client, cluster, same):
    with db.write() as conn:
        posts.add(conn, [make.post(n) for n in range(3)])
    feed(feeder)
    client.indices.delete(index=f"{cluster.prefix}-posts-v1-2026.03")
    with db.write() as conn:
        posts.add(conn, [make.post(3)])
    feed(feeder)
    assert set(asked(client, cluster)) == {f"file:{n}" for n in range(4)}
    assert same() == 4


def test_an_index_of_which_nothing_is_written_is_missed_all_the_same(db, make, feeder, client, cluster, ticks):
    with db.write() as conn:
        posts.add(conn, [make.post(1), make.post(2, created_at=LAST_MONTH)])
    feed(feeder)
    client.indices.delete(index=f"{cluster.prefix}-posts-v1-2026.02")
    ticks.now += 11
    feed(feeder)
    assert set(asked(client, cluster)) == {"file:1", "file:2"}


@pytest.mark.parametrize("everything", [True, False])
def test_a_feeder_that_starts_after_indices_were_lost_builds_them_anew(
    db, make, feeder, another, client, cluster, everything
):
    with db.write() as conn:
        posts.add(conn, [make.post(1), make.post(2, created_at=LAST_MONTH)])
    feed(feeder)
    lost = ["2026.02", "2026.03"] if everything else ["2026.02"]
    client.indices.delete(index=[f"{cluster.prefix}-posts-v1-{period}" for period in lost])
    feed(another())
    assert set(asked(client, cluster)) == {"file:1", "file:2"}


def test_a_feeder_that_was_away_longer_than_the_change_log_reads_the_whole_database(
    db, make, feeder, client, cluster, same
):
    with db.write() as conn:
        posts.add(conn, [make.post(1)])
    feed(feeder)
    with db.write() as conn:
        posts.delete(conn, ["file:1"])
        posts.add(conn, [make.post(n) for n in (2, 3)])
        conn.execute(delete(tables.changes).where(tables.changes.c.seq < changes.latest(conn)))
    feeder.close()
    feed(feeder)
    assert set(asked(client, cluster)) == {"file:2", "file:3"}
    assert same() == 2


def test_a_mapping_of_a_later_version_becomes_a_new_generation(db, make, feeder, another, client, cluster):
    with db.write() as conn:
        posts.add(conn, [make.post(1)])
    feed(feeder)
    raised = tuple(replace(one, version=2) if one is POSTS else one for one in FAMILIES)
    feed(another(families=raised))
    assert set(asked(client, cluster)) == {"file:1"}
    with db.read() as conn:
        assert generations.standing(conn, POSTS).live == Generation(2, 1)


def test_an_index_to_which_somebody_gave_another_mapping_is_built_anew_and_no_document_blamed(
    db, make, feeder, another, client, cluster, same
):
    name = f"{cluster.prefix}-posts-v1-2026.03"
    client.indices.create(
        index=name, mappings={"dynamic": "strict", "properties": {"id": {"type": "long"}}},
        aliases={POSTS.alias(cluster.prefix): {}},
    )  # fmt: skip
    with db.write() as conn:
        posts.add(conn, [make.post(1)])
    feed(feeder)
    assert set(asked(client, cluster)) == {"file:1"}
    assert set_aside(db) == {}
    assert not client.indices.exists(index=name)


def test_an_index_of_another_mapping_holds_its_successor_up_no_longer_than_it_takes_to_build(
    db, make, feeder, client, cluster
):
    name, n = f"{cluster.prefix}-posts-v1-2026.03", 0
    client.indices.create(index=name, mappings={"dynamic": "strict", "properties": {"id": {"type": "long"}}})
    while client.indices.exists(index=name):
        n += 1
        assert n < 10, "every post that is refused has it begun anew"
        with db.write() as conn:
            posts.add(conn, [make.post(n)])
        feeder.step()
    feed(feeder)
    assert set(asked(client, cluster)) == {f"file:{one}" for one in range(1, n + 1)}


def test_an_empty_index_that_somebody_put_in_the_place_of_a_full_one_is_missed(
    db, make, feeder, client, cluster, ticks, same
):
    with db.write() as conn:
        posts.add(conn, [make.post(n) for n in range(3)])
    feed(feeder)
    ticks.now += 11
    feed(feeder)
    name = f"{cluster.prefix}-posts-v1-2026.03"
    client.indices.delete(index=name)
    client.indices.create(index=name, aliases={POSTS.alias(cluster.prefix): {}})
    with db.write() as conn:
        posts.add(conn, [make.post(3)])
    ticks.now += 11
    feed(feeder)
    assert set(asked(client, cluster)) == {f"file:{n}" for n in range(4)}
    assert same() == 4


def test_of_two_feeders_the_one_that_lost_its_lease_commits_nothing(db, make, feeder, another, clock, same):
    first = leases.acquire(db, STAGE, "first", clock())
    with db.write() as conn:
        posts.add(conn, [make.post(1)])
    feed(feeder, first)
    clock.forward(11)
    second = leases.acquire(db, STAGE, "second", clock())
    with db.write() as conn:
        posts.add(conn, [make.post(2)])
    with pytest.raises(leases.LeaseLost):
        feed(feeder, first)
    with db.read() as conn:
        before = changes.cursor(conn, STAGE)
    feed(another(), second)
    with db.read() as conn:
        assert changes.cursor(conn, STAGE) == changes.latest(conn) > before
    assert same() == 2


def test_killed_between_sending_and_writing_its_cursor_down_the_index_is_the_same(
    db, make, feeder, another, client, cluster, same
):
    with db.write() as conn:
        posts.add(conn, [make.post(n) for n in range(3)])
    feed(feeder)
    with db.write() as conn:
        posts.delete(conn, ["file:0"])
        posts.edit(conn, make.post(1, text="Le feu est éteint"))
    feed(feeder)
    before = asked(client, cluster)
    with db.write() as conn:
        changes.set_cursor(conn, STAGE, 0)
    feed(another())
    assert asked(client, cluster) == before
    assert same() == 2


def test_a_post_that_comes_back_with_another_date_lies_in_one_place(db, make, feeder, clock, same):
    with db.write() as conn:
        posts.add(conn, [make.post(1), make.post(2, created_at=LAST_MONTH)])
    feed(feeder)
    with db.write() as conn:
        posts.delete(conn, ["file:1"])
        posts.add(conn, [make.post(1, created_at=LAST_MONTH)])
        conn.execute(
            update(tables.posts).where(tables.posts.c.id == "file:2").values(created_at=make.post(2).created_at)
        )
    feed(feeder)
    assert same() == 2


def test_many_that_are_deleted_are_deleted_where_they_lie(db, make, feeder, client, cluster, same):
    many = [make.post(n, created_at=LAST_MONTH if n % 2 else make.post(n).created_at) for n in range(200)]
    with db.write() as conn:
        posts.add(conn, many)
    feed(feeder)
    with db.write() as conn:
        posts.delete(conn, [post.id for post in many[:150]])
    feed(feeder)
    assert same() == 50


def test_public_order_is_kept_apart(db, make, feeder, client, cluster, same):
    threat = {"rumour": 0.0, "public_order_threat": 0.9, "emerging_incident": 0.9}
    with db.write() as conn:
        posts.add(conn, [make.post(1), make.post(2)])
        annotations.put(conn, [make.annotation(1, tags=threat, labels=("public_order_threat",)), make.annotation(2)])
    feed(feeder)
    assert "public_order_threat" not in str(asked(client, cluster))
    assert set(asked(client, cluster, PUBLIC_ORDER)) == {"file:1"}
    with db.write() as conn:
        annotations.put(conn, [make.annotation(1)])
    feed(feeder)
    assert asked(client, cluster, PUBLIC_ORDER) == {}
    assert same() == 2


AGES = {"posts": timedelta(days=20), "public-order": timedelta(days=2)}


def test_a_month_that_may_not_be_kept_any_longer_is_dropped_as_a_whole(db, make, feeder, client, cluster, ticks, clock):
    old = make.post(1, created_at=LAST_MONTH)
    with db.write() as conn:
        posts.add(conn, [old, make.post(2)])
    feed(feeder)
    clock.forward(86_400 * 20)
    ticks.now += 1000
    feed(feeder, ages=AGES)
    assert client.indices.exists(index=f"{cluster.prefix}-posts-v1-2026.02")
    with db.write() as conn:
        posts.delete(conn, ["file:1"])
    ticks.now += 1000
    feed(feeder, ages=AGES)
    assert not client.indices.exists(index=f"{cluster.prefix}-posts-v1-2026.02")
    ticks.now += 11
    feed(feeder, ages=AGES)
    assert set(asked(client, cluster)) == {"file:2"}
    with db.read() as conn:
        assert generations.standing(conn, POSTS) == Standing(Generation(1))


def test_a_cluster_that_is_away_loses_nothing_is_told_and_fed_once_it_is_back(
    db, make, another, cluster, ticks, gate, same
):
    feeder = another(cluster=replace(cluster, hosts=(gate.url,), timeout_s=60.0))
    with db.write() as conn:
        changes.set_cursor(conn, STAGE, 0)
        posts.add(conn, [make.post(1)])
    gate.shut()
    assert feeder.step() == 0
    assert feeder.step() == 0
    with db.read() as conn:
        told = lag(conn)
    assert "nothing answers at that address" in told.away.reason
    assert told.changes > 0
    gate.open()
    ticks.now += 30
    feed(feeder)
    with db.read() as conn:
        assert lag(conn) == Lag(0)
    assert same() == 1


def test_hours_are_fed_as_they_are_counted_and_go_with_the_database(db, make, feeder, client, cluster, clock, ticks):
    with db.write() as conn:
        hourly.add(conn, clock(), {"filter:feu": (3, 1, 60.0)})
    feed(feeder)
    assert asked(client, cluster, HOURS)["filter:feu@2026-03-02T12:00:00Z"]["received"] == 3
    clock.forward(6)
    ticks.now += 6
    with db.write() as conn:
        hourly.add(conn, clock(), {"filter:feu": (2, 0, 60.0)})
    feed(feeder)
    assert asked(client, cluster, HOURS)["filter:feu@2026-03-02T12:00:00Z"]["received"] == 5
