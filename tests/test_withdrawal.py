"""From the notice that a post was deleted or edited at its source to its last trace here, through all the stages."""

import socket
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest
from aiosmtpd.controller import Controller
from starlette.testclient import TestClient

import vigie
from config.publish import Configuration
from config.settings import settings
from desk.web.app import create_app
from listeners.standin.playback import Draft
from listeners.standin.server import Options, StandIn
from store import annotations, config_versions, incidents, ledger, outbox, posts, withdrawals
from store.database import Database
from store.search import embedded
from store.search.request import Query

BUNDLE = """
name: {fr: Essai, en: Trial}
default_lead: sdis
agencies:
  - id: sdis
    name: {fr: Pompiers, en: Fire service}
    kind: fire_rescue
    contacts: [{id: garde, name: Garde, channel: mail, address: garde@example.test}]
channels: [{id: mail, kind: mail, settings: {host: 127.0.0.1, port: 9, tls: none, from: vigie@example.test}}]
areas: [{id: anjou, name: {fr: Anjou, en: Anjou}, departements: ["49"]}]
filters: [{id: fire, purpose: Hear of fires anywhere, keywords: [incendie, flammes, fumée], where: anywhere}]
sources: [{id: x, kind: x_stream}]
gate: {min_voices: 3}
"""
SAID = {
    "a": "Gros incendie dans un entrepôt à Cholet, les pompiers arrivent",
    "b": "Incendie à Cholet : un entrepôt brûle, énorme fumée noire",
    "c": "Flammes dans l'entrepôt des Glycines à Cholet, un salarié évacué, incendie violent",
    "d": "Entrepôt en feu à Cholet, fumée épaisse sur la rocade, incendie toujours en cours",
}
MARK = "glycines"


def until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
    return found


@contextmanager
def running(tmp_path, drafts, *, smtp=9, tasks=("listen", "understand"), **options):
    """Tasks of a house whose X is the stand-in, and which sends mail to the port ``smtp``."""
    with StandIn(drafts, Options(port=0, keep_alive=0.2, **options)) as standin:
        here = {"VIGIE_HOME": str(tmp_path), "VIGIE_CONFIG": str(tmp_path), "VIGIE_X_BASE_URL": standin.url}
        db = Database.open(f"sqlite:///{tmp_path / 'vigie.db'}")
        with db.write() as conn:
            config_versions.publish(
                conn, {"b.yaml": BUNDLE.replace("port: 9,", f"port: {smtp},")}, "test", datetime.now(UTC)
            )
        house = vigie.House(settings(here), db, stop=threading.Event())
        threads = [threading.Thread(target=vigie.run_task, args=(name, house)) for name in tasks]
        for thread in threads:
            thread.start()
        yield house, standin
        house.stop.set()
        for thread in threads:
            thread.join(10)
        db.close()


def incident(db):
    with db.read() as conn:
        return next(iter(incidents.active(conn)), None)


def sent(db):
    with db.read() as conn:
        return [one.event for one in outbox.of_incident(conn, incident(db).id) if one.state == "sent"]


def traces(db, word):
    """The tables in which a word stands, but for the full-text index's own files."""
    with db.read() as conn:
        tables = conn.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()
        return [
            name
            for name in tables
            if not name.startswith("posts_fts")
            and any(word in str(tuple(row)).casefold() for row in conn.exec_driver_sql(f'SELECT * FROM "{name}"'))
        ]


def in_index(db, word):
    with db.read() as conn:
        blocks = conn.exec_driver_sql("SELECT block FROM posts_fts_data").scalars().all()
    return any(word[2:].encode() in block for block in blocks)


def page(house):
    world = Configuration(house.db).current()
    return TestClient(
        create_app(house.db, house.settings, house.clock, world=lambda: world), base_url="http://127.0.0.1:8710"
    )


class Inbox:
    """The texts of the mails that came."""

    def __init__(self):
        self.texts = []

    async def handle_DATA(self, server, session, envelope):
        mail = message_from_bytes(envelope.content, policy=policy.default)
        self.texts.append(mail.get_body(("plain",)).get_content())
        return "250 kept"


@pytest.fixture
def inbox():
    kept = Inbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Controller(kept, hostname="127.0.0.1", port=port)
    server.start()
    yield kept, port
    server.stop()


def drafts():
    return [Draft(0.01 * n, {"id": id, "text": text, "author": id}) for n, (id, text) in enumerate(SAID.items())]


@pytest.fixture
def told(tmp_path, monkeypatch):
    """A fire told by four, annotated, detected and routed, with a post that bears a word of its own."""
    monkeypatch.setenv("X_BEARER_TOKEN", "token")
    with running(tmp_path, drafts()) as (house, standin):
        until(lambda: (found := incident(house.db)) and found.posts == len(SAID), 60)
        until(lambda: "alerts" in traces(house.db, incident(house.db).id))
        yield house, standin


def test_nothing_is_left_of_a_post_seconds_after_its_source_deleted_it(told):
    house, standin = told
    assert {"posts", "annotations", "state"} <= set(traces(house.db, MARK))
    desk = page(house)
    assert "Glycines" in desk.get("/").text
    began = time.monotonic()
    standin.delete("c")
    until(lambda: not traces(house.db, MARK))
    until(lambda: incident(house.db).posts == len(SAID) - 1)
    took = time.monotonic() - began
    print(f"gone everywhere {took:.2f} s after the notice")
    assert took < 10
    now = incident(house.db)
    with house.db.read() as conn:
        (gone,) = withdrawals.of_incident(conn, now.id)
        (line,) = ledger.entries(conn, kind="post.deleted")
    assert embedded.Embedded(house.db).search(Query(MARK)).total == 0
    assert gone.post_id not in now.evidence
    assert now.voices == len(SAID) - 1
    assert (line.subject, line.detail["incidents"]) == (gone.post_id, [now.id])
    shown = desk.get("/").text
    assert "Glycines" not in shown
    assert "1 post retiré ou modifié à la source." in shown
    assert in_index(house.db, MARK)
    embedded.settle(house.db)
    assert not in_index(house.db, MARK)


def test_an_edited_post_is_understood_anew_and_nothing_is_left_of_what_it_said(told):
    house, standin = told
    began = time.monotonic()
    standin.edit("c", "Flammes dans l'entrepôt de la gare à Cholet, incendie violent, tout le monde est sorti")
    until(lambda: not traces(house.db, MARK) and incident(house.db).posts == len(SAID))
    took = time.monotonic() - began
    print(f"edited everywhere {took:.2f} s after the new version came")
    assert took < 10
    with house.db.read() as conn:
        (hit,) = embedded.Embedded(house.db).search(Query("gare")).found
        assert posts.get(conn, [hit.post_id])[hit.post_id].edited_at is not None
        assert incidents.incident_of(conn, [hit.post_id]) == {hit.post_id: incident(house.db).id}
        assert hit.post_id in annotations.get(conn, [hit.post_id])


def test_whoever_got_a_quote_is_told_that_it_was_withdrawn_and_not_what_it_said(tmp_path, monkeypatch, inbox):
    monkeypatch.setenv("X_BEARER_TOKEN", "token")
    mails, port = inbox
    with running(tmp_path, drafts(), smtp=port, tasks=tuple(vigie.TASKS)) as (house, standin):
        until(lambda: mails.texts, 60)

        def quoted():
            with house.db.read() as conn:
                found = outbox.of_incident(conn, incident(house.db).id)
                return posts.get(conn, [id for one in found for id in one.quoted])

        id, post = next(iter(until(quoted).items()))
        words = post.text.casefold()[:40]
        assert post.text[:40] in mails.texts[0]
        began = time.monotonic()
        standin.delete(id.removeprefix("x:"))
        until(lambda: not traces(house.db, words))
        until(lambda: "withdrawal" in sent(house.db))
        print(f"withdrawal notice {time.monotonic() - began:.2f} s after the deletion")
        until(lambda: "1 message parti avant est hors d’atteinte." in page(house).get("/").text)
    assert words not in mails.texts[-1].casefold()
