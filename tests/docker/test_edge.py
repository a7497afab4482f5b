"""The door of the stack: the real Caddy with its Caddyfile, before the real desk and the real acknowledgement page."""

import json
import re
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from edge_kit import ACKNOWLEDGE, DESK, KIBANA, Edge, edge
from stack_kit import BIN, DOCKER

from alerts.acknowledge import token
from config.secrets import installation_key
from store import alerts, incidents, outbox
from store.database import Database
from store.records import Alert, Delivery, Incident

CADDYFILE = DOCKER / "edge" / "Caddyfile"


@pytest.fixture(scope="module")
def door(private) -> Iterator[Edge]:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        with edge(private, Path(folder)) as up:
            yield up


@pytest.fixture(scope="module")
def link(door) -> str:
    """The address in a message about an invented incident."""
    now = datetime.now(UTC)
    one = Incident("inc-1", "Exercise", "open", now, now, now, hazard="flood", severity="Severe", posts=4, voices=4)
    alert = Alert("al-1", "inc-1", "ev-1", "new", now, one, "sdis-49", (), ("invented",))
    sent = Delivery("del-1", "al-1", "inc-1", "new", "sdis-49", "lead", "sdis-officier", "mail", now, "sent", 1)
    db = Database.open(f"sqlite:///{door.home / 'vigie.db'}")
    with db.write(durable=True) as conn:
        incidents.put(conn, [one])
        alerts.add(conn, [alert])
        outbox.add(conn, [sent])
    db.close()
    # `vigie acknowledge` derives the same key from the same VIGIE_SECRET
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VIGIE_SECRET", "invented for this test")
        key = installation_key(door.home, "acknowledge")
    return "/a/" + token.make(key, "del-1", now + timedelta(hours=1))


def test_the_desk_asks_who_is_there_before_it_shows_anything(door):
    browser = door.client(DESK)
    for path in ("/", "/events", "/search?q=feu", "/healthz", "/metrics", "/static/desk.js"):
        answer = browser.get(path)
        assert answer.status_code == 401, path
        assert answer.headers["www-authenticate"].startswith("Basic")
        assert "Vigie" not in answer.text
    assert browser.ask("POST", "/report", data={"text": "x"}).status_code == 401
    assert door.client(DESK).get("/", auth=("veille", "wrong")).status_code == 401


def test_who_signs_on_sees_the_desk_over_tls_with_its_own_strict_headers(door):
    answer = door.client(DESK, signed=True).get("/")
    assert answer.status_code == 200
    assert "Veille du Maine-et-Loire" in answer.text
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
    assert answer.headers["cache-control"] == "no-store"
    assert "server" not in answer.headers
    assert "via" not in answer.headers


def test_what_the_desk_tells_machines_stays_inside(door):
    browser = door.client(DESK, signed=True)
    assert [browser.get(path).status_code for path in ("/healthz", "/metrics")] == [404, 404]


def test_a_form_of_the_desk_arrives_and_one_of_another_site_does_not(door):
    browser = door.client(DESK, signed=True)
    page = browser.get("/report")
    (given,) = set(re.findall(r'name="token" value="([^"]+)"', page.text))
    form = {"text": "De l'eau dans la rue, invented", "token": given}
    ours = {"origin": f"https://{DESK}:{door.port}", "sec-fetch-site": "same-origin"}
    assert browser.ask("POST", "/report", data=form, headers=ours).status_code in (200, 303)
    foreign = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    assert browser.ask("POST", "/report", data=form, headers=foreign).status_code == 403


def test_a_change_reaches_an_open_page_at_once_through_the_edge(door, link):
    del link  # there is an incident
    db = Database.open(f"sqlite:///{door.home / 'vigie.db'}")
    now = datetime.now(UTC)
    with door.client(DESK, signed=True).stream("/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert "content-encoding" not in answer.headers
        pieces = answer.iter_text()
        assert "event: change" in next(pieces)  # where it stands, at once
        with db.write() as conn:
            incidents.put(conn, [Incident("inc-2", "Exercise", "open", now, now, now, hazard="flood")])
        written = time.monotonic()
        while '"inc-2"' not in next(pieces):
            pass
        assert time.monotonic() - written < 5  # a beat comes every 10 s: nothing waited for it
    db.close()


def test_the_acknowledgement_page_opens_and_takes_the_answer_without_sign_on(door, link):
    phone = door.client(ACKNOWLEDGE)
    shown = phone.get(link)
    assert shown.status_code == 200
    assert "EXERCICE" in shown.text
    assert shown.headers["referrer-policy"] == "no-referrer"
    assert shown.headers["x-robots-tag"] == "noindex"
    assert shown.headers["strict-transport-security"]
    assert phone.ask("POST", link, data={"name": "Nina"}).status_code == 200
    db = Database.open(f"sqlite:///{door.home / 'vigie.db'}")
    with db.read() as conn:
        assert [one.by for one in outbox.acknowledgements(conn, ["inc-1"])["inc-1"]] == ["Nina"]
    db.close()


def test_nothing_but_links_is_reached_at_the_name_of_the_acknowledgement_page(door):
    phone = door.client(ACKNOWLEDGE, signed=True)
    for path in ("/", "/healthz", "/metrics", "/events", "/incidents/inc-1", "/static/desk.js", "/a"):
        assert phone.get(path).status_code == 404, path
    assert phone.get("/a/wrong", headers={"host": f"{DESK}:{door.port}"}).status_code in (401, 404, 421)


def test_who_guesses_links_is_slowed_down_and_others_are_not_whatever_they_claim(door):
    guesser, other = door.client(ACKNOWLEDGE, source="127.0.0.2"), door.client(ACKNOWLEDGE, source="127.0.0.3")
    answers = [guesser.get("/a/guess").status_code for _ in range(16)]
    assert answers[0] == 403
    assert answers[-1] == 429
    assert guesser.get("/a/guess", headers={"x-forwarded-for": "203.0.113.9"}).status_code == 429
    assert other.get("/a/guess").status_code == 403


def test_kibana_is_reached_over_its_own_certificate_and_keeps_its_own_sign_on(door):
    answer = door.client(KIBANA).get("/app/dashboards")
    assert (answer.status_code, answer.text) == (200, "kibana")
    path, headers = door.asked[-1]
    assert path == "/app/dashboards"
    assert headers["x-forwarded-proto"] == "https"
    assert headers["host"] == f"{KIBANA}:{door.port}"


def test_plain_http_is_sent_to_tls(door):
    answer = httpx.get(f"http://127.0.0.1:{door.plain_port}/a/x", headers={"host": ACKNOWLEDGE})
    assert answer.status_code in (301, 308)
    assert answer.headers["location"].startswith(f"https://{ACKNOWLEDGE}")


def test_old_tls_is_refused(door):
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.load_verify_locations(door.root)
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((httpx.ConnectError, ssl.SSLError)), httpx.Client(verify=old) as browser:
        browser.get(f"https://127.0.0.1:{door.port}/", extensions={"sni_hostname": DESK})


def test_no_link_is_written_into_the_log(door, link):
    phone = door.client(ACKNOWLEDGE)
    phone.get(link)
    assert link not in door.log.read_text()
    assert "/a/" not in door.log.read_text()


@pytest.mark.parametrize("tls", ["internal", "acme", "files"])
@pytest.mark.parametrize("sign_on", ["basic", "forward"])
def test_every_choice_of_the_settings_makes_a_configuration(tls, sign_on, private):
    env = {"VIGIE_TLS": tls, "VIGIE_SIGN_ON": sign_on, "VIGIE_FORWARD_AUTH": "sso:4180"}
    env |= {"EDGE_USERS": str(private.private / "desk_users"), "EDGE_CA": str(private.private / "ca")}
    done = subprocess.run(
        [BIN / "caddy", "adapt", "--config", CADDYFILE, "--adapter", "caddyfile"], env=env, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    made = json.dumps(json.loads(done.stdout))
    assert ("http_basic" in made) == (sign_on == "basic")
    assert ("sso:4180" in made) == (sign_on == "forward")
    assert ('"acme"' in made, "/etc/caddy/tls/cert.pem" in made) == (tls == "acme", tls == "files")


def test_the_caddyfile_is_written_as_caddy_writes_it():
    done = subprocess.run([BIN / "caddy", "fmt", CADDYFILE], capture_output=True, text=True)
    assert done.stdout == CADDYFILE.read_text(encoding="utf-8")
