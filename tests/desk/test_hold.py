from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from desk.cli import main

WHY = ("--by", "the office", "--reason", "an inquiry", "--legal-basis", "an invented order")


@pytest.fixture
def vigie(tmp_path, monkeypatch):
    monkeypatch.setenv("VIGIE_HOME", str(tmp_path))
    monkeypatch.delenv("VIGIE_DATABASE", raising=False)

    def run(*arguments: str):
        return CliRunner().invoke(main, ["hold", *arguments])

    return run


def test_a_hold_is_placed_listed_and_released(vigie):
    made = json.loads(vigie("add", "all", *WHY, "--json").output)
    assert (made["subject"], made["by"], made["in_force"]) == ("all", "the office", True)
    assert json.loads(vigie("list", "--json").output) == [made]
    assert json.loads(vigie("release", made["id"], "--by", "another", "--json").output)["released_by"] == "another"
    assert json.loads(vigie("list", "--json").output) == []
    assert json.loads(vigie("list", "--all", "--json").output)[0]["in_force"] is False


def test_a_line_says_what_is_held_and_why(vigie):
    vigie("add", "all", *WHY, "--until", "2099-12-31")
    assert "all since" in (line := vigie("list").output)
    assert "until 2099-12-31: an inquiry (an invented order), the office" in line


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("add", "incident:nowhere", *WHY), "there is no incident 'nowhere' here"),
        (("add", "everything", *WHY), "a hold is on incident:ID, post:ID or all"),
        (("add", "all", *WHY, "--until", "2020-01-01"), "2020-01-01 is over"),
        (("add", "all", *WHY, "--reason", " "), "cannot be empty"),
        (("add", "all", "--by", "me"), "--reason"),
        (("release", "hold-0", "--by", "me"), "there is no hold 'hold-0' in force"),
    ],
)
def test_what_cannot_be_held_says_why(vigie, arguments, says):
    answer = vigie(*arguments)
    assert answer.exit_code == 2
    assert says in answer.output
    assert vigie("list").output == ""
