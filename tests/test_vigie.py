"""The spine: stages opened and closed, and retention as the bundle declares it."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import pytest
from click.testing import CliRunner

import vigie
from config.publish import Configuration
from config.settings import settings
from desk.cli import main
from desk.commands.watch import beside
from listeners.standin.playback import Draft
from listeners.standin.server import Options, StandIn
from store import annotations, changes, config_versions, leases, posts
from store.database import Database
from store.index.cluster import connect
from store.index.lag import Lag, lag
from store.records import Annotation, Post

BUNDLE = """
name: {fr: a, en: b}
default_lead: p
agencies: [{id: p, name: {fr: a, en: b}, kind: prefecture}]
filters: [{id: smoke, purpose: Hear of smoke anywhere, keywords: [fumée], where: anywhere}]
sources: [{id: x, kind: x_stream}]
"""
ORDER = "public_order: {legal_basis: an invented ordinance, roles: [p], keep_days: 7}"
TAGS = {"rumour": 0.0, "public_order_threat": 0.9, "emerging_incident": 0.9}


@pytest.fixture
def make_house(tmp_path):
    db = Database.open(f"sqlite:///{tmp_path / 'vigie.db'}")

    def make(bundle=BUNDLE, **env):
        with db.write() as conn:
            config_versions.publish(conn, {"b.yaml": bundle}, "test", datetime.now(UTC))
        here = {"VIGIE_HOME": str(tmp_path), "VIGIE_CONFIG": str(tmp_path), **env}
        return vigie.House(settings(here), db, stop=Event())

    yield make
    db.close()


def until(condition, seconds=5):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def test_a_stream_is_let_go_of_when_its_stage_ends(make_house, monkeypatch):
    monkeypatch.setenv("X_BEARER_TOKEN", "token")
    with StandIn([Draft(0, {"id": "a", "text": "fumée"})], Options(port=0)) as standin:
        house = make_house(VIGIE_X_BASE_URL=standin.url)
        world = Configuration(house.db).current()
        lease = leases.acquire(house.db, "collect", "test", house.clock())
        with vigie.collect(house) as step:
            until(lambda: step(world, lease) >= 0 and standin.status()["connected"] == 1)
        until(lambda: standin.status()["connected"] == 0)


@pytest.mark.parametrize(("declared", "kept"), [(ORDER, [None, 0.9]), ("", [None, None])])
def test_threats_are_kept_as_long_as_the_bundle_says(make_house, declared, kept):
    house = make_house(BUNDLE + declared)
    now = house.clock()
    with house.db.write() as conn:
        for age in (8, 6):
            at = now - timedelta(days=age)
            posts.add(conn, [Post(f"x:{age}", "x", "fumée", at, at)])
            annotations.put(conn, [Annotation(f"x:{age}", "fr", "fast", 0.9, 0.9, TAGS)])
    assert vigie.retain(house) == 0
    with house.db.read() as conn:
        found = annotations.get(conn, ["x:8", "x:6"])
    assert [one.tags["public_order_threat"] for one in found.values()] == kept


SEARCHED = BUNDLE.replace("kind: x_stream", "kind: x_search")


def test_searches_run_without_airflow_until_the_house_stops(make_house, monkeypatch):
    monkeypatch.setenv("X_BEARER_TOKEN", "token")
    with StandIn([Draft(0, {"id": "a", "text": "fumée"})], Options(port=0, at_once=True)) as standin:
        house = make_house(SEARCHED, VIGIE_X_BASE_URL=standin.url)
        turns = Thread(target=vigie.run_schedules, args=(house,))
        turns.start()

        def kept():
            with house.db.read() as conn:
                return posts.get(conn, [f"x:{one.id}" for one in standin.play.played])

        until(kept)
        house.stop.set()
        turns.join(timeout=5)
        assert not turns.is_alive()


def test_a_house_that_stops_asks_no_further_query(make_house, monkeypatch):
    monkeypatch.setenv("X_BEARER_TOKEN", "token")
    with StandIn([Draft(0, {"id": "a", "text": "fumée"})], Options(port=0, at_once=True)) as standin:
        house = make_house(SEARCHED, VIGIE_X_BASE_URL=standin.url)
        house.stop.set()
        assert vigie.search(house) == 0
        assert standin.requests == 0


CLUSTER = "http://127.0.0.1:9200"


def test_what_is_heard_is_in_the_index_while_its_task_runs(make_house, cluster):
    house = make_house(VIGIE_ELASTICSEARCH=cluster.hosts[0], VIGIE_ELASTICSEARCH_PREFIX=cluster.prefix)
    task = Thread(target=vigie.run_task, args=("index", house))
    task.start()
    now = house.clock()
    with house.db.write() as conn:
        posts.add(conn, [Post("x:1", "x", "fumée", now, now)])

    def read():
        with house.db.read() as conn:
            return changes.cursor(conn, "index") >= 1 and lag(conn) == Lag(0)

    until(read, 60)
    house.stop.set()
    task.join(timeout=60)
    with connect(cluster) as client:
        client.indices.refresh(index=f"{cluster.prefix}-posts")
        assert client.search(index=f"{cluster.prefix}-posts")["hits"]["hits"][0]["_id"] == "x:1"
    with house.db.read() as conn:
        assert leases.holder(conn, "index") is None


def test_the_index_is_a_task_only_where_there_is_a_cluster():
    assert set(vigie.tasks(settings({}))) == {"listen", "understand", "dispatch"}
    assert set(vigie.tasks(settings({"VIGIE_ELASTICSEARCH": CLUSTER}))) == {"listen", "understand", "dispatch", "index"}


@pytest.mark.parametrize(("env", "kept"), [({"VIGIE_ELASTICSEARCH": CLUSTER}, 3), ({}, 1)])
def test_the_change_log_is_kept_for_the_index_as_long_as_there_is_a_cluster(make_house, env, kept):
    house = make_house(BUNDLE + "retention: {changes_days: 1}", **env)
    now = house.clock()
    with house.db.write() as conn:
        posts.add(conn, [Post(f"x:{n}", "x", "fumée", now, now) for n in range(3)])
        for stage in ("annotate", "detect", "route"):
            changes.set_cursor(conn, stage, changes.latest(conn))
        changes.set_cursor(conn, "index", 0)
    for days in (0, 3):
        vigie.retain(replace(house, clock=lambda days=days: now + timedelta(days=days)))
    with house.db.read() as conn:
        assert len(changes.after(conn, 0, ["posts"], 9)) == kept


def test_an_index_that_finds_no_cluster_and_loses_its_lease_ends_nothing_else(make_house):
    house = make_house(VIGIE_ELASTICSEARCH="http://127.0.0.1:9")
    task = Thread(target=beside, args=("index", house))
    task.start()

    def read(what):
        with house.db.read() as conn:
            return what(conn)

    until(lambda: read(lag).away, 60)
    assert "nothing answers at that address" in read(lag).away.reason
    with house.db.write() as conn:
        conn.exec_driver_sql("UPDATE leases SET owner = 'another', fence = fence + 1, expires_at = 0")
    until(lambda: (held := read(lambda conn: leases.holder(conn, "index"))) and held.owner != "another", 60)
    assert not house.stop.is_set()
    house.stop.set()
    task.join(timeout=60)
    assert not task.is_alive()


def test_vigie_watch_feeds_the_index_beside_the_stages(make_house, tmp_path, monkeypatch):
    house = make_house()
    monkeypatch.setenv("VIGIE_HOME", str(tmp_path))
    monkeypatch.setenv("VIGIE_ELASTICSEARCH", "http://127.0.0.1:9")
    done = CliRunner().invoke(main, ["watch", "--seconds", "3"], catch_exceptions=False)
    with house.db.read() as conn:
        assert (done.exit_code, "nothing answers" in lag(conn).away.reason) == (0, True)
