"""The month's budget of a source that is paid by the post."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest

from config.bundle import Bundle
from config.settings import Settings, settings
from config.world import World
from listeners import budget
from listeners.intake import Intake, search_sources
from listeners.standin.playback import Draft
from listeners.standin.server import Options, StandIn
from store import gaps, hourly, leases, sources
from store.database import Database
from store.records import Lease, SourceHealth

NOW = datetime(2031, 5, 11, 12, 0, tzinfo=UTC)
BUNDLE = """
name: {fr: a, en: b}
default_lead: p
agencies: [{id: p, name: {fr: a, en: b}, kind: prefecture}]
filters:
  - {id: smoke, purpose: Hear of smoke anywhere, keywords: [fumée], where: anywhere}
  - {id: flood, purpose: Hear of floods anywhere, keywords: [crue], where: anywhere}
sources:
  - {id: flux, kind: x_stream, budget: {posts_a_month: 1000}}
  - {id: recherche, kind: x_search, budget: {posts_a_month: 4000, filter_share: 0.4}}
  - {id: autre, kind: x_search, secrets: {bearer_token: ANOTHER}}
"""


@pytest.fixture(scope="module")
def world() -> World:
    return World.from_files("v1", {"b.yaml": BUNDLE})


@pytest.fixture
def standin(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    monkeypatch.setenv("X_BEARER_TOKEN", "token")
    with StandIn([Draft(0, {"id": "a", "text": "fumée"})], Options(port=0, at_once=True)) as started:
        yield started


@pytest.fixture
def here(tmp_path: Path, standin: StandIn) -> Settings:
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "b.yaml").write_text(BUNDLE)
    home = {"VIGIE_HOME": str(tmp_path), "VIGIE_CONFIG": str(tmp_path / "bundle")}
    return settings(home | {"VIGIE_X_BASE_URL": standin.url})


@pytest.fixture
def lease(db: Database) -> Lease:
    held = leases.acquire(db, "collect", "test", clock())
    assert held
    return held


def clock() -> datetime:
    return datetime.now(UTC)


def read(db: Database, at: datetime, **counts: int) -> None:
    """So many posts were read for each subject: source__flux=3 or filter__smoke=3."""
    with db.write() as conn:
        hourly.add(conn, at, {name.replace("__", ":"): (count, 0, 0.0) for name, count in counts.items()})


def spending(db: Database, bundle: Bundle, now: datetime = NOW) -> budget.Spending:
    with db.read() as conn:
        (found,) = budget.spending(conn, bundle, now)
    return found


def health(db: Database, source: str) -> SourceHealth:
    with db.read() as conn:
        return next(one for one in sources.all(conn) if one.source == source)


def test_sources_that_share_a_credential_share_the_smallest_budget(db: Database, world: World) -> None:
    read(db, NOW, source__flux=100, source__recherche=150, source__autre=999)
    found = spending(db, world.bundle)
    assert (found.sources, found.posts_a_month, found.read) == (("flux", "recherche"), 1000, 250)


def test_a_month_is_a_calendar_month_in_utc(db: Database, world: World) -> None:
    read(db, datetime(2031, 4, 30, 23, 30, tzinfo=UTC), source__flux=700)
    read(db, datetime(2031, 5, 1, 0, 30, tzinfo=UTC), source__flux=20)
    assert spending(db, world.bundle).read == 20
    assert spending(db, world.bundle).until == datetime(2031, 6, 1, tzinfo=UTC)


def test_the_day_on_which_it_runs_out_follows_the_pace_of_seven_days(db: Database, world: World) -> None:
    for day in range(8):
        read(db, NOW - timedelta(days=day), source__flux=70)
    found = spending(db, world.bundle)
    assert (found.read, found.over) == (560, timedelta(days=7))
    assert found.runs_out_at is not None
    assert found.runs_out_at.date().isoformat() == "2031-05-17"


def test_a_younger_count_gives_the_pace_of_its_own_time(db: Database, world: World) -> None:
    read(db, NOW - timedelta(days=1), source__flux=40)
    assert (spending(db, world.bundle).a_day, spending(db, world.bundle).over) == (40, timedelta(days=1))


def test_a_pace_that_the_month_bears_runs_out_on_no_day(db: Database, world: World) -> None:
    read(db, NOW - timedelta(days=1), source__flux=40)
    assert spending(db, world.bundle).runs_out_at is None


def test_a_filter_over_its_share_is_slowed_and_named(db: Database, world: World) -> None:
    read(db, NOW, source__flux=600, filter__smoke=401, filter__flood=400)
    assert spending(db, world.bundle).slowed == {"smoke": 401}


def test_next_month_it_is_slowed_no_more(db: Database, world: World) -> None:
    read(db, NOW, source__flux=600, filter__smoke=401)
    assert spending(db, world.bundle, NOW + timedelta(days=21)).slowed == {}


def test_at_95_percent_the_searches_end_and_nothing_more_is_asked(
    db: Database, world: World, here: Settings, standin: StandIn
) -> None:
    read(db, clock(), source__flux=950)
    search_sources(db, world, here, clock=clock)
    assert standin.requests == 0
    assert health(db, "recherche").state == "off"
    assert "950 of the month's 1000 posts are read: the rest is for the stream" in health(db, "recherche").reason


def hole(db: Database) -> None:
    """A hole of the stream of five minutes, two minutes ago."""
    with db.write() as conn:
        gaps.begin(conn, "flux", clock() - timedelta(minutes=7), "X closed the stream", ["smoke", "flood"])
        gaps.end(conn, "flux", clock() - timedelta(minutes=2))


def note(db: Database) -> tuple[str, str]:
    with db.read() as conn:
        (gap,) = gaps.since(conn, clock() - timedelta(hours=1))
    return gap.state, gap.note


def test_a_hole_waits_for_the_next_month_and_says_so(
    db: Database, world: World, here: Settings, standin: StandIn
) -> None:
    read(db, clock(), source__flux=960)
    hole(db)
    search_sources(db, world, here, clock=clock)
    assert note(db)[0] == "waiting"
    assert note(db)[1].startswith("waits for recherche: 960 of the month's 1000 posts are read")


def test_a_hole_is_filled_but_for_a_filter_that_is_slowed(
    db: Database, world: World, here: Settings, standin: StandIn
) -> None:
    read(db, clock(), source__flux=600, filter__smoke=500)
    hole(db)
    search_sources(db, world, here, clock=clock)
    assert note(db) == ("partly", "filter smoke is slowed: it had its share of the month's budget")


def test_the_queries_of_a_slowed_filter_are_asked_every_tenth_minute(
    db: Database, world: World, here: Settings, standin: StandIn
) -> None:
    read(db, clock(), source__flux=600, filter__smoke=500)
    asked = []
    for minute in range(12):
        before = standin.requests
        search_sources(db, world, here, clock=lambda minute=minute: clock() + timedelta(minutes=minute))
        asked.append(standin.requests - before)
    assert asked == [2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 1]


def step(intake: Intake, world: World, lease: Lease, condition: object) -> None:
    end = time.monotonic() + 8
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not happen in time"
        intake.step(world, lease)


def test_a_spent_budget_closes_the_stream_with_its_reason_and_opens_a_hole(
    db: Database, world: World, here: Settings, standin: StandIn, lease: Lease
) -> None:
    later = timedelta(0)
    intake = Intake(db, here, clock=lambda: clock() + later, stop=Event())
    step(intake, world, lease, lambda: standin.status()["connected"] == 1)
    read(db, clock(), source__flux=1000)
    later = timedelta(seconds=6)
    step(intake, world, lease, lambda: standin.status()["connected"] == 0)
    intake.close()
    assert health(db, "flux").state == "off"
    assert health(db, "flux").reason.startswith("the month's budget of 1000 posts is read: off until")
    with db.read() as conn:
        hole = gaps.lasting(conn, "flux")
    assert hole
    assert (hole.reason, hole.filters) == (health(db, "flux").reason, ("flood", "smoke"))


def test_a_slowed_filter_has_no_rule_on_the_stream(
    db: Database, world: World, here: Settings, standin: StandIn, lease: Lease
) -> None:
    read(db, clock(), source__flux=600, filter__smoke=500)
    intake = Intake(db, here, clock=clock, stop=Event())
    step(intake, world, lease, lambda: standin.status()["connected"] == 1)
    intake.close()
    assert [rule["value"] for rule in standin.rules.listed("")] == ["crue -is:retweet"]
