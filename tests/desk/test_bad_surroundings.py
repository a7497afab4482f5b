"""What is wrong around Vigie (settings, files, the database, the outputs) is told in a sentence, at once."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from config.settings import ROOT
from desk.cli import main
from desk.commands.mailbox import Folder


@contextmanager
def held() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def free_ports() -> dict[str, str]:
    """A free port for each setting, so that another Vigie on this machine is not in the way."""
    ports = {}
    for name in ("DESK", "ACKNOWLEDGE", "STANDIN", "MAILBOX", "WEBHOOK", "AIRFLOW"):
        with held() as port:
            ports[f"VIGIE_{name}_PORT"] = str(port)
    return ports


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VIGIE_HOME", str(tmp_path / "home"))
    for name, port in free_ports().items():
        monkeypatch.setenv(name, port)
    return tmp_path / "home"


def vigie(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def refused(result: Result, *words: str) -> None:
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert result.stderr.startswith("Error: ")
    assert [word for word in words if word not in result.stderr] == []


@pytest.mark.parametrize("command", ["desk", "acknowledge", "ledger", "watch", "run"])
def test_a_setting_that_cannot_be_used_is_named(command: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGIE_DESK_PORT", "desk")
    refused(vigie(command), "VIGIE_DESK_PORT", "between 1 and 65535")


@pytest.mark.parametrize("command", ["ledger", "watch", "run"])
def test_a_file_that_is_no_database_is_named_and_left_as_it_is(command: str, home: Path) -> None:
    home.mkdir()
    (home / "vigie.db").write_bytes(b"precious" * 1000)
    refused(vigie(command, *(["--no-airflow"] if command == "run" else [])), str(home / "vigie.db"), "put a copy")
    assert (home / "vigie.db").read_bytes() == b"precious" * 1000


@pytest.mark.parametrize("command", ["ledger", "mailbox", "watch", "run"])
def test_a_home_that_cannot_be_made_is_named(command: str, home: Path) -> None:
    home.write_text("a file stands here")
    refused(vigie(command), str(home), "VIGIE_HOME")


def test_run_says_that_the_folder_of_the_configuration_is_missing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGIE_CONFIG", str(home / "nowhere"))
    refused(vigie("run", "--no-airflow"), str(home / "nowhere"), "there is no such folder")


def test_run_refuses_one_port_for_two_things(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGIE_DESK_PORT", "28711")
    monkeypatch.setenv("VIGIE_ACKNOWLEDGE_PORT", "28711")
    refused(vigie("run", "--no-airflow"), "VIGIE_DESK_PORT", "VIGIE_ACKNOWLEDGE_PORT", "28711")


@pytest.mark.parametrize("name", ["VIGIE_MAILBOX_PORT", "VIGIE_WEBHOOK_PORT"])
def test_the_mailbox_names_the_port_that_is_in_use(name: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with held() as port:
        monkeypatch.setenv(name, str(port))
        refused(vigie("mailbox"), str(port), name)


def test_annotate_does_not_write_over_what_it_reads(tmp_path: Path) -> None:
    posts = tmp_path / "posts.jsonl"
    posts.write_text('{"id": "1", "text": "Fumée noire"}\n')
    refused(vigie("annotate", str(posts), "-o", str(posts)), "another one to write")
    assert posts.read_text() == '{"id": "1", "text": "Fumée noire"}\n'


def test_replay_does_not_write_over_what_it_reads(tmp_path: Path) -> None:
    posts = tmp_path / "posts.jsonl"
    posts.write_text("{}\n")
    refused(vigie("replay", str(posts), "--out", str(tmp_path / "a"), "--posts", str(posts)), "another one to write")
    assert posts.read_text() == "{}\n"


def test_an_output_in_a_folder_that_is_missing_is_refused_before_the_work(tmp_path: Path) -> None:
    posts = tmp_path / "posts.jsonl"
    posts.write_text("not a post\n")
    result = vigie("replay", str(posts), "--out", str(tmp_path / "none" / "a.jsonl"))
    refused(result, "make it first")
    assert "posts.jsonl:1" not in result.stderr
    refused(vigie("annotate", str(posts), "-o", str(tmp_path / "none" / "a.jsonl")), "No such file")


@pytest.mark.parametrize("command", ["desk", "acknowledge", "mailbox", "simulate-x"])
def test_a_server_ends_in_order_on_an_interrupt(command: str, tmp_path: Path) -> None:
    ports = free_ports()
    env = {**os.environ, **ports, "VIGIE_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    drill = [str(ROOT / "listeners" / "standin" / "drill.jsonl")] if command == "simulate-x" else []
    process = subprocess.Popen(
        [sys.executable, "-m", "desk.cli", command, *drill],
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )
    own = {"desk": "DESK", "acknowledge": "ACKNOWLEDGE", "mailbox": "MAILBOX", "simulate-x": "STANDIN"}[command]
    until = time.monotonic() + 90
    while time.monotonic() < until and not _answers(int(ports[f"VIGIE_{own}_PORT"])):
        time.sleep(0.1)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 0
    assert b"Traceback" not in said
    assert b"Aborted" not in said


def _answers(port: int) -> bool:
    """Whether somebody says something there: a port that only listens may belong to a server that still starts."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as probe:
            probe.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return bool(probe.recv(1))
    except OSError:
        return False


def test_the_help_of_every_command_shows_an_example() -> None:
    commands = [[], *([name] for name in main.list_commands(click.Context(main)))]
    assert [name for name in commands if "Example: " not in vigie(*name, "--help").output] == []


def test_the_mailbox_says_what_it_kept_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Folder(tmp_path, as_json=True).keep(b"{}", ".json", "to /hook")
    assert json.loads(capsys.readouterr().out) == {"file": str(tmp_path / "000001.json"), "note": "to /hook"}
