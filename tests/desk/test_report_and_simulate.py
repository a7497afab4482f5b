"""``vigie report`` and ``vigie simulate-x``, as a person calls them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner, Result

from config.settings import ROOT
from desk.cli import main
from listeners.standin.server import Options, StandIn
from store import posts
from store.database import Database


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VIGIE_HOME", str(tmp_path))
    return tmp_path


def vigie(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


def test_a_report_is_kept_once_and_says_its_id(home: Path) -> None:
    words = ("report", "Odeur étrange près du gymnase", "--place", "Cholet", "--at", "2031-05-04T10:00:00Z")
    assert vigie(*words).exit_code == 1  # in the future
    first = vigie("report", "Odeur étrange près du gymnase", "--place", "Cholet", "--json")
    assert first.exit_code == 0
    said = json.loads(first.stdout)
    assert (said["new"], said["place"]) == (True, "Cholet")
    db = Database.open(f"sqlite:///{home}/vigie.db")
    with db.read() as conn:
        (post,) = posts.get(conn, [said["id"]]).values()
    assert post.source == "hand"
    assert post.text == "Odeur étrange près du gymnase"


@pytest.mark.usefixtures("home")
def test_a_report_takes_the_status_of_the_installation(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGIE_STATUS", "Exercise")
    known = json.loads(vigie("report", "Fumée noire à Cholet", "--json").stdout)
    db = Database.open(f"sqlite:///{home / 'vigie.db'}")
    with db.read() as conn:
        assert posts.get(conn, [known["id"]])[known["id"]].status == "Exercise"
    db.close()


@pytest.mark.parametrize(
    ("words", "says"),
    [(("",), "the text is empty"), (("Fumée", "--place", "Nulle-Part-les-Bains"), "gazetteer knows no")],
)
def test_a_report_that_cannot_be_kept_says_what_to_do(words: tuple[str, ...], says: str) -> None:
    answer = vigie("report", *words)
    assert answer.exit_code == 1
    assert says in answer.stderr


def test_the_stand_in_names_a_taken_port_and_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "posts.jsonl"
    file.write_text('{"id": "a", "text": "b", "at": 0}')
    with StandIn([], Options(port=0)) as standin:
        port = standin.url.rpartition(":")[2]
        answer = vigie("simulate-x", str(file), "--port", port)
    assert answer.exit_code == 1
    assert f"port {port}" in answer.stderr
    assert "--port" in answer.stderr


def test_the_stand_in_names_the_bad_line_of_its_file(tmp_path: Path) -> None:
    file = tmp_path / "posts.jsonl"
    file.write_text('{"id": "a", "text": "b", "at": 0}\n{')
    answer = vigie("simulate-x", str(file), "--port", "0")
    assert answer.exit_code == 1
    assert "line 2" in answer.stderr


def test_a_bad_fault_script_is_named_with_its_line(tmp_path: Path) -> None:
    file, script = tmp_path / "posts.jsonl", tmp_path / "faults.yaml"
    file.write_text('{"id": "a", "text": "b", "at": 0}')
    script.write_text("faults:\n  - {at: 1, what: explode}")
    answer = vigie("simulate-x", str(file), "--port", "0", "--faults", str(script))
    assert answer.exit_code == 1
    assert "faults.yaml:2: error: faults[0].what" in answer.stderr


def test_the_stand_in_breaks_as_its_script_says_until_it_is_interrupted(tmp_path: Path) -> None:
    file = tmp_path / "posts.jsonl"
    file.write_text('{"id": "a", "text": "b", "at": 0}')
    script = tmp_path / "faults.yaml"
    script.write_text("faults:\n  - {connect: 1, what: 503}")
    command = [sys.executable, "-m", "desk.cli", "simulate-x", str(file), "--port", "0", "--json", "--loop"]
    command += ["--faults", str(script)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}
    ) as process:
        assert process.stdout
        said = json.loads(process.stdout.readline())
        assert requests.get(f"{said['url']}/health", timeout=5).json()["posts"] == 1
        stream, bearer = f"{said['url']}/2/tweets/search/stream", {"Authorization": "Bearer t"}
        assert [requests.get(stream, headers=bearer, timeout=5).status_code for _ in range(2)] == [503, 409]
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == -signal.SIGTERM


@pytest.mark.parametrize("name", ["report", "simulate-x"])
def test_help_shows_an_example(name: str) -> None:
    assert "Example: vigie" in vigie(name, "--help").stdout
