"""What differs between database and index is found, named, and put right."""

from datetime import UTC, date, datetime, timedelta

import pytest

from store import annotations, changes, hourly, leases, posts
from store.index import generations
from store.index.cluster import connect
from store.index.families import FAMILIES, HOURS, POSTS
from store.index.rebuild import ASKED, Builder
from store.index.repair import repair
from store.index.verify import Verifier, checksum, digest

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MONDAY, TUESDAY, WEDNESDAY = date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 4)


@pytest.fixture
def client(cluster):
    with connect(cluster) as client:
        yield client


@pytest.fixture
def fed(db, make, cluster, clock, client):
    """Three days with two posts each, and an index that holds them."""
    with db.write() as conn:
        posts.add(conn, [make.post(n, created_at=NOON + timedelta(hours=12 * n)) for n in range(6)])
        annotations.put(conn, [make.annotation(n) for n in range(6)])
        changes.set_cursor(conn, "index", changes.latest(conn))
        generations.ask(conn, POSTS, ASKED)
    builder = Builder(db, cluster, clock)
    while builder.step(client):
        pass
    return db


@pytest.fixture
def index(cluster):
    return f"{cluster.prefix}-posts-v1-r1-2026.03"


@pytest.fixture
def verifier(fed, client, cluster, clock):
    return Verifier(fed, client, cluster, clock, wait=lambda seconds: None)


def faults(verifier, family=POSTS):
    found = [verifier.compare(family, day) for day in verifier.days(family)]
    return {day.day: dict(day.faults) for day in found if not day.ok}


def test_where_both_sides_are_the_same_every_day_says_so(verifier):
    found = [verifier.compare(POSTS, day) for day in verifier.days(POSTS)]
    assert [(day.day, day.database, day.index) for day in found] == [
        (MONDAY, 1, 1), (TUESDAY, 2, 2), (WEDNESDAY, 2, 2), (date(2026, 3, 5), 1, 1)
    ]  # fmt: skip
    assert all(day.ok and day.checksum_database == day.checksum_index for day in found)


def test_a_document_that_is_not_in_the_index_is_named(verifier, client, index):
    client.delete(index=index, id="file:1", refresh=True)
    day = verifier.compare(POSTS, TUESDAY)
    assert (day.faults, day.database, day.index) == ({"file:1": "missing"}, 2, 1)
    assert day.checksum_database != day.checksum_index


def test_a_document_that_the_database_does_not_hold_is_named(verifier, client, index):
    body = {"id": "file:99", "created_at": "2026-02-01T00:00:00Z"}
    client.index(index=index, id="file:99", document=body, refresh=True)
    assert faults(verifier) == {date(2026, 2, 1): {"file:99": "extra"}}


def test_a_document_with_other_content_is_named(verifier, client, index):
    client.update(index=index, id="file:3", doc={"text": "Rien à signaler"}, refresh=True)
    assert faults(verifier) == {WEDNESDAY: {"file:3": "other"}}


def test_a_document_that_lies_in_two_indices_is_named(verifier, client, cluster, index):
    copy = client.get(index=index, id="file:0")["_source"]
    second = f"{cluster.prefix}-posts-v1-r1-2026.01"
    client.indices.create(index=second, aliases={POSTS.alias(cluster.prefix): {}})
    client.index(index=second, id="file:0", document=copy, refresh=True)
    assert faults(verifier) == {MONDAY: {"file:0": "twice"}}


@pytest.mark.parametrize("version", [None, 10**6], ids=["as any client", "far above ours"])
def test_what_differs_is_fed_anew_and_then_the_same(fed, verifier, client, cluster, index, version):
    more = {} if version is None else {"version": version, "version_type": "external"}
    client.delete(index=index, id="file:1")
    client.index(index=index, id="file:3", document={"id": "file:3", "created_at": "2026-02-01T00:00:00Z"}, **more)
    client.index(index=index, id="file:99", document={"id": "file:99", "created_at": "2026-03-02T00:00:00Z"}, **more)
    client.indices.refresh(index=index)
    named = {id for day in faults(verifier).values() for id in day}
    assert named == {"file:1", "file:3", "file:99"}
    assert repair(fed, client, cluster, POSTS, named).refused == []
    client.indices.refresh(index=index)
    assert faults(verifier) == {}


def test_of_two_copies_the_one_in_the_wrong_place_goes(fed, verifier, client, cluster, index):
    copy = client.get(index=index, id="file:0")["_source"]
    second = f"{cluster.prefix}-posts-v1-r1-2026.01"
    client.indices.create(index=second, aliases={POSTS.alias(cluster.prefix): {}})
    client.index(index=second, id="file:0", document=copy, refresh=True)
    repair(fed, client, cluster, POSTS, {"file:0"})
    client.indices.refresh(index=f"{cluster.prefix}-*")
    assert faults(verifier) == {}
    assert client.exists(index=index, id="file:0")


def test_a_change_that_the_feeder_has_yet_to_send_is_waited_for(fed, verifier, make, clock, client, cluster):
    with fed.write() as conn:
        posts.add(conn, [make.post(8, created_at=NOON)])
    leases.acquire(fed, "index", "Anouk", clock())
    turns = []

    def feed_at_the_second_wait(seconds):
        turns.append(seconds)
        if len(turns) == 2:
            repair(fed, client, cluster, POSTS, ["file:8"])
            with fed.write() as conn:
                changes.set_cursor(conn, "index", changes.latest(conn))

    found = Verifier(fed, client, cluster, clock, wait=feed_at_the_second_wait).compare(POSTS, MONDAY)
    assert (found.ok, found.database, found.index, len(turns)) == (True, 2, 2, 2)


def test_without_a_feeder_what_was_not_sent_is_a_difference(fed, verifier, make):
    with fed.write() as conn:
        posts.add(conn, [make.post(8, created_at=NOON)])
    assert verifier.compare(POSTS, MONDAY).faults == {"file:8": "missing"}


def test_an_hour_that_is_counted_on_is_not_compared(fed, verifier, clock):
    with fed.write() as conn:
        hourly.add(conn, clock(), {"source:x": (4, 2, 60.0)})
        hourly.add(conn, clock() - timedelta(hours=3), {"source:x": (4, 2, 60.0)})
    assert [list(ids) for ids in faults(verifier, HOURS).values()] == [["source:x@2026-03-02T09:00:00Z"]]


def test_a_family_that_was_never_fed_lacks_everything(db, make, client, cluster, clock):
    with db.write() as conn:
        posts.add(conn, [make.post(1)])
    verifier = Verifier(db, client, cluster, clock, wait=lambda seconds: None)
    assert faults(verifier) == {MONDAY: {"file:1": "missing"}}
    assert [faults(verifier, family) for family in FAMILIES[1:]] == [{}] * 7


def test_a_checksum_tells_content_and_not_order():
    one, two = digest({"id": "a", "n": 1.5}), digest({"id": "b"})
    assert checksum([one, two]) == checksum([two, one]) != checksum([one])
    assert digest({"n": 1.5, "id": "a"}) == one != digest({"id": "a", "n": 1})
