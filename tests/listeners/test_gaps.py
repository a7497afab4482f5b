"""Holes filled by recent search, with the real tweepy, against the stand-in."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.settings import settings
from config.world import World
from listeners.authors import AuthorKeys
from listeners.budget import month
from listeners.collect import collect
from listeners.gaps import NO_SEARCH, TOO_OLD, fill, ranks
from listeners.intake import search_sources
from listeners.standin.playback import Draft
from listeners.standin.server import Options, StandIn
from listeners.x_search import XSearch
from store import gaps, hourly, incidents, posts, sources
from store.database import Database
from store.records import Gap, Incident, Place

MINUTE = timedelta(minutes=1)
BUNDLE = """
name: {fr: Essai, en: Trial}
default_lead: p
agencies: [{id: p, name: {fr: a, en: b}, kind: prefecture}]
areas:
  - {id: cholet, name: {fr: Cholet, en: Cholet}, circle: {lat: 47.06, lon: -0.88, radius_km: 12}}
  - {id: saumur, name: {fr: Saumur, en: Saumur}, circle: {lat: 47.26, lon: -0.08, radius_km: 12}}
filters:
  - {id: smoke, purpose: Hear of smoke anywhere, keywords: [fumée], where: anywhere, topics: [fire]}
  - {id: crue, purpose: Hear of floods at Cholet, keywords: [crue], areas: [cholet], topics: [flood]}
  - {id: gaz, purpose: Hear of gas at Saumur, keywords: [gaz], areas: [saumur], topics: [gas_leak]}
  - {id: bruit, purpose: Never asked for in searches, keywords: [bruit], where: anywhere, search: false}
sources:
  - {id: flux, kind: x_stream}
"""
SEARCH = BUNDLE + "  - {id: recherche, kind: x_search}\n"
TEXTS = ("fumée noire", "crue à Cholet", "odeur de gaz à Saumur")


def world_of(bundle: str = SEARCH) -> World:
    return World.from_files("v1", {"b.yaml": bundle})


class Clock:
    """The real time, or later."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class Desk:
    """A store, a stand-in that has played three posts for each text, and a hole of the stream around them."""

    def __init__(self, db: Database, standin: StandIn, home: Path, clock: Clock) -> None:
        self.db, self.standin, self.clock, self.world = db, standin, clock, world_of()
        self.settings = settings({"VIGIE_HOME": str(home), "VIGIE_X_BASE_URL": standin.url})

    def hole(self, before: timedelta = MINUTE, after: timedelta | None = MINUTE, filters: tuple[str, ...] = ()) -> Gap:
        """A hole from ``before`` until ``after`` the posts; it lasts where that is None."""
        at = self.standin.play.started_at
        assert at
        with self.db.write() as conn:
            gap = gaps.begin(conn, "flux", at - before, "X closed the stream", filters)
            return gap if after is None else gaps.end(conn, "flux", at + after) or gap

    def search(self, later: timedelta = 2 * MINUTE) -> int:
        """One run of the search task, so much after the posts."""
        self.clock.ahead = later
        return search_sources(self.db, self.world, self.settings, clock=self.clock)

    def gap(self, source: str = "flux") -> Gap:
        with self.db.read() as conn:
            (found,) = [gap for gap in gaps.since(conn, datetime(2020, 1, 1, tzinfo=UTC)) if gap.source == source]
        return found

    def kept(self) -> set[str]:
        with self.db.read() as conn:
            return {post.id for post in posts.get(conn, [f"x:{one.id}" for one in self.standin.play.played]).values()}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(db: Database, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Desk]:
    monkeypatch.setenv("X_BEARER_TOKEN", "token")
    started: list[StandIn] = []

    def made(drafts: list[Draft] | None = None, **options: object) -> Desk:
        some = [Draft(n / 1000, {"id": f"d{n}", "text": f"{TEXTS[n % 3]} {n}"}) for n in range(9)]
        standin = StandIn(drafts or some, Options(port=0, at_once=True, **options), clock=clock).start()
        started.append(standin)
        while not standin.status()["finished"]:
            time.sleep(0.01)
        return Desk(db, standin, tmp_path, clock)

    yield made
    for one in started:
        one.close()


def test_a_hole_is_filled_and_says_how_many_posts_were_found(make):
    desk = make()
    desk.hole()
    assert desk.search() == 9
    gap = desk.gap()
    assert (gap.state, gap.found, gap.note) == ("partly", 9, "filter bruit is not searched (search: false)")
    assert len(desk.kept()) == 9


def test_a_hole_of_filters_that_search_knows_is_filled(make):
    desk = make()
    desk.hole(filters=("smoke", "crue"))
    desk.search()
    assert (desk.gap().state, desk.gap().found, desk.gap().note) == ("filled", 6, "")
    assert desk.gap().settled_at is not None


def test_a_hole_that_just_ended_waits_until_x_can_be_asked_for_all_of_it(make):
    desk = make()
    desk.hole(filters=("smoke",))
    desk.search(MINUTE + timedelta(seconds=20))
    assert desk.gap().state == "waiting"
    desk.search()
    assert desk.gap().state == "filled"


def test_a_hole_that_lasts_is_filled_as_it_grows(make):
    desk = make()
    desk.hole(after=None, filters=("smoke",))
    assert desk.search(MINUTE) == 9
    assert (desk.gap().state, desk.gap().found) == ("open", 3)


def test_every_page_of_a_hole_is_read(make):
    desk = make(smoke(730, 0.001))
    desk.hole(filters=("smoke",))
    desk.search()
    assert (desk.gap().state, desk.gap().found) == ("filled", 730)


def smoke(count: int, apart: float) -> list[Draft]:
    return [Draft(n * apart, {"id": f"d{n}", "text": f"fumée {n}"}) for n in range(count)]


def test_filling_that_x_cut_short_goes_on_in_a_later_run(make):
    desk = make(smoke(430, 0.001), searches=3)
    desk.hole(filters=("smoke",))
    desk.search()
    first = desk.gap()
    assert (first.state, first.found) == ("waiting", 300)
    assert first.note.startswith("waits for recherche: X allows no more searches until")
    desk.standin.searches.at_most = 450
    desk.search(20 * MINUTE)
    assert (desk.gap().state, desk.gap().found) == ("filled", 430)


class Killed(Exception):
    """The process ends here."""


def test_filling_that_was_killed_between_pages_goes_on_where_it_was_kept(make):
    desk = make(smoke(430, 0.008))
    desk.hole(filters=("smoke",))
    desk.clock.ahead = 2 * MINUTE
    url, pages = desk.standin.url, []
    listener = XSearch("recherche", desk.db, desk.world, token=lambda: "t", base_url=url, clock=desk.clock)

    def keep(some, mark):
        if len(pages) == 2:
            raise Killed
        pages.append(some)
        key = AuthorKeys.of_bytes(b"test")
        return collect(desk.db, desk.world, some, source="recherche", clock=desk.clock, key=key, mark=mark).kept

    with pytest.raises(Killed):
        fill(listener, ["flux"], keep)
    desk.search()
    with desk.db.read() as conn:
        read = hourly.totals(conn, "source:recherche", *month(desk.clock()))["source:recherche"].received
    assert (desk.gap().state, desk.gap().found) == ("filled", 430)
    assert read < 430 + 150, "of 200 posts kept before, at most those of one second are read again"


def test_without_a_search_source_the_hole_waits_and_says_so(make):
    desk = make()
    desk.world = world_of(BUNDLE)
    desk.hole()
    desk.search()
    assert (desk.gap().state, desk.gap().note) == ("waiting", NO_SEARCH)


def test_without_a_credential_the_hole_waits_and_says_so(make, monkeypatch):
    monkeypatch.delenv("X_BEARER_TOKEN")
    desk = make()
    desk.hole()
    desk.search()
    assert desk.gap().state == "waiting"
    assert desk.gap().note.startswith("waits for recherche: no credential: X_BEARER_TOKEN is not set")


def test_a_hole_older_than_seven_days_is_lost(make):
    desk = make()
    desk.hole(before=timedelta(days=9), after=timedelta(days=-8), filters=("smoke",))
    desk.search()
    assert (desk.gap().state, desk.gap().note) == ("lost", TOO_OLD)


def test_of_a_hole_that_began_longer_ago_the_younger_part_is_filled(make):
    desk = make()
    desk.hole(before=timedelta(days=8), filters=("smoke",))
    desk.search()
    assert (desk.gap().state, desk.gap().found, desk.gap().note) == ("partly", 3, TOO_OLD)


def test_a_hole_that_no_query_can_ask_for_is_lost(make):
    desk = make()
    desk.hole(filters=("bruit", "gone"))
    desk.search()
    assert desk.gap().state == "lost"
    assert desk.gap().note == "filter bruit is not searched (search: false); filter gone is no longer declared"


def test_a_hole_of_a_recorded_file_is_lost(make):
    desk = make()
    desk.world = world_of(SEARCH + "  - {id: file, kind: file}\n")
    with desk.db.write() as conn:
        gaps.begin(conn, "file", desk.clock(), "the file cannot be read")
        gaps.end(conn, "file", desk.clock() + MINUTE)
    desk.search()
    assert desk.gap("file").state == "lost"


def test_posts_of_a_hole_count_for_the_filters_that_asked(make):
    desk = make()
    desk.hole(filters=("smoke",))
    desk.search()
    with desk.db.read() as conn:
        total = hourly.totals(conn, "filter:smoke", *month(desk.clock()))
    assert total["filter:smoke"].received == 3


def incident(id: str, severity: str, place: Place | None, hazard: str) -> Incident:
    at = datetime(2031, 5, 4, tzinfo=UTC)
    return Incident(
        id, "Actual", "open", at, at, at, hazard=hazard, severity=severity, urgency="Immediate", place=place
    )


def order(*active: Incident) -> list[str]:
    world = world_of()
    rank = ranks(world.bundle.filters, active, world)
    return sorted(rank, key=rank.__getitem__)


def test_areas_with_the_gravest_incidents_come_first():
    near = incident("a", "Minor", Place("Cholet", 47.06, -0.88), "storm")
    worse = incident("b", "Severe", Place("Saumur", 47.26, -0.08), "storm")
    assert order(near, worse) == ["gaz", "crue", "smoke", "bruit"]


def test_then_come_filters_for_what_is_happening_elsewhere():
    assert order(incident("a", "Severe", None, "flood")) == ["crue", "smoke", "gaz", "bruit"]


def test_a_filter_in_a_grave_area_is_asked_first(make):
    desk = make(searches=1)
    with desk.db.write() as conn:
        incidents.put(conn, [incident("a", "Severe", Place("Saumur", 47.26, -0.08), "storm")])
    desk.hole()
    desk.search()
    with desk.db.read() as conn:
        found = [post.filters for post in posts.get(conn, desk.kept()).values()]
    assert set(found) == {("gaz",)}


def test_a_round_with_more_pages_than_allowed_makes_a_hole_of_the_search_that_is_filled(make):
    desk = make(smoke(640, 0.0025))
    assert desk.search(MINUTE) == 500
    gap = desk.gap("recherche")
    assert (gap.state, gap.reason, gap.filters) == (
        "waiting", "a round of searches was cut short before all was read", ("smoke",)
    )  # fmt: skip
    desk.search()
    assert len(desk.kept()) == 640
    assert desk.gap("recherche").state == "filled"


def test_a_search_that_stood_still_for_longer_than_it_reaches_says_what_is_lost(make):
    desk = make()
    desk.search(MINUTE)
    desk.search(timedelta(days=9))
    assert (desk.gap("recherche").state, desk.gap("recherche").note) == ("lost", TOO_OLD)


@pytest.mark.parametrize("token", ["rejected", "forbidden"])
def test_a_refused_credential_is_tried_once_until_something_changes(make, monkeypatch, token):
    monkeypatch.setenv("X_BEARER_TOKEN", token)
    desk = make()
    for later in (MINUTE, 2 * MINUTE):
        desk.search(later)
    assert desk.standin.requests == 1
    monkeypatch.setenv("X_BEARER_TOKEN", "another")
    assert desk.search() == 9
    with desk.db.read() as conn:
        assert {one.source: one.state for one in sources.all(conn)}["recherche"] == "on"


def test_the_round_after_a_filled_hole_does_not_read_its_posts_again(make):
    desk = make()
    desk.hole()
    desk.search()
    with desk.db.read() as conn:
        read = hourly.totals(conn, "source:recherche", *month(desk.clock()))
    assert read["source:recherche"].received == 9
