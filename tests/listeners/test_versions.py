"""Posts that their source edited or deleted, in every order in which that can come."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from config.world import World
from listeners.authors import PERIOD, AuthorKeys, period
from listeners.collect import collect
from listeners.incoming import Gone, Incoming
from listeners.x_wire import incoming
from store import annotations, changes, incidents, ledger, outbox, posts, withdrawals
from store.database import Database
from store.records import Annotation, Delivery
from store.search.embedded import Embedded
from store.search.request import Query

KEY = AuthorKeys.of_bytes(b"test")
NOON = datetime(2031, 5, 4, 12, tzinfo=UTC)
FIRST = Incoming("x", "100", "Incendie rue des Lilas à Cholet", NOON, "fr", author_id="4242")
SECOND = replace(FIRST, native_id="101", text="Incendie rue des Roses à Cholet", earlier=("100",))
THIRD = replace(FIRST, native_id="102", text="Incendie rue des Iris à Cholet", earlier=("100", "101"))
UNWANTED = replace(FIRST, native_id="101", text="Un café à Cholet ?", earlier=("100",))
GONE = Gone("x", "100", NOON + timedelta(seconds=30))


def come(db: Database, world: World, *items: Incoming | Gone) -> None:
    collect(db, world, items, source="s", clock=lambda: NOON, key=KEY)


def texts(db: Database) -> list[str]:
    with db.read() as conn:
        return list(conn.exec_driver_sql("SELECT text FROM posts").scalars())


def found(db: Database, word: str) -> list[str]:
    return [hit.post_id for hit in Embedded(db).search(Query(word)).found]


def lines(db: Database) -> list[tuple[str, str, object]]:
    with db.read() as conn:
        return [(one.kind, one.subject, one.detail) for one in ledger.entries(conn)]


def understood(db: Database, id: str = "x:100") -> None:
    """The post was annotated, tells of an incident, and was quoted in a message that left and one that did not."""
    delivery = Delivery("d1", "a", "inc", "new", "sdis", "lead", "c", "mail", NOON, "sent", quoted=(id,))
    with db.write(durable=True) as conn:
        annotations.put(conn, [Annotation(id, "fr", "fast", 0.9, 0.9, {}, why=("lilas",))])
        incidents.link(conn, "inc", [id])
        outbox.add(conn, [delivery, replace(delivery, id="d2", state="pending"), replace(delivery, id="d3", quoted=())])


def test_an_edit_takes_the_place_of_what_was_said_under_the_same_id(db: Database, world: World) -> None:
    come(db, world, FIRST)
    understood(db)
    come(db, world, replace(SECOND, created_at=NOON + timedelta(minutes=5)))
    with db.read() as conn:
        (kept,) = posts.get(conn, ["x:100"]).values()
        (told,) = withdrawals.of_incident(conn, "inc")
        assert annotations.get(conn, ["x:100"]) == {}
        assert changes.after(conn, 0, ["posts"], 9)[-1].op == "update"
    assert (kept.text, kept.created_at, kept.edited_at) == (SECOND.text, NOON, NOON + timedelta(minutes=5))
    assert (found(db, "lilas"), found(db, "roses")) == ([], ["x:100"])
    assert (told.kind, told.post_id, told.out_of_reach) == ("edited", "x:100", ("d1",))
    detail = {"via": "stream", "at_source": "2031-05-04T12:05:00Z", "incidents": ["inc"], "out_of_reach": 1}
    assert lines(db) == [("post.edited", "x:100", detail)]


@pytest.mark.parametrize("order", list(permutations((FIRST, SECOND, THIRD))))
@pytest.mark.parametrize("apart", [True, False])
def test_the_newest_version_stays_whatever_comes_when(
    db: Database, world: World, order: tuple[Incoming, ...], apart: bool
) -> None:
    for items in [(one,) for one in order] if apart else [order]:
        come(db, world, *items)
    come(db, world, *order, replace(FIRST, backfilled=True))
    assert texts(db) == [THIRD.text]


def test_an_older_version_that_x_calls_older_is_not_kept(db: Database, world: World) -> None:
    data = {"id": "100", "text": FIRST.text, "created_at": "2031-05-04T12:00:00Z"}
    older = incoming(data | {"edit_history_tweet_ids": ["100", "101"]}, {})
    newest = incoming(data | {"id": "101", "edit_history_tweet_ids": ["100", "101"]}, {})
    assert (older.earlier, older.superseded) == ((), True)
    assert (newest.earlier, newest.superseded) == (("100",), False)
    come(db, world, older)
    assert texts(db) == []


def test_what_no_filter_wants_any_more_after_an_edit_is_not_kept(db: Database, world: World) -> None:
    come(db, world, FIRST)
    understood(db)
    come(db, world, UNWANTED, FIRST)
    assert texts(db) == []
    ((kind, subject, detail),) = lines(db)
    assert (kind, subject, detail["dropped"], detail["out_of_reach"]) == ("post.edited", "x:100", True, 1)
    come(db, world, THIRD)
    assert texts(db) == [THIRD.text]


def test_an_edit_that_no_filter_wants_keeps_the_version_before_it_out(db: Database, world: World) -> None:
    come(db, world, UNWANTED, FIRST)
    assert texts(db) == []


def test_a_deletion_takes_all_that_was_made_of_a_post_and_leaves_proof_without_text(db: Database, world: World) -> None:
    come(db, world, FIRST)
    understood(db)
    come(db, world, GONE)
    with db.read() as conn:
        (told,) = withdrawals.of_incident(conn, "inc")
        assert annotations.get(conn, ["x:100"]) == incidents.incident_of(conn, ["x:100"]) == {}
    assert (texts(db), found(db, "incendie")) == ([], [])
    assert (told.kind, told.via, told.out_of_reach) == ("deleted", "stream", ("d1",))
    detail = {"via": "stream", "at_source": "2031-05-04T12:00:30Z", "incidents": ["inc"], "out_of_reach": 1}
    assert lines(db) == [("post.deleted", "x:100", detail)]


@pytest.mark.parametrize("notice", ["100", "101", "102"])
def test_a_notice_for_any_version_hits(db: Database, world: World, notice: str) -> None:
    come(db, world, FIRST, SECOND, THIRD, replace(GONE, native_id=notice))
    assert texts(db) == []


@pytest.mark.parametrize("order", list(permutations((FIRST, SECOND, GONE))))
def test_what_was_deleted_does_not_come_back(db: Database, world: World, order: tuple[Incoming | Gone, ...]) -> None:
    come(db, world, *order)
    come(db, world, replace(FIRST, backfilled=True), THIRD, SECOND)
    assert texts(db) == []


def test_a_notice_told_twice_is_one_line(db: Database, world: World) -> None:
    come(db, world, FIRST, GONE, GONE)
    come(db, world, GONE)
    assert len(lines(db)) == 1


def test_a_notice_about_nothing_we_kept_leaves_no_line(db: Database, world: World) -> None:
    come(db, world, GONE)
    assert lines(db) == []


def test_deletion_after_an_edit_that_moved_a_post_tells_both_incidents(db: Database, world: World) -> None:
    come(db, world, FIRST)
    understood(db)
    come(db, world, SECOND)
    with db.write() as conn:
        incidents.link(conn, "other", ["x:100"])
    come(db, world, GONE)
    with db.read() as conn:
        assert [one.kind for one in withdrawals.of_incident(conn, "inc")] == ["edited", "deleted"]
        assert [one.kind for one in withdrawals.of_incident(conn, "other")] == ["deleted"]


CHANGE = datetime(1970, 1, 1, tzinfo=UTC) + PERIOD * period(NOON)


@pytest.mark.parametrize(
    ("before_h", "after_h", "voices"),
    [(1, 1, 1), (71, 71, 1), (73, 1, 2), (1, 73, 2)],
)
def test_an_author_is_one_voice_across_a_change_of_key(
    db: Database, world: World, before_h: int, after_h: int, voices: int
) -> None:
    moments = CHANGE - timedelta(hours=before_h), CHANGE + timedelta(hours=after_h)
    came = [replace(FIRST, native_id=str(n), created_at=at, received_at=at) for n, at in enumerate(moments)]
    collect(db, world, came, source="s", clock=lambda: NOON, key=KEY)
    with db.read() as conn:
        authors = {post.author for post in posts.get(conn, ["x:0", "x:1"]).values()}
    assert len(authors) == voices


def test_an_author_not_heard_before_a_change_of_key_goes_under_the_new_one(db: Database, world: World) -> None:
    at = CHANGE + timedelta(hours=1)
    come(db, world, replace(FIRST, received_at=CHANGE - timedelta(hours=1), author_id="1"))
    come(db, world, replace(FIRST, native_id="2", received_at=at, author_id="2"))
    with db.read() as conn:
        assert posts.get(conn, ["x:2"])["x:2"].author == KEY.pseudonym("x", "2", at)
