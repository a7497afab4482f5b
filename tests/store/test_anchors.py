"""What the ledger proves by heads that were written down: against who changes lines, cuts it, or writes it all anew."""

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from store import anchors, ledger
from store.records import Anchor, LedgerEntry

KEY = b"k" * 32


def write(db, clock, *subjects):
    with db.write(durable=True) as conn:
        ledger.append(conn, [LedgerEntry(clock.now, "sent", one) for one in subjects])


def anchored(db, clock, place="outside", key=KEY, keep=False):
    with db.read() as conn:
        seq, digest = ledger.head(conn)
    made = anchors.seal(Anchor(seq, digest, clock.now, place), key)
    if keep:
        with db.write(durable=True) as conn:
            anchors.add(conn, made)
    return made


def prove(db, *outside):
    with db.read() as conn:
        return anchors.prove(conn, outside, KEY)


def anew(url, db, clock, *subjects):
    """Somebody with the database alone writes the whole ledger anew, as Vigie itself would."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as conn, conn:
        for statement in ("DROP TRIGGER ledger_UPDATE", "DROP TRIGGER ledger_DELETE", "DELETE FROM ledger"):
            conn.execute(statement)
        conn.execute("DELETE FROM sqlite_sequence WHERE name = 'ledger'")
    write(db, clock, *subjects)


def test_an_anchor_from_outside_proves_what_was_before_it_and_no_more(db, clock):
    write(db, clock, "a", "b")
    told = anchored(db, clock)
    write(db, clock, "c")
    proof = prove(db, told)
    assert (proof.intact, proof.outside, proof.unproved) == (True, told, 1)


def test_without_an_anchor_nothing_is_proved(db, clock):
    write(db, clock, "a", "b")
    assert (prove(db).intact, prove(db).outside, prove(db).unproved) == (True, None, 2)


def test_an_anchor_in_the_database_is_told_apart_from_one_outside(db, clock):
    write(db, clock, "a")
    kept = anchored(db, clock, keep=True)
    proof = prove(db)
    assert (proof.outside, proof.inside, proof.unproved) == (None, kept, 1)


def test_a_ledger_written_anew_contradicts_the_anchor_although_its_chain_holds(url, db, clock):
    write(db, clock, "a", "b")
    early = anchored(db, clock)
    write(db, clock, "c", "d")
    late = anchored(db, clock)
    anew(url, db, clock, "a", "b", "other", "d")
    with db.read() as conn:
        assert ledger.verify(conn) is None
    proof = prove(db, early, late)
    assert (proof.first_bad, proof.contradicted, proof.outside) == (3, (late,), early)


def test_a_ledger_cut_before_an_anchor_is_found_although_its_chain_holds(url, db, clock):
    write(db, clock, "a", "b", "c")
    told = anchored(db, clock)
    anew(url, db, clock, "a", "b")
    proof = prove(db, told)
    assert (proof.first_bad, proof.contradicted, proof.unproved) == (1, (told,), 2)


def test_a_line_changed_after_the_last_anchor_is_named(url, db, clock):
    write(db, clock, "a", "b")
    told = anchored(db, clock)
    write(db, clock, "c", "d")
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as conn, conn:
        conn.execute("DROP TRIGGER ledger_UPDATE")
        conn.execute("UPDATE ledger SET subject = 'x' WHERE seq = 3")
    proof = prove(db, told)
    assert (proof.first_bad, proof.outside, proof.contradicted) == (3, told, ())


@pytest.mark.parametrize("forged", [{"digest": "0" * 64}, {"seq": 1}, {"place": "elsewhere"}])
def test_who_has_only_the_database_makes_up_no_anchor(db, clock, forged):
    write(db, clock, "a", "b")
    false = replace(anchored(db, clock), **forged)
    with db.write(durable=True) as conn:
        anchors.add(conn, false)
    proof = prove(db)
    assert (proof.intact, proof.inside, proof.refused) == (True, None, (false,))


def test_an_anchor_of_another_installation_proves_nothing(db, clock):
    write(db, clock, "a")
    foreign = anchored(db, clock, key=b"other")
    assert (prove(db, foreign).outside, prove(db, foreign).refused) == (None, (foreign,))


def test_a_line_keeps_an_anchor_whole_also_inside_a_mail(db, clock):
    write(db, clock, "a")
    told = anchored(db, clock)
    line = anchors.to_line(told)
    assert anchors.of_line(line) == told
    assert anchors.of_line(b"> " + line.strip() + b"\r\n") == told


@pytest.mark.parametrize("line", [b"", b"{", b"null", b"[1]", b'{"vigie_anchor":1}', b'{"vigie_anchor":1,"seq":"x"}'])
def test_a_line_that_holds_no_anchor_gives_none(line):
    assert anchors.of_line(line) is None
