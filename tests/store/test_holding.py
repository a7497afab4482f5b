import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import psutil
import pytest

from store.database import Database
from store.holding import Holding
from store.leases import LeaseLost, acquire
from store.owners import gone, this_process


def now():
    return datetime.now(UTC)


@pytest.fixture
def db(tmp_path):
    return Database.open(f"sqlite:///{tmp_path / 'vigie.db'}")


def test_a_second_holder_stands_by_until_the_first_gives_the_lease_back(db):
    first, entered = Holding(db, ["route"], "first", now, threading.Event()), threading.Event()

    def stand_by():
        with Holding(db, ["route"], "second", now, threading.Event()):
            entered.set()

    with first:
        thread = threading.Thread(target=stand_by)
        thread.start()
        assert not entered.wait(0.8)
    assert entered.wait(3)
    thread.join()


def test_a_holder_that_is_told_to_stop_while_standing_by_goes_away(db):
    stop = threading.Event()
    with Holding(db, ["route"], "first", now, threading.Event()):
        threading.Timer(0.3, stop.set).start()
        started = time.monotonic()
        with Holding(db, ["route"], "second", now, stop):
            assert time.monotonic() - started < 3


def test_a_lost_lease_ends_the_holder(db):
    stop = threading.Event()
    with Holding(db, ["route"], "first", now, stop) as holding:
        acquire(db, "route", "thief", now() + timedelta(minutes=1))
        assert stop.wait(5)
        with pytest.raises(LeaseLost, match="thief"):
            holding.lease("route")


def test_a_lease_held_for_short_is_renewed_for_short(db):
    with Holding(db, ["route"], "first", now, threading.Event(), ttl=timedelta(seconds=0.4)) as holding:
        time.sleep(0.8)
        left = holding.lease("route").expires_at - now()
    assert timedelta(0) < left <= timedelta(seconds=0.4)


def a_dead_process():
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return this_process("listen").replace(f":{os.getpid()}:", f":{ended.pid}:")


def test_the_lease_of_a_process_that_is_gone_is_taken_at_once(db):
    acquire(db, "route", a_dead_process(), now())
    started = time.monotonic()
    with Holding(db, ["route"], "second", now, threading.Event()) as holding:
        assert time.monotonic() - started < 2
        assert holding.lease("route").fence == 2


def test_a_killed_process_is_gone_though_its_parent_has_not_noticed():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    owner = this_process("listen").replace(f":{os.getpid()}:", f":{child.pid}:")
    assert not gone(owner)
    child.kill()
    until = time.monotonic() + 5
    while not gone(owner):
        assert time.monotonic() < until
    assert psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE
    child.communicate()
    assert gone(owner)


def test_a_process_of_another_machine_or_container_is_not_taken_for_gone():
    here = a_dead_process()
    assert gone(here)
    assert not gone(f"elsewhere{here}")
    assert not gone(this_process("listen"))
