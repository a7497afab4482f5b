import socket
import sys
import threading
import time

import pytest

from desk.supervise import Child, Supervisor, taken

WRITE_AND_WAIT = "import sys,os,time; open(sys.argv[1],'a').write(f'{os.getpid()}\\n'); time.sleep(60)"


def eventually(check, seconds=10):
    until = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture
def running(tmp_path):
    said = []
    supervisor = Supervisor(said.append)
    thread = threading.Thread(target=supervisor.run)
    thread.start()
    yield supervisor, said
    supervisor.stop()
    thread.join(15)
    assert not thread.is_alive()


def waiting_child(tmp_path):
    return Child("waits", [sys.executable, "-c", WRITE_AND_WAIT, str(tmp_path / "pids")], tmp_path / "waits.log")


def pids(tmp_path):
    path = tmp_path / "pids"
    return path.read_text().split() if path.exists() else []


def test_a_killed_child_is_started_again_and_the_person_is_told(running, tmp_path):
    supervisor, said = running
    child = waiting_child(tmp_path)
    supervisor.add(child)
    eventually(lambda: len(pids(tmp_path)) == 1)
    child.process.kill()
    eventually(lambda: len(pids(tmp_path)) == 2)
    assert any("waits ended (signal 9)" in line for line in said)


def test_a_child_that_keeps_ending_is_started_ever_later(running, tmp_path):
    supervisor, said = running
    supervisor.add(Child("fails", [sys.executable, "-c", "raise SystemExit(3)"], tmp_path / "fails.log"))
    eventually(lambda: len(said) >= 2)
    assert "again in 0.5 s" in said[0]
    assert "exit status 3" in said[0]
    assert "again in 1 s" in said[1]


def test_stopping_ends_every_child(tmp_path):
    supervisor = Supervisor(lambda line: None)
    child = waiting_child(tmp_path)
    supervisor.add(child)
    thread = threading.Thread(target=supervisor.run)
    thread.start()
    eventually(lambda: pids(tmp_path))
    process = child.process
    supervisor.stop()
    thread.join(15)
    assert process.poll() is not None


def test_a_port_in_use_is_seen():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        assert taken("127.0.0.1", other.getsockname()[1])
