"""`vigie index`: how the index stands, building it anew, comparing it with the database."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

import vigie
from config.publish import publish_folder
from config.settings import settings
from desk import indexing
from desk.cli import main
from store import posts, times
from store.database import Database
from store.index.cluster import connect
from store.index.families import STAGE
from store.leases import acquire, release
from store.records import Post

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def home(tmp_path, cluster, monkeypatch):
    """An installation of this cluster with posts of three days, and nothing fed yet."""
    monkeypatch.setenv("VIGIE_HOME", str(tmp_path))
    monkeypatch.setenv("VIGIE_ELASTICSEARCH", cluster.hosts[0])
    monkeypatch.setenv("VIGIE_ELASTICSEARCH_PREFIX", cluster.prefix)
    db = Database.open(settings().database)
    publish_folder(db, settings().config, "test", times.now())
    at = [NOON + timedelta(days=n) for n in range(3)]
    with db.write() as conn:
        posts.add(conn, [Post(f"x:{n}", "x", "Fumée noire", day, day) for n, day in enumerate(at)])
    yield db
    db.close()


@pytest.fixture
def client(cluster):
    with connect(cluster) as client:
        yield client


def ask(*arguments):
    """The exit status of a command, and what it printed."""
    done = CliRunner().invoke(main, ["index", *arguments], catch_exceptions=False)
    return done.exit_code, json.loads(done.stdout) if "--json" in arguments else done.output


def test_what_was_never_fed_is_built_here_where_nobody_feeds_and_found(home, client, cluster):
    status, told = ask("rebuild", "posts", "--json")
    assert (status, told["rebuilt"][0]["family"], told["rebuilt"][0]["documents"]) == (0, "posts", 3)
    assert client.count(index=f"{cluster.prefix}-posts").body["count"] == 3


def test_whoever_feeds_the_index_builds_it_and_the_command_follows(home, client, cluster):
    house = vigie.House(settings(), home)
    task = threading.Thread(target=vigie.run_task, args=("index", house))
    task.start()
    try:
        status, said = ask("rebuild", "posts")
    finally:
        house.stop.set()
        task.join(60)
    assert (status, "posts: generation r" in said, "3 documents" in said) == (0, True, True)


def test_whoever_takes_the_lease_between_looking_and_taking_builds_it(home, client, cluster, monkeypatch):
    monkeypatch.setattr(indexing, "feeding", lambda db, now: None)
    held = acquire(home, STAGE, "another", times.now())
    house = vigie.House(settings(), home)
    task = threading.Thread(target=vigie.run_task, args=("index", house))
    threading.Timer(1, lambda: (release(home, held), task.start())).start()
    try:
        status, said = ask("rebuild", "posts")
    finally:
        house.stop.set()
        task.join(60)
    assert (status, "3 documents" in said) == (0, True)


def test_both_sides_are_compared_by_family_and_day_and_what_differs_is_fed_anew(home, client, cluster):
    ask("rebuild", "posts")
    status, told = ask("verify", "posts", "--json")
    assert (status, told["same"], [day["index"] for day in told["days"]]) == (0, True, [1, 1, 1])
    index = f"{cluster.prefix}-posts-v1-r1-2026.03"
    client.delete(index=index, id="x:1", refresh=True)
    client.update(index=index, id="x:2", doc={"text": "Rien"}, refresh=True)
    status, said = ask("verify", "posts")
    assert (status, "missing: x:1" in said, "other: x:2" in said, "2 documents differ" in said) == (1, True, True, True)
    status, told = ask("verify", "posts", "--since", "2026-03-04", "--json")
    assert [day["faults"] for day in told["days"]] == [{"x:2": "other"}]
    status, told = ask("verify", "posts", "--repair", "--json")
    assert (status, told["same"], [day["mended"] for day in told["days"]]) == (0, True, [0, 1, 1])


def test_the_status_tells_the_cluster_who_feeds_it_and_how_far_it_is_behind(home):
    ask("rebuild", "posts")
    with home.write() as conn:
        posts.add(conn, [Post("x:9", "x", "Fumée noire", NOON, NOON)])
    status, told = ask("status", "--json")
    assert (status, told["answers"], told["fed_by"], told["lag"], told["away"]) == (0, True, None, 1, None)
    assert told["versions"][0].startswith("9.")
    assert told["outdated_templates"] == []
    (family,) = (one for one in told["families"] if one["family"] == "posts")
    assert (family["database"], family["index"], family["generation"][-5:]) == (4, 3, "v1-r1")
    assert "behind by 1 changes" in ask("status")[1]


def test_a_cluster_that_does_not_answer_is_said_with_its_reason(home, monkeypatch):
    monkeypatch.setenv("VIGIE_ELASTICSEARCH", "http://127.0.0.1:9")
    status, told = ask("status", "--json")
    assert (status, told["answers"]) == (1, False)
    assert "nothing answers at that address" in told["reason"]
    assert ask("verify")[0] == 1


def test_without_a_cluster_the_command_says_which_setting_lacks(monkeypatch, tmp_path):
    monkeypatch.setenv("VIGIE_HOME", str(tmp_path))
    monkeypatch.delenv("VIGIE_ELASTICSEARCH", raising=False)
    status, said = ask("status")
    assert (status, "VIGIE_ELASTICSEARCH" in said) == (1, True)
