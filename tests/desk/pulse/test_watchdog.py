"""The dead man's switch on a real store, with webhook and heartbeat taken by a real server; time is moved by hand."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from alerts.channels import senders
from config.settings import settings
from desk.pulse.vitals import STAGES, WATCHDOG
from desk.pulse.watchdog import Watchdog
from store import changes, config_versions, leases, outbox, posts, sources, state
from store.database import Database
from store.records import Delivery, Post, SourceHealth

START = datetime(2027, 2, 10, 3, 0, tzinfo=UTC)
BUNDLE = """
name: {{fr: a, en: b}}
status: {status}
default_lead: p
agencies:
  - id: p
    name: {{fr: a, en: b}}
    kind: prefecture
    contacts:
      - {{id: first, name: Première, channel: broken, address: first@example.test}}
      - {{id: second, name: Second, channel: hook, address: "http://127.0.0.1:{port}/second", language: en}}
      - {{id: third, name: Troisième, channel: hook, address: "http://127.0.0.1:{port}/third"}}
channels:
  - {{id: broken, kind: mail, settings: {{host: 127.0.0.1, port: 1}}}}
  - {{id: hook, kind: webhook, secrets: {{key: HOOK_KEY}}}}
sources: [{{id: x-flux, kind: x_stream}}]
watchdog: {{contacts: {contacts}, stalled_minutes: 5, again_minutes: 60, heartbeat: HEARTBEAT_URL}}
"""


class Wire:
    """What arrived: path and JSON body of webhooks, and how often the heartbeat was called."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict]] = []
        self.beats = 0
        self.refuse: set[str] = set()
        wire = self

        class Taker(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                wire.beats += 1
                self._answer(200)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path in wire.refuse:
                    self._answer(500)
                    return
                wire.told.append((self.path, json.loads(body)))
                self._answer(204)

            def _answer(self, status: int) -> None:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing is printed."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Taker)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.port = self.server.server_address[1]


class Night:
    """An installation and its watchdog; ``pass_`` lets minutes go by, with every stage alive that is not dead."""

    def __init__(self, home, wire: Wire, contacts: str = "[first, second, third]", status: str = "Actual") -> None:
        self.home, self.wire, self.now, self.tick = home, wire, START, 0.0
        self.text = BUNDLE.format(port=wire.port, contacts=contacts, status=status)
        (home / "config").mkdir(exist_ok=True)
        (home / "config" / "b.yaml").write_text(self.text)
        self.settings = settings({"VIGIE_HOME": str(home), "VIGIE_CONFIG": str(home / "config")})
        self.db = Database.open(self.settings.database)
        self.dead: set[str] = set()
        with self.db.write() as conn:
            config_versions.publish(conn, {"b.yaml": self.text}, "test", START)
            sources.report(conn, SourceHealth("x-flux", "on", "", START, START))
        self.live()
        self.dog = self.another()
        self.dog.turn()

    def another(self) -> Watchdog:
        return Watchdog(self.settings, senders(), lambda: self.now, ticks=lambda: self.tick, patience=0.05)

    def live(self) -> None:
        for stage in set(STAGES) - self.dead:
            leases.acquire(self.db, stage, "test", self.now)

    def pass_(self, minutes: float, *, store: bool = True) -> list[str]:
        """The codes of what stands still after so many minutes of looks."""
        found: list[str] = []
        for _ in range(int(minutes * 2)):
            self.now += timedelta(seconds=30)
            self.tick += 30
            if store:
                self.live()
            found = [one.code for one in self.dog.turn()]
        return found

    def deliver(self, **changed: object) -> None:
        made = Delivery("d", "a", "i", "new", "p", "lead", "first", "broken", self.now, **changed)
        with self.db.write(durable=True) as conn:
            outbox.add(conn, [made])


@pytest.fixture
def wire(monkeypatch) -> Iterator[Wire]:
    made = Wire()
    monkeypatch.setenv("HOOK_KEY", "key")
    monkeypatch.setenv("HEARTBEAT_URL", f"http://127.0.0.1:{made.port}/ping/secret")
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def night(tmp_path, wire) -> Iterator[Night]:
    made = Night(tmp_path, wire)
    yield made
    made.dog.close()
    made.db.close()


def test_while_all_is_well_nobody_is_told_and_the_heartbeat_goes_out_each_minute(night, wire):
    assert night.pass_(10) == []
    assert (wire.told, wire.beats) == ([], 11)


def test_a_stage_that_stopped_is_told_after_the_minutes_that_the_bundle_gives_it(night, wire):
    night.pass_(6)
    night.dead = {"annotate"}
    assert night.pass_(4.5) == []
    assert night.pass_(1) == ["stopped:annotate"]
    assert [body["troubles"][0]["code"] for _, body in wire.told] == ["stopped:annotate"]


def test_a_channel_that_fails_leaves_the_next_contact_to_be_told_in_its_language(night, wire):
    night.dead = {"dispatch"}
    night.pass_(6)
    [(path, body)] = wire.told
    assert path == "/second"
    assert body["subject"] == "Vigie has failed: stages stopped (dispatch)"
    assert "since 04:00" in body["text"]
    assert "start Vigie again" in body["text"]


def test_what_cannot_be_told_now_is_tried_again(night, wire):
    wire.refuse = {"/second", "/third"}
    night.dead = {"route"}
    night.pass_(6)
    assert wire.told == []
    wire.refuse = set()
    night.pass_(1)
    assert len(wire.told) == 1


def test_it_is_told_once_and_again_after_an_hour_to_everybody(night, wire):
    night.dead = {"route"}
    night.pass_(60)
    assert [path for path, _ in wire.told] == ["/second"]
    night.pass_(6)
    assert [path for path, _ in wire.told] == ["/second", "/second", "/third"]


def test_the_heartbeat_stops_while_something_stands_still(night, wire):
    night.dead = {"detect"}
    night.pass_(6)
    before = wire.beats
    night.pass_(5)
    assert wire.beats == before


def test_when_all_is_well_again_those_who_were_told_hear_it_once(night, wire):
    night.dead = {"collect"}
    night.pass_(6)
    night.dead = set()
    night.pass_(5)
    (_, first), (path, last) = wire.told
    assert (path, first["event"], last["event"]) == ("/second", "watchdog", "watchdog.over")
    assert "stages stopped (listening)" in last["text"]


def test_a_clock_that_jumps_while_something_stands_still_does_not_make_it_well(night, wire):
    night.dead = {"collect"}
    night.pass_(6)
    beats = wire.beats
    night.now += timedelta(hours=1)
    night.pass_(4)
    assert [body["event"] for _, body in wire.told] == ["watchdog"]
    assert wire.beats == beats


def test_a_clock_that_is_put_back_does_not_hide_what_stands_still(night, wire):
    night.pass_(6)
    night.now -= timedelta(hours=1)
    night.dead = set(STAGES)
    assert "stopped:route" in night.pass_(7)


def test_another_thing_that_fails_later_is_told_too(night, wire):
    night.dead = {"collect"}
    night.pass_(6)
    night.dead = {"collect", "route"}
    night.pass_(6)
    assert [len(body["troubles"]) for _, body in wire.told] == [1, 2]


def test_what_fails_together_is_one_message(night, wire):
    night.pass_(6)
    night.dead = {"route"}
    night.pass_(0.5)
    night.dead = {"route", "detect"}
    night.pass_(6)
    assert [[one["code"] for one in body["troubles"]] for _, body in wire.told] == [["stopped:detect", "stopped:route"]]


def test_it_remembers_across_its_own_restart_what_it_told(night, wire):
    night.dead = {"route"}
    night.pass_(6)
    night.dog.close()
    night.dog = night.another()
    night.pass_(6)
    assert len(wire.told) == 1


def test_a_start_is_given_time(night, wire):
    """Everything is down, and was long before: nothing is told before the watchdog looked for ten minutes."""
    night.dead = set(STAGES)
    night.now += timedelta(days=1)
    night.dog.close()
    night.dog = night.another()
    assert night.pass_(9.5) == []
    assert night.pass_(1) != []


def test_a_clock_that_jumps_an_hour_is_no_failure(night, wire):
    night.pass_(10)
    night.now += timedelta(hours=1)
    assert [one.code for one in night.dog.turn()] == []
    assert night.pass_(6) == []


def test_posts_that_nobody_understands_are_told_though_every_lease_is_held(night):
    night.pass_(6)
    with night.db.write() as conn:
        posts.add(conn, [Post("x:1", "x-flux", "fumée", night.now, night.now)])
    assert night.pass_(4.5) == []
    assert night.pass_(1) == ["lag:annotate"]
    with night.db.write() as conn:
        changes.set_cursor(conn, "annotate", changes.latest(conn))
    assert night.pass_(1) == []


def test_messages_that_do_not_leave_are_told_first_through_another_channel(night, wire):
    night.deliver()
    assert night.pass_(6) == ["deliveries"]
    assert wire.told[0][0] == "/second"


def test_a_message_put_off_until_morning_is_no_failure(night):
    night.deliver(next_at=START + timedelta(hours=5))
    assert night.pass_(10) == []


def test_no_source_that_listens_is_told(night, wire):
    with night.db.write() as conn:
        sources.report(conn, SourceHealth("x-flux", "off", "X refuses the token", night.now))
    assert night.pass_(6) == ["blind"]
    assert "X refuses the token" in wire.told[0][1]["text"]


def test_a_database_that_is_locked_is_told_without_it(night, wire):
    night.pass_(1)
    other = sqlite3.connect(night.home / "vigie.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    found = night.pass_(6, store=False)
    other.close()
    assert "database" in found
    assert "database" in wire.told[-1][1]["text"]


def test_a_database_that_is_gone_at_the_start_is_told_from_the_folder(tmp_path, wire):
    made = Night(tmp_path, wire)
    made.dog.close()
    made.db.close()
    (tmp_path / "vigie.db").write_bytes(b"no database " * 400)
    for more in ("vigie.db-wal", "vigie.db-shm"):
        (tmp_path / more).unlink(missing_ok=True)
    made.dog = made.another()
    assert made.pass_(6, store=False) == ["database"]
    assert len(wire.told) == 1


def test_an_exercise_says_so_first(tmp_path, wire):
    made = Night(tmp_path, wire, "[third]", "Exercise")
    made.dead = {"route"}
    made.pass_(6)
    assert wire.told[0][1]["subject"].startswith("EXERCICE – Vigie est en panne")
    assert wire.told[0][1]["status"] == "Exercise"
    made.dog.close()
    made.db.close()


def test_it_leaves_a_sign_of_life_that_names_what_it_found(night):
    night.dead = {"route"}
    night.pass_(6)
    with night.db.read() as conn:
        life = state.get(conn, WATCHDOG)["life"]
    assert (life["troubles"], life["contacts"]) == (["stopped:route"], ["first", "second", "third"])


def test_the_secret_in_the_heartbeat_is_never_logged(night, caplog, monkeypatch):
    monkeypatch.setenv("HEARTBEAT_URL", "http://127.0.0.1:1/ping/secret")
    night.pass_(2)
    assert "heartbeat could not be sent" in caplog.text
    assert "ping/secret" not in caplog.text


def test_a_memory_that_cannot_be_read_is_begun_anew(night, caplog):
    (night.home / "watchdog.json").write_text("{")
    night.dog = night.another()
    assert night.pass_(1) == []
    assert "begins anew" in caplog.text
