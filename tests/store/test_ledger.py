import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from store import ledger
from store.database import Database
from store.ledger import NotDurable
from store.records import LedgerEntry


class Stopped(Exception):
    pass


def line(clock, n, **more):
    return LedgerEntry(**{"at": clock.now, "kind": "sent", "subject": f"d{n}", "detail": {"n": n}, **more})


@pytest.fixture
def five(db, clock):
    with db.write(durable=True) as conn:
        ledger.append(conn, [line(clock, n) for n in range(1, 4)])
    with db.write(durable=True) as conn:
        ledger.append(conn, [line(clock, n, kind="acknowledged") for n in range(4, 6)])


def tamper(url: str, *statements: str) -> None:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as conn, conn:
        conn.execute("DROP TRIGGER ledger_UPDATE")
        conn.execute("DROP TRIGGER ledger_DELETE")
        for statement in statements:
            conn.execute(statement)


def test_lines_are_chained_by_their_digests(db, five):
    with db.read() as conn:
        lines = ledger.entries(conn)
        assert ledger.verify(conn) is None
    assert [entry.seq for entry in lines] == [1, 2, 3, 4, 5]
    assert [entry.previous for entry in lines] == ["", *[entry.digest for entry in lines[:-1]]]


def test_lines_are_found_by_kind_subject_and_number(db, five):
    with db.read() as conn:
        assert [entry.seq for entry in ledger.entries(conn, kind="acknowledged")] == [4, 5]
        assert [entry.detail for entry in ledger.entries(conn, subject="d2")] == [{"n": 2}]
        assert [entry.seq for entry in ledger.entries(conn, after=2, limit=2)] == [3, 4]


@pytest.mark.parametrize(
    ("statement", "first_bad"),
    [
        ("UPDATE ledger SET detail = '{\"n\":9}' WHERE seq = 3", 3),
        ("UPDATE ledger SET at = at + 1 WHERE seq = 1", 1),
        ("UPDATE ledger SET actor = 'maud' WHERE seq = 5", 5),
        ("UPDATE ledger SET previous = digest WHERE seq = 2", 2),
        ("DELETE FROM ledger WHERE seq = 2", 2),
        ("DELETE FROM ledger WHERE seq = 1", 1),
        ("DELETE FROM ledger WHERE seq = 5", 5),
        ("DELETE FROM ledger", 1),
    ],
)
def test_verify_names_the_first_line_that_was_tampered_with(url, db, five, statement, first_bad):
    tamper(url, statement)
    with db.read() as conn:
        assert ledger.verify(conn) == first_bad


@pytest.mark.parametrize("statement", ["UPDATE ledger SET kind = 'x'", "DELETE FROM ledger WHERE seq = 5"])
def test_the_database_itself_refuses_to_change_the_ledger(db, five, statement):
    with pytest.raises(IntegrityError, match="append-only"), db.write(durable=True) as conn:
        conn.exec_driver_sql(statement)


def test_the_ledger_is_not_written_outside_a_durable_write(db, clock):
    with pytest.raises(NotDurable), db.write() as conn:
        ledger.append(conn, [line(clock, 1)])


def test_a_line_that_is_rolled_back_leaves_no_hole(db, five, clock):
    with pytest.raises(Stopped), db.write(durable=True) as conn:  # noqa: PT012 - what is done before is the point
        ledger.append(conn, [line(clock, 6)])
        raise Stopped
    with db.write(durable=True) as conn:
        assert ledger.append(conn, [line(clock, 6)])[0].seq == 6
        assert ledger.verify(conn) is None


def test_detail_is_sealed_as_it_is_kept(db, clock):
    detail = {"when": clock.now, "list": (1, 2.5, None), "text": "a\ud800", "é": {"b": True}}
    with db.write(durable=True) as conn:
        [kept] = ledger.append(conn, [line(clock, 1, detail=detail)])
        assert ledger.entries(conn) == [kept]
        assert ledger.verify(conn) is None
    assert kept.detail["when"] == "2026-03-02T12:00:00Z"


def test_a_ledger_of_many_pages_is_verified_to_its_end(url, clock):
    db = Database.open(url, clock=clock)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    with db.write(durable=True) as conn:
        ledger.append(conn, [line(clock, n, at=start + timedelta(seconds=n)) for n in range(2100)])
    tamper(url, "UPDATE ledger SET subject = 'x' WHERE seq = 2050")
    with db.read() as conn:
        assert ledger.verify(conn) == 2050
    db.close()
