"""What other machines ask the desk: /healthz and /metrics, on a store filled by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from desk.pulse.vitals import READS, WATCHDOG, WatchdogLife, remember
from store import annotations, changes, gaps, hourly, leases, state, times
from store.index import generations
from store.index.families import POSTS
from store.index.generations import Generation, Standing
from store.meter import Meter
from store.records import Annotation
from vigie import READERS

HOUR = timedelta(hours=1)


def metrics(desk) -> dict[str, float]:
    """Sample name and labels → value, as Prometheus' own parser reads them."""
    families = text_string_to_metric_families(desk.text("/metrics"))
    samples = [sample for family in families for sample in family.samples]
    return {" ".join([one.name, *one.labels.values()]): one.value for one in samples}


def health(desk) -> dict[str, object]:
    return desk.client.get("/healthz").json()


def listened(desk, subject: str, per_hour: int) -> None:
    """Four weeks of listening until the hour of now, then silence."""
    current = desk.now.replace(minute=0, second=0)
    with desk.db.write() as conn:
        for back in range(28 * 24, 0, -1):
            hourly.add(conn, current - back * HOUR + timedelta(minutes=59), {subject: (per_hour, 0, 3600.0)})
        hourly.add(conn, desk.now, {subject: (0, 0, 760.0)})


def watchdog(desk, **changed: object) -> None:
    with desk.db.write() as conn:
        state.put(conn, WATCHDOG, {"life": remember(WatchdogLife(**({"at": desk.now} | changed)))})


def test_a_well_vigie_is_ok(desk):
    desk.source("x-stream")
    answer = desk.client.get("/healthz")
    assert (answer.status_code, answer.json()["ok"], answer.json()["hearing"]) == (200, True, "hearing")


def test_a_stage_that_stopped_is_not_ok_though_the_desk_lives(desk):
    desk.source("x-stream")
    desk.now += timedelta(seconds=11)
    for stage in ("collect", "detect", "route", "dispatch"):
        leases.acquire(desk.db, stage, "test", desk.now)
    answer = desk.client.get("/healthz")
    assert (answer.status_code, answer.json()["ok"], answer.json()["stopped"]) == (200, False, ["annotate"])
    assert answer.json()["stages"]["annotate"]["holder"] is None


def test_a_stage_that_holds_its_lease_and_does_not_turn_is_stopped(desk):
    desk.source("x-stream")
    Meter(desk.db, lambda: desk.now).note({"annotate": 1})
    desk.later(timedelta(minutes=3))
    assert health(desk)["stopped"] == ["annotate"]
    assert "Bloquée" in desk.text()


def test_posts_that_nobody_annotates_are_counted_and_aged(desk):
    desk.post("file:1", "fumée")
    desk.post("file:2", "fumée")
    found = health(desk)["stages"]["annotate"]
    assert (found["lag"], found["lag_s"]) == (2, 300.0)


def test_a_stage_that_read_everything_is_not_behind(desk):
    desk.post("file:1", "fumée")
    with desk.db.write() as conn:
        changes.set_cursor(conn, "annotate", changes.latest(conn))
    found = health(desk)["stages"]["annotate"]
    assert (found["lag"], found["lag_s"]) == (0, None)


def test_an_edit_of_an_old_post_is_no_old_lag(desk):
    desk.post("file:1", "fumée")
    with desk.db.write() as conn:
        annotations.put(conn, [Annotation("file:1", "fr", "fast", 0.1, 0.1, {})])
        changes.set_cursor(conn, "detect", changes.latest(conn))
        annotations.put(conn, [Annotation("file:1", "fr", "fast", 0.9, 0.9, {})])
    found = health(desk)["stages"]["detect"]
    assert (found["lag"], found["lag_s"]) == (1, None)


def test_the_tables_that_lag_counts_are_those_the_stages_read():
    spine = {stage: set(tables) for stage, tables in READERS.items()}
    assert {stage: set(tables) for stage, tables in READS.items()} == spine


def test_the_oldest_message_that_is_due_is_aged_and_one_put_off_is_not(desk):
    alert = desk.alert(desk.incident())
    desk.deliver(alert, "fire", state="pending", sent_at=None, first_attempt_at=None, next_at=desk.now + HOUR)
    assert health(desk)["oldest_unsent_s"] is None
    desk.deliver(alert, "health", state="pending", sent_at=None, next_at=desk.now + HOUR)
    assert health(desk)["oldest_unsent_s"] == 180.0


def test_a_source_below_its_baseline_makes_the_desk_blind_and_says_which_and_since_when(judged):
    judged.source("x-flux", last_post_at=judged.now - timedelta(minutes=12))
    listened(judged, "source:x-flux", 120)
    page = judged.text()
    assert health(judged)["hearing"] == "blind"
    assert [one["id"] for one in health(judged)["deaf"]] == ["x-flux"]
    assert "Vigie est aveugle" in page
    assert "0 reçus depuis 02:59, au moins 25 attendus" in page
    assert "ne pas conclure au calme" in page


def test_a_filter_below_its_baseline_is_named_in_english_too(judged):
    judged.source("x-flux")
    listened(judged, "filter:feu", 120)
    assert "Filter feu:" in judged.text("/?lang=en")


def test_silence_without_a_baseline_says_so(judged):
    judged.source("x-flux", last_post_at=judged.now - timedelta(minutes=12))
    assert health(judged)["no_baseline"] == ["x-flux"]
    assert "Pas encore de référence" in judged.text()


def test_silence_that_is_usual_at_such_an_hour_is_calm(judged):
    judged.source("x-flux", last_post_at=judged.now - timedelta(minutes=12))
    listened(judged, "source:x-flux", 3)
    assert health(judged)["hearing"] == "quiet"
    assert "calme habituel" in judged.text()


def test_an_exercise_is_not_compared_with_real_life(drill):
    drill.source("x-flux", last_post_at=drill.now - timedelta(minutes=12))
    listened(drill, "source:x-flux", 120)
    assert health(drill)["hearing"] == "silent"


def test_the_desk_shows_whether_the_watchdog_lives(desk):
    assert "n’a jamais tourné" in desk.text()
    watchdog(desk, contacts=("fire-duty",))
    assert "prévient Astreinte Sapeurs-pompiers" in desk.text()
    desk.later(timedelta(minutes=2))
    assert "Absent" in desk.text()
    assert health(desk)["ok"] is False


def test_prometheus_reads_every_stage_source_and_delivery(desk):
    desk.source("x-stream", received=4210, kept=318)
    desk.deliver(desk.alert(desk.incident()), "fire")
    Meter(desk.db, lambda: desk.now).note({"annotate": 7})
    with desk.db.write() as conn:
        gaps.begin(conn, "x-stream", desk.now, "the connection broke")
    watchdog(desk, troubles=("airflow",))
    found = metrics(desk)
    wanted = {
        "vigie_stage_processed_total annotate": 7,
        "vigie_stage_held annotate": 1,
        "vigie_stage_lag_changes route": 0,
        "vigie_source_received_total x-stream": 4210,
        "vigie_source_kept_total x-stream": 318,
        "vigie_source_state x-stream on": 1,
        "vigie_source_state x-stream off": 0,
        "vigie_deliveries sent": 1,
        "vigie_oldest_unsent_seconds": 0,
        "vigie_gaps_open": 1,
        "vigie_watchdog_up": 1,
        "vigie_troubles": 1,
        "vigie_hearing hearing": 1,
        "vigie_ok": 1,
    }
    assert {name: found.get(name) for name in wanted} == wanted


def test_metrics_are_for_this_machine_only(desk):
    assert desk.client.get("/metrics", headers={"host": "evil.example"}).status_code == 421


@pytest.mark.parametrize("path", ["/healthz", "/metrics"])
def test_a_database_that_cannot_be_read_is_said_with_503(desk, path):
    with desk.db.write() as conn:
        conn.exec_driver_sql("ALTER TABLE cursors RENAME TO gone")
    assert desk.client.get(path).status_code == 503


AWAY = "its disk is nearly full, so it takes nothing: free some space there, and it opens by itself"


def test_how_far_the_index_is_behind_and_why_it_is_away_is_told_and_vigie_is_well_all_the_same(indexed):
    indexed.source("x-stream")
    leases.acquire(indexed.db, "index", "test", indexed.now)
    with indexed.db.write() as conn:
        changes.set_cursor(conn, "index", changes.latest(conn))
        state.put(conn, "index", {"away": {"reason": AWAY, "since": times.to_iso(indexed.now - timedelta(minutes=2))}})
        generations.put(conn, POSTS, Standing(Generation(1), Generation(1, 1), done=3, total=9, why="lost"))
    indexed.post("file:1", "fumée")
    told = health(indexed)["index"]
    assert (told["state"], told["away"]["reason"], told["lag"], told["lag_s"]) == ("away", AWAY, 2, 300.0)
    assert told["building"] == [{"family": "posts", "why": "lost", "done": 3, "total": 9}]
    assert health(indexed)["ok"] is True
    found = metrics(indexed)
    wanted = {
        "vigie_stage_lag_changes index": 2,
        "vigie_stage_lag_seconds index": 300,
        "vigie_index_up": 0,
        "vigie_index_away_seconds": 120,
        "vigie_index_rebuild_left posts": 6,
    }
    assert {name: found.get(name) for name in wanted} == wanted
    assert "Elasticsearch ne prend rien" in indexed.text()
    assert "son disque est presque plein" in indexed.text()
    assert "its disk is nearly full" in indexed.text("/?lang=en")


def test_without_a_cluster_nothing_is_said_of_an_index(desk):
    assert health(desk)["index"] is None
    assert "Index de recherche" not in desk.text()
    assert "vigie_index_up" not in metrics(desk)
