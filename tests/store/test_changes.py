from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Boolean, Float, Integer, Text, delete, insert, update

from store import annotations, changes, incidents, posts
from store.records import Change
from store.tables import SHARED, metadata
from store.types import FreeText, Json, UtcMicros

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BEFORE = {Text: "a", FreeText: "a", Integer: 1, Float: 0.5, Boolean: True, Json: {"a": 1}, UtcMicros: NOON}
AFTER = {
    Text: "b",
    FreeText: "b",
    Integer: 2,
    Float: 1.5,
    Boolean: False,
    Json: {"a": 2},
    UtcMicros: NOON + timedelta(seconds=1),
}


class Stopped(Exception):
    pass


def logged(conn, table):
    return [(change.op, change.key) for change in changes.after(conn, 0, [table.name], 100)]


@pytest.mark.parametrize("name", SHARED)
def test_inserts_updates_and_deletes_of_a_shared_table_are_logged_and_idle_updates_are_not(name, db):
    table, key = metadata.tables[name], SHARED[name]
    row = {column.name: BEFORE[type(column.type)] for column in table.c}
    others = [column for column in table.c if column.name != key]
    with db.write() as conn:
        conn.execute(insert(table).values(row))
        conn.execute(update(table).values(row))
        for column in others:
            conn.execute(update(table).values({column.name: AFTER[type(column.type)]}))
        conn.execute(delete(table))
        assert logged(conn, table) == [("insert", "a"), *[("update", "a")] * len(others), ("delete", "a")]


@pytest.mark.parametrize("name", SHARED)
def test_a_row_whose_key_changes_is_logged_as_gone_and_come(name, db):
    table, key = metadata.tables[name], SHARED[name]
    with db.write() as conn:
        conn.execute(insert(table).values({column.name: BEFORE[type(column.type)] for column in table.c}))
        conn.execute(update(table).values({key: "b"}))
        assert logged(conn, table) == [("insert", "a"), ("delete", "a"), ("insert", "b")]


def test_a_change_that_is_rolled_back_is_not_logged(db, make):
    with pytest.raises(Stopped), db.write() as conn:  # noqa: PT012 - what is done before the stop is the point
        posts.add(conn, [make.post(1)])
        raise Stopped
    with db.read() as conn:
        assert changes.latest(conn) == 0


def test_changes_come_in_order_from_a_number_on_for_the_tables_asked(db, make):
    with db.write() as conn:
        posts.add(conn, [make.post(1), make.post(2)])
        annotations.put(conn, [make.annotation(1), make.annotation(2)])
        incidents.put(conn, [make.incident()])
    with db.read() as conn:
        assert changes.after(conn, 1, ["posts", "incidents"], 10) == [
            Change(2, "posts", "file:2", "insert"),
            Change(5, "incidents", "i1", "insert"),
        ]
        assert [change.seq for change in changes.after(conn, 0, ["posts", "annotations"], 3)] == [1, 2, 3]
        assert changes.latest(conn) == 5


def test_change_numbers_are_never_given_twice(db, make):
    with db.write() as conn:
        posts.add(conn, [make.post(1)])
        conn.exec_driver_sql("DELETE FROM changes")
        posts.add(conn, [make.post(2)])
        assert [change.seq for change in changes.after(conn, 0, ["posts"], 10)] == [2]


def test_deleting_a_post_takes_all_that_was_made_of_it_and_leaves_tombstones(db, make):
    with db.write() as conn:
        posts.add(conn, [make.post(1), make.post(2)])
        annotations.put(conn, [make.annotation(1)])
        incidents.link(conn, "i1", ["file:1", "file:2"])
        before = changes.latest(conn)
        assert posts.delete(conn, ["file:1", "file:9"]) == 1
        assert posts.get(conn, ["file:1"]) == {}
        assert annotations.get(conn, ["file:1"]) == {}
        assert incidents.posts_of(conn, "i1") == ["file:2"]
        tombstones = changes.after(conn, before, ["posts", "annotations"], 10)
    assert {(change.table, change.key, change.op) for change in tombstones} == {
        ("posts", "file:1", "delete"),
        ("annotations", "file:1", "delete"),
    }


def test_a_stage_finds_its_cursor_where_it_left_it(db):
    with db.write() as conn:
        assert changes.cursor(conn, "route") == 0
        changes.set_cursor(conn, "route", 7)
        changes.set_cursor(conn, "route", 9)
        assert (changes.cursor(conn, "route"), changes.cursor(conn, "detect")) == (9, 0)
