"""The link in a message: GET shows, POST acknowledges."""

import re
import socket
import sqlite3
import threading
import time
from contextlib import closing
from datetime import timedelta

import httpx
import pytest
import uvicorn
from alerts_kit import KEY, Clock, event, happens, world
from starlette.testclient import TestClient

from alerts.acknowledge import token
from alerts.acknowledge.app import app
from alerts.router import route_stage
from store import ledger, outbox
from store.database import Database


@pytest.fixture
def there(db, clock):
    happens(db, event())
    return world()


@pytest.fixture
def page(db, clock, there):
    route_stage(db, there, clock=clock)
    return TestClient(app(db, key=KEY, clock=clock, world=lambda: there))


@pytest.fixture
def path(page, db, clock):
    return path_of(db, "rescue", clock)


def path_of(db, agency, clock: Clock, hours=12):
    with db.read() as conn:
        one = next(each for each in outbox.of_incident(conn, "inc-1") if each.agency == agency)
    return "/a/" + token.make(KEY, one.id, clock() + timedelta(hours=hours))


def answers(db):
    with db.read() as conn:
        return outbox.acknowledgements(conn, ["inc-1"]).get("inc-1", [])


def test_get_shows_the_incident_and_who_was_told_and_changes_nothing(page, path, db):
    shown = page.get(path)
    assert shown.status_code == 200
    assert "EXERCICE – Incendie industriel – Cholet" in shown.text
    assert "Préfecture" in shown.text
    assert answers(db) == []
    with db.read() as conn:
        assert ledger.entries(conn, kind="acknowledged") == []


def test_head_as_mail_scanners_send_it_changes_nothing(page, path, db):
    assert page.head(path).status_code == 200
    assert answers(db) == []


def test_post_acknowledges_for_the_agency_of_the_link(page, path, db):
    done = page.post(path, data={"name": "Inès Morel"})
    assert done.status_code == 200
    assert "Pris en charge pour Secours à 03:12" in done.text
    [answer] = answers(db)
    assert (answer.agency, answer.by, answer.via) == ("rescue", "Inès Morel", "link")


def test_without_a_name_the_contact_stands_for_the_person(page, path, db):
    page.post(path)
    assert answers(db)[0].by in ("Officier", "Système")


def test_the_second_post_keeps_the_first_answer_and_writes_no_second_line(page, path, db):
    page.post(path, data={"name": "Inès"})
    again = page.post(path, data={"name": "Paul"})
    assert "Votre service avait déjà répondu" in again.text
    assert [one.by for one in answers(db)] == ["Inès"]
    with db.read() as conn:
        assert len(ledger.entries(conn, kind="acknowledged")) == 1


def test_the_ledger_holds_no_name(page, path, db):
    page.post(path, data={"name": "Inès Morel"})
    with db.read() as conn:
        [entry] = ledger.entries(conn, kind="acknowledged")
    assert "Inès" not in str(entry)


def test_a_changed_link_is_refused_and_acknowledges_nothing(page, path, db):
    refused = page.post(path[:-1] + ("A" if path[-1] != "A" else "B"))
    assert refused.status_code == 403
    assert "Ce lien n'est pas valable" in refused.text.replace("&#39;", "'")
    assert answers(db) == []


def test_an_old_link_is_gone(page, path, clock, db):
    clock.forward(hours=13)
    assert page.post(path).status_code == 410
    assert answers(db) == []


def test_a_link_signed_with_another_key_is_refused(page, db, clock):
    assert page.get("/a/" + token.make(b"x" * 32, "d-1", clock() + timedelta(hours=1))).status_code == 403


@pytest.mark.parametrize("junk", ["x", "a.b.c", "%00", "é.1.AAAAAAAAAAAAAAAAAAAAAAAAAAA", "." * 300])
def test_junk_in_the_place_of_a_token_is_refused(page, junk):
    assert page.get(f"/a/{junk}").status_code == 403


def test_a_body_above_four_kilobytes_is_refused(page, path, db):
    assert page.post(path, content=b"name=" + b"x" * 5000).status_code == 413
    assert answers(db) == []


def test_too_many_requests_wait_and_others_are_served_again_later(page, path, clock):
    assert [page.get(path).status_code for _ in range(121)][-2:] == [200, 429]
    clock.forward(seconds=5)
    assert page.get(path).status_code == 200


def test_guessing_links_is_slowed_much_earlier(page):
    assert [page.get("/a/guess").status_code for _ in range(15)][-1] == 429


def test_the_page_cannot_be_cached_framed_or_scripted(page, path):
    headers = page.get(path).headers
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_a_name_with_markup_is_shown_as_text(page, path):
    assert "<script>" not in page.post(path, data={"name": "<script>alert(1)</script>"}).text


def test_the_page_speaks_the_language_of_the_contact_or_the_one_asked_for(page, path):
    assert 'lang="fr"' in page.get(path).text
    assert "I take it on" in page.get(path + "?lang=en").text
    assert 'lang="fr"' in page.get(path + "?lang=xx").text


def test_the_page_says_who_answered(page, path, db, clock):
    page.post(path)
    shown = page.get(path_of(db, "prefecture", clock)).text
    assert re.search(r"<strong>Secours</strong> \(pilote\) : a répondu à 03:12", shown)


def test_every_other_address_is_not_found(page):
    assert page.get("/").status_code == 404
    assert page.get("/a/").status_code == 404
    assert page.put("/a/x").status_code == 405


def test_it_works_over_a_real_socket(db, clock, there, path):
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app(db, key=KEY, clock=clock, world=lambda: there), log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        base = f"http://127.0.0.1:{listening.getsockname()[1]}"
        assert httpx.get(base + path).status_code == 200
        assert httpx.post(base + path, data={"name": "Inès"}).status_code == 200
    finally:
        server.should_exit = True
        thread.join(10)
    assert [one.agency for one in answers(db)] == ["rescue"]


def test_a_database_that_takes_nothing_is_said_and_the_person_can_try_again(db, clock, there, path, tmp_path):
    hasty = Database.open(f"sqlite:///{db.file}", clock=clock, patience=0.1)
    page = TestClient(app(hasty, key=KEY, clock=clock, world=lambda: there))
    with closing(sqlite3.connect(db.file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = page.post(path, data={"name": "Nadia"})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
        assert "Votre réponse n&#39;est pas enregistrée" in answer.text
        assert '<form method="post"' in answer.text
        assert answers(db) == []
    assert page.post(path, data={"name": "Nadia"}).status_code == 200
    assert [one.by for one in answers(db)] == ["Nadia"]
    hasty.close()
