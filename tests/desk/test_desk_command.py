from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from desk.commands.desk import command

ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VIGIE_HOME", str(tmp_path))
    return tmp_path


def test_a_taken_port_is_named_with_the_setting_that_changes_it(home, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setenv("VIGIE_DESK_PORT", str(port))
        answer = CliRunner().invoke(command)
    assert answer.exit_code == 1
    assert f"port {port} is in use" in answer.output
    assert "VIGIE_DESK_PORT" in answer.output


def test_a_configuration_that_does_not_load_is_refused_with_its_faults(home, monkeypatch):
    broken = home / "config"
    broken.mkdir()
    (broken / "bundle.yaml").write_text("naem: x\n", encoding="utf-8")
    monkeypatch.setenv("VIGIE_CONFIG", str(broken))
    answer = CliRunner().invoke(command)
    assert answer.exit_code == 1
    assert "naem" in answer.output


def test_the_desk_says_its_address_and_serves_it(home):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = os.environ | {"VIGIE_DESK_PORT": str(port), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "desk.cli", "desk", "--json"], cwd=ROOT, env=environment, stdout=subprocess.PIPE
    ) as served:
        try:
            assert served.stdout
            said = json.loads(served.stdout.readline())
            with urllib.request.urlopen(f"{said['address']}/healthz", timeout=20) as answer:
                health = json.load(answer)
            served.send_signal(signal.SIGINT)
            served.wait(10)
        finally:
            served.kill()
    assert (said["port"], health["ok"], health["hearing"]) == (port, False, "blind")
