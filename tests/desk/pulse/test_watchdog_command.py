"""`vigie watchdog` as a person or cron runs it."""

from __future__ import annotations

import fcntl
import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from config.settings import settings
from desk.commands.watchdog import command
from desk.pulse import memory as memories
from desk.stack import own_children
from store import times


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("VIGIE_HOME", str(tmp_path))
    monkeypatch.setenv("VIGIE_CONFIG", str(tmp_path))
    return tmp_path


def looked(home, began: timedelta) -> None:
    """The watchdog has looked for so long already, and for a minute everything was seen to be down."""
    now = times.now()
    memory = memories.Memory(now - began, now - timedelta(minutes=1))
    memory.seen = {f"stopped:{stage}": now - began for stage in ("collect", "annotate", "detect", "route", "dispatch")}
    memories.save(home / "watchdog.json", memory)


def bundle(home) -> None:
    text = "name: {fr: a, en: b}\ndefault_lead: p\nagencies: [{id: p, name: {fr: a, en: b}, kind: prefecture}]\n"
    (home / "bundle.yaml").write_text(text)


def once(*more: str):
    return CliRunner().invoke(command, ["--once", *more])


def test_the_first_look_of_a_cron_job_tells_nothing_yet(home):
    bundle(home)
    answer = once()
    assert (answer.exit_code, answer.stdout) == (0, "nothing stands still\n")


def test_a_later_look_remembers_and_ends_with_one(home):
    bundle(home)
    assert once().exit_code == 0
    looked(home, timedelta(minutes=10))
    answer = once("--json")
    said = json.loads(answer.stdout)
    assert (answer.exit_code, said["ok"]) == (1, False)
    assert "stopped:annotate" in [one["code"] for one in said["troubles"]]


def test_a_second_watchdog_leaves_it_to_the_first(home):
    with (home / "watchdog.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        answer = once()
    assert (answer.exit_code, answer.stderr) == (0, "another watchdog looks already\n")


@pytest.mark.parametrize(("watch", "option"), [(True, "--no-airflow"), (False, "--airflow")])
def test_vigie_run_starts_one_that_knows_whether_airflow_is_to_run(home, watch, option):
    children = own_children(settings(), drill=False, watch=watch)
    assert [one.argv[-1] for one in children if one.name == "watchdog"] == [option]
