"""The sign of life to an outside service: whatever that service does, the watchdog goes on."""

from __future__ import annotations

import threading
import time

import pytest

from desk.pulse.heartbeat import Heartbeat
from desk.trials.bad_receivers import Hook, dripping, flooding, served, silent

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n"


@pytest.fixture
def called(monkeypatch):
    """Calls a service that talks in its way, so many times; gives how many calls came, and the seconds it took."""

    def call(talk, times=1):
        taken = Hook(talk)
        with served(taken) as port:
            monkeypatch.setenv("HEARTBEAT_URL", f"http://127.0.0.1:{port}/ping/secret")
            one, began = Heartbeat(timeout_s=0.3), time.monotonic()
            for _ in range(times):
                one.send("HEARTBEAT_URL")
            return len(taken.taken), time.monotonic() - began

    return call


@pytest.mark.parametrize("talk", [dripping(HEAD), flooding(HEAD), dripping(b"HTTP/1.1 200 OK\r\nX: "), silent])
def test_a_service_that_hangs_drips_or_floods_keeps_the_watchdog_for_seconds_at_most(called, talk):
    assert called(talk)[1] < 2


def test_of_an_answer_only_the_head_is_read(called):
    assert called(dripping(HEAD), times=3)[0] == 3


def test_while_an_answer_has_not_come_no_other_is_asked_for_and_the_log_says_so(called, caplog):
    assert called(dripping(b"HTTP/1.1 200 OK\r\nX: "), times=3)[0] == 1
    assert "does not finish its answer" in caplog.text
    assert "ping/secret" not in caplog.text


def test_a_service_that_is_well_again_is_called_again(called, monkeypatch):
    one, let_go = Heartbeat(timeout_s=0.2), threading.Event()
    hangs, taken = Hook(lambda conn, done: let_go.wait(5)), Hook()
    with served(hangs) as first, served(taken) as second:
        monkeypatch.setenv("HEARTBEAT_URL", f"http://127.0.0.1:{first}/")
        one.send("HEARTBEAT_URL")
        let_go.set()
        monkeypatch.setenv("HEARTBEAT_URL", f"http://127.0.0.1:{second}/")
        until = time.monotonic() + 5
        while not taken.taken and time.monotonic() < until:
            one.send("HEARTBEAT_URL")
    assert taken.taken
