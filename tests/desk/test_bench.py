"""``vigie bench``: the figures are counted as they are said to be."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest
from click.testing import CliRunner

from desk.bench import latency
from desk.bench.pipeline import percentiles
from desk.cli import main
from store import outbox
from store.database import Database
from store.records import Delivery

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


def delivery(number, *, waited, agency="fire", created=0.0, event="new"):
    return Delivery(
        id=f"d{number}",
        alert_id="al-1",
        incident_id="inc-1",
        event=event,
        agency=agency,
        role="lead",
        contact="duty",
        channel="mail",
        created_at=START + timedelta(seconds=created),
        state="sent",
        attempts=1,
        first_attempt_at=None if waited is None else START + timedelta(seconds=waited),
        trigger_received_at=START,
    )


def test_latency_runs_from_receipt_to_first_attempt():
    found = latency.measured([delivery(0, waited=0.4), delivery(1, waited=0.6, agency="police")])
    assert (found["deliveries"], found["p50_ms"], found["p95_ms"]) == (2, 500.0, 600.0)


def test_later_messages_to_an_agency_are_told_apart():
    found = latency.measured([delivery(0, waited=0.4), delivery(1, waited=120.0, created=60.0)])
    assert (found["deliveries"], found["later"]) == (1, 1)
    assert found["p95_ms"] == 400.0


def test_messages_never_tried_have_no_latency():
    assert latency.measured([delivery(0, waited=None)])["deliveries"] == 0


def test_percentiles_of_one_duration_are_that_duration():
    assert percentiles([0.25], 50, 99) == {"p50_ms": 250.0, "p99_ms": 250.0}


def test_the_latency_of_an_installation_is_read_from_its_database(tmp_path):
    url = f"sqlite:///{tmp_path / 'vigie.db'}"
    db = Database.open(url)
    with db.write() as conn:
        outbox.add(conn, [delivery(0, waited=0.3), delivery(1, waited=9.0, event="update")])
    db.close()
    result = CliRunner().invoke(main, ["bench", "latency", "--database", url, "--json"])
    assert (orjson.loads(result.stdout)["deliveries"], orjson.loads(result.stdout)["p50_ms"]) == (1, 300.0)


@pytest.mark.parametrize("name", ["latency", "pipeline", "replay"])
def test_every_bench_has_help_with_an_example(name):
    result = CliRunner().invoke(main, ["bench", name, "--help"])
    assert result.exit_code == 0
    assert f"Example: vigie bench {name}" in result.stdout


def test_the_pipeline_bench_measures_all_it_prints():
    result = CliRunner().invoke(main, ["bench", "pipeline", "--posts", "200", "--incidents", "2", "--json"])
    assert result.exit_code == 0, result.output
    found = orjson.loads(result.stdout)
    assert found["posts"] == 200
    assert found["posts_per_s"] > 0
    assert found["latency"]["expected"] == 2
    assert found["naive"]["posts"] == 200


def test_the_replay_bench_says_whether_a_recording_ended(tmp_path):
    recording = tmp_path / "quiet.jsonl"
    recording.write_bytes(orjson.dumps({"id": "1", "text": "Il fait beau", "created_at": "2026-03-02T06:00:00Z"}))
    result = CliRunner().invoke(main, ["bench", "replay", str(recording), "--json"])
    row = orjson.loads(result.stdout)
    assert (row["file"], row["posts"], row["new"], row["first_after_posts"], row["ended"]) == (
        "quiet",
        1,
        0,
        None,
        True,
    )
