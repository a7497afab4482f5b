"""`vigie route` and `vigie ledger`, as a person types them."""

import json

import pytest
from alerts_kit import KEY, event, happens, world
from click.testing import CliRunner

from alerts.channels import senders
from alerts.dispatch import dispatch_stage
from alerts.router import route_stage
from config.settings import ROOT
from desk.commands.ledger import command as ledger_command
from desk.commands.route import command as route_command

LINE = {
    "at": "2026-03-02T01:08:11Z",
    "event": "new",
    "alert": "a-1",
    "incident": "i-1",
    "status": "Exercise",
    "late": False,
    "tags": ["emerging_incident"],
    "hazard": "industrial_fire",
    "severity": "Severe",
    "certainty": "Possible",
    "place": {"name": "Cholet", "insee": "49099", "lat": 47.06, "lon": -0.88},
    "lead": "sdis",
    "support": [],
    "reason": ["3 voices"],
    "posts": 12,
    "voices": 9,
    "authors_known": 9,
    "evidence": ["1", "2"],
}


def ask(line, *more):
    given = line if isinstance(line, str) else json.dumps(line)
    return CliRunner().invoke(route_command, ["-", "--explain", *more], input=given)


def answer(line, *more):
    asked = ask(line, *more)
    assert asked.exit_code == 0, asked.output
    return json.loads(asked.stdout)


def test_it_writes_recipients_and_rejected_with_their_reasons():
    said = answer(LINE)
    assert set(said) == {"recipients", "rejected"}
    assert said["recipients"][0] == {
        "agency": "sdis",
        "role": "lead",
        "channel": "mail",
        "at": "2026-03-02T01:08:11Z",
        "reason": "sdis-codis: rule feu-industriel-cholet for industrial_fire in cholet; on call now",
    }
    assert {"agency", "contact", "channel", "reason"} == set(said["rejected"][0])


def test_an_object_over_several_lines_is_one_object():
    assert answer(json.dumps(LINE, indent=2))["recipients"]


def test_hazard_and_place_may_be_null():
    said = answer(LINE | {"hazard": None, "place": None})
    assert [one["agency"] for one in said["recipients"]] == ["prefecture-sidpc"] * 2
    assert "place unknown" in said["recipients"][0]["reason"]


def test_another_time_can_be_asked_for():
    said = answer(LINE, "--at", "2026-03-02T15:00:00+01:00")
    assert {one["at"] for one in said["recipients"]} == {"2026-03-02T14:00:00Z"}
    assert not any(one["reason"].startswith("sidpc-renfort") for one in said["recipients"])


def test_another_bundle_can_be_asked():
    said = answer(LINE, "--config", str(ROOT / "config" / "catch-all"))
    assert [one["agency"] for one in said["recipients"]] == ["desk"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "not JSON"),
        ("[1]", "not a JSON object"),
        (json.dumps(LINE) + "\n" + json.dumps(LINE), "there are 2 objects"),
        ({k: v for k, v in LINE.items() if k != "hazard"}, "missing field 'hazard'"),
        ({k: v for k, v in LINE.items() if k != "at"}, "missing field 'at'"),
        (LINE | {"colour": "red"}, "unknown field 'colour'"),
        (LINE | {"hazard": "dragon"}, "field 'hazard' must be one of"),
        (LINE | {"severity": "bad"}, "field 'severity' must be one of Extreme"),
        (LINE | {"at": "yesterday"}, "field 'at'"),
        (LINE | {"at": "2026-03-02T01:08:11"}, "needs its zone"),
        (LINE | {"late": "no"}, "field 'late' must be true or false"),
        (LINE | {"tags": "rumour"}, "field 'tags' must be a list"),
        (LINE | {"posts": -1}, "field 'posts' must be a whole number"),
        (LINE | {"voices": True}, "field 'voices' must be a number"),
        (LINE | {"place": "Cholet"}, "field 'place' must be null, or an object"),
        (LINE | {"place": {"name": "Cholet", "lat": 100}}, "must lie between -90 and 90"),
        (LINE | {"place": {"name": "Cholet", "zip": "49300"}}, "field 'place': unknown 'zip'"),
    ],
)
def test_what_is_wrong_is_said_by_field(line, words):
    asked = ask(line, "--config", str(ROOT / "config" / "catch-all"))
    assert asked.exit_code == 1
    assert words in asked.output


def test_a_folder_that_is_no_bundle_is_said(tmp_path):
    asked = ask(LINE, "--config", str(tmp_path))
    assert asked.exit_code == 1
    assert "Error" in asked.output


@pytest.fixture
def home(db, clock, tmp_path, monkeypatch):
    monkeypatch.setenv("VIGIE_HOME", str(tmp_path))
    monkeypatch.setenv("TEST_WEBHOOK_KEY", "k")
    happens(db, event(hazard="looting"))
    route_stage(db, world(), clock=clock)
    out = dict.fromkeys(senders(), lambda *_: None)
    dispatch_stage(db, world(), senders=out, clock=clock, key=KEY)
    return db


def listed(*args):
    ran = CliRunner().invoke(ledger_command, args)
    return ran.exit_code, ran.stdout.splitlines()


def test_the_ledger_is_listed_in_order(home):
    code, lines = listed()
    assert code == 0
    assert [line.split()[2] for line in lines] == ["routed", "delivery.sent"]


def test_the_ledger_is_filtered_and_given_as_json(home):
    _, lines = listed("--kind", "delivery.sent", "--json")
    [entry] = json.loads("\n".join(lines))
    assert entry["detail"]["contact"] == "desk-officer"
    assert entry["at"] == "2026-03-02T02:12:00Z"


def test_a_ledger_that_nobody_touched_holds(home):
    code, lines = listed("verify")
    assert (code, lines[0]) == (0, "the ledger is intact: 2 lines")
    assert lines[1] == "lines 1 to 2 are not proved: no anchor from outside is as new"


def test_a_line_changed_behind_its_back_is_named(home, tmp_path):
    import sqlite3

    with sqlite3.connect(tmp_path / "vigie.db") as raw:
        for (name,) in raw.execute(
            "SELECT name FROM sqlite_master WHERE type='trigger' AND tbl_name='ledger'"
        ).fetchall():
            raw.execute(f"DROP TRIGGER {name}")
        raw.execute("UPDATE ledger SET subject = 'other' WHERE seq = 1")
    code, lines = listed("verify", "--json")
    assert code == 1
    said = json.loads(lines[0])
    assert (said["intact"], said["first_bad"]) == (False, 1)
