"""The ledger's head on its way out: to a file, to a contact, again where it failed; and what verify says of it."""

import json
import os
from contextlib import closing
from datetime import timedelta

import pytest
from alerts_kit import BUNDLE, KEY, NIGHT, world
from click.testing import CliRunner

from alerts import anchoring
from alerts.anchoring import Anchoring
from alerts.channels import senders
from alerts.dispatch import Dispatcher
from config.secrets import installation_key
from config.world import World
from desk.commands.ledger import command
from store import anchors, config_versions, ledger, state
from store.records import LedgerEntry

FILE = "\nanchors:\n  - {id: disc, file: anchors.jsonl, every_hours: 6}\n"
MAIL = "\nanchors:\n  - {id: box, contact: cabinet}\n"


def bundle(section, smtp=1):
    text = BUNDLE.replace("port: 1,", f"port: {smtp},").replace("@@HOOK@@", "http://127.0.0.1:1/")
    return World.from_files("test", {"bundle.yaml": text + section})


@pytest.fixture
def written(db, clock):
    with db.write(durable=True) as conn:
        ledger.append(conn, [LedgerEntry(clock(), "sent", f"d{n}") for n in range(3)])


@pytest.fixture
def work(db, clock, tmp_path):
    """Rounds of a dispatcher until what it began is over."""
    made = Anchoring(tmp_path, KEY)
    with closing(Dispatcher(db, senders=senders(), clock=clock, key=KEY, anchors=made)) as out:

        def rounds(there):
            clock.forward(seconds=6)
            out.step(there)
            while made.busy:
                out.step(there)

        yield rounds


def lines(tmp_path):
    return [anchors.of_line(line) for line in (tmp_path / "anchors.jsonl").read_bytes().splitlines()]


def entries(db, kind):
    with db.read() as conn:
        return ledger.entries(conn, kind=kind)


def test_the_head_goes_to_the_file_and_the_ledger_says_so(db, written, work, tmp_path):
    work(bundle(FILE))
    [told] = lines(tmp_path)
    [entry] = entries(db, "anchored")
    assert (told.seq, entry.detail["head"], entry.subject) == (3, 3, "disc")
    with db.read() as conn:
        assert anchors.every(conn) == [told]
        assert anchors.prove(conn, [told], KEY).outside == told


def test_it_goes_again_when_its_hours_are_over_and_not_before(db, written, work, clock, tmp_path):
    there = bundle(FILE)
    work(there)
    clock.forward(hours=5)
    work(there)
    assert len(lines(tmp_path)) == 1
    clock.forward(hours=1)
    work(there)
    assert [one.seq for one in lines(tmp_path)] == [3, 4]


def test_an_empty_ledger_has_no_head(db, work, tmp_path):
    work(bundle(FILE))
    assert not (tmp_path / "anchors.jsonl").exists()


def test_a_line_that_was_torn_spoils_no_other(db, written, work, tmp_path):
    (tmp_path / "anchors.jsonl").write_bytes(b'{"vigie_anchor":1,"se')
    work(bundle(FILE))
    assert [one and one.seq for one in lines(tmp_path)] == [None, 3]


def test_a_place_that_fails_is_told_once_and_tried_again_after_five_minutes(db, written, work, clock, tmp_path):
    there = bundle(FILE)
    (tmp_path / "anchors.jsonl").mkdir()
    work(there)
    clock.forward(minutes=6)
    work(there)
    assert [entry.detail["code"] for entry in entries(db, "anchor.failed")] == ["IsADirectoryError"]
    with db.read() as conn:
        assert "cannot be written" in anchoring.failing(state.get(conn, anchoring.STATE))["disc"]
    (tmp_path / "anchors.jsonl").rmdir()
    clock.forward(minutes=6)
    work(there)
    with db.read() as conn:
        assert state.get(conn, anchoring.STATE) == {}
    assert len(lines(tmp_path)) == 1


def test_the_head_goes_to_a_contact_by_mail_in_a_line_that_can_be_kept(db, written, work, inbox):
    from email import message_from_bytes, policy

    box, port = inbox
    work(bundle(MAIL, port))
    mail = message_from_bytes(box.mails[0].content, policy=policy.default)
    text = mail.get_body(("plain",)).get_content()
    [told] = [found for line in text.encode().splitlines() if (found := anchors.of_line(line))]
    with db.read() as conn:
        assert anchors.prove(conn, [told], KEY).outside == told
    assert "empreinte du registre, ligne 3" in mail["Subject"]
    assert mail["Message-ID"].startswith("<an-")


def test_a_clock_put_back_anchors_again_rather_than_never(db, written, work, clock, tmp_path):
    there = bundle(FILE)
    work(there)
    clock.forward(hours=-24)
    work(there)
    assert len(lines(tmp_path)) == 2


@pytest.fixture
def home(db, written, tmp_path, monkeypatch):
    """An installation whose bundle anchors in a file, once done."""
    monkeypatch.setenv("VIGIE_HOME", str(tmp_path))
    monkeypatch.delenv("VIGIE_SECRET", raising=False)
    there = bundle(FILE)
    with db.write(durable=True) as conn:
        files = {"bundle.yaml": BUNDLE.replace("@@HOOK@@", "http://127.0.0.1:1/") + FILE}
        config_versions.publish(conn, files, "test", NIGHT)
    with closing(Anchoring(tmp_path, installation_key(tmp_path, "anchor"))) as made:
        made.step(db, there, None, NIGHT + timedelta(seconds=1), senders())
        while made.busy:
            made.step(db, there, None, NIGHT + timedelta(seconds=2), senders())
    return tmp_path


def verified(*more):
    ran = CliRunner().invoke(command, ["verify", *more])
    return ran.exit_code, ran.output


def test_verify_says_up_to_where_it_proves_and_what_is_newer(home):
    code, said = verified()
    assert code == 0
    assert "proved from outside up to line 3, 2026-03-02T02:12:01Z, in disc" in said
    assert "line 4 is not proved" in said


def test_verify_fails_while_a_file_in_which_an_anchor_was_written_is_gone(home):
    os.rename(home / "anchors.jsonl", home / "elsewhere.jsonl")
    code, said = verified("--json")
    told = json.loads(said)
    assert (code, told["proved"], told["inside"]["seq"], len(told["missing"])) == (1, 0, 3, 1)
    assert told["lost"][str(home / "anchors.jsonl")]["seq"] == 3
    assert f"was written in {home / 'anchors.jsonl'}, which is gone" in verified()[1]
    code, said = verified("--anchors", str(home / "elsewhere.jsonl"), "--json")
    assert (code, json.loads(said)["proved"], json.loads(said)["lost"]) == (0, 3, {})


def test_verify_fails_where_a_file_was_emptied(home):
    (home / "anchors.jsonl").write_bytes(b"")
    code, said = verified()
    assert (code, "which no longer holds it" in said) == (1, True)


def test_a_file_in_which_nothing_was_anchored_yet_is_told_and_no_failure(home, db):
    with db.write() as conn:
        conn.exec_driver_sql("DELETE FROM anchors")
    os.remove(home / "anchors.jsonl")
    code, said = verified()
    assert (code, "nothing was anchored in it yet" in said) == (0, True)


def test_verify_finds_an_anchor_that_contradicts_the_ledger(home):
    key = installation_key(home, "anchor")
    [told] = lines(home)
    from dataclasses import replace

    false = anchors.seal(replace(told, digest="0" * 64), key)
    (home / "mailed.txt").write_bytes(anchors.to_line(false))
    code, said = verified("--anchors", str(home / "mailed.txt"))
    assert code == 1
    assert "the ledger was cut or rewritten at or before that line" in said


def test_a_bundle_without_anchors_says_that_nothing_is_proved(db, written, tmp_path, monkeypatch):
    monkeypatch.setenv("VIGIE_HOME", str(tmp_path))
    assert world().bundle.anchors == ()
    code, said = verified()
    assert (code, "lines 1 to 3 are not proved" in said) == (0, True)
