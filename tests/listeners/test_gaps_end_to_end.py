"""A stream that X cuts while posts come: after gap filling, what is kept is what an uncut stream would have kept."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest

from config.settings import settings
from config.world import World
from listeners.intake import Intake, search_sources
from listeners.standin import script
from listeners.standin.playback import Draft
from listeners.standin.server import Options, StandIn
from store import gaps, leases, posts
from store.database import Database
from store.records import Gap

BUNDLE = """
name: {fr: Essai, en: Trial}
default_lead: p
agencies: [{id: p, name: {fr: a, en: b}, kind: prefecture}]
areas: [{id: anjou, name: {fr: Anjou, en: Anjou}, departements: ["49"]}]
filters:
  - {id: smoke, purpose: Hear of smoke anywhere, keywords: [fumée], where: anywhere}
  - {id: crue, purpose: Hear of floods in the département, keywords: [crue, inondation], areas: [anjou]}
sources:
  - {id: flux, kind: x_stream}
  - {id: recherche, kind: x_search}
"""
TEXTS = ("fumée noire", "la crue monte à Cholet", "inondation à Tiercé", "rien à voir", "belle crue de fromage")
DRAFTS = [Draft(n / 80, {"id": f"d{n}", "text": f"{TEXTS[n % 5]} {n}", "lang": "fr"}) for n in range(320)]
CUTS = "faults: [{at: 1.0, what: reset}, {at: 1.0, what: refuse, for: 1.2}, {at: 3.0, what: close}]"


class Clock:
    """The real time, or later."""

    ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class Try:
    """One play, listened to from its first post to its last, then searched."""

    def __init__(self, db: Database, home: Path, faults: str) -> None:
        self.db, self.clock = db, Clock()
        (home / "b.yaml").write_text(BUNDLE)
        chosen = Options(port=0, keep_alive=0.2, faults=tuple(script.parse("faults.yaml", faults)))
        self.standin = StandIn(DRAFTS, chosen, clock=self.clock)
        env = {"VIGIE_HOME": str(home), "VIGIE_CONFIG": str(home), "VIGIE_X_BASE_URL": self.standin.url}
        self.settings = settings(env)

    def listen(self, world: World) -> None:
        lease = leases.acquire(self.db, "collect", "test", self.clock())
        assert lease
        intake = Intake(self.db, self.settings, clock=self.clock, stop=Event())
        end = time.monotonic() + 20
        while not self._over():
            assert time.monotonic() < end, "the play did not end in time"
            lease = leases.renew(self.db, lease, self.clock())
            intake.step(world, lease)
        intake.step(world, lease)
        intake.close()

    def _over(self) -> bool:
        status = self.standin.status()
        return bool(status["finished"] and status["connected"]) and not self.holes("open")

    def holes(self, *states: str) -> list[Gap]:
        with self.db.read() as conn:
            return gaps.in_state(conn, *states)

    def kept(self) -> set[str]:
        """The texts that are kept: ids are new with each play."""
        with self.db.read() as conn:
            found = posts.get(conn, [f"x:{one.id}" for one in self.standin.play.played])
        return {post.text for post in found.values()}


@pytest.fixture
def world() -> World:
    return World.from_files("v1", {"b.yaml": BUNDLE})


def test_after_gap_filling_a_cut_stream_has_kept_what_an_uncut_one_keeps(
    db: Database, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("X_BEARER_TOKEN", "token")
    wanted = {draft.line["text"] for draft in DRAFTS if world.matcher.match(draft.line["text"], lang="fr", geo=None)}
    one = Try(db, tmp_path, CUTS)
    with one.standin:
        one.listen(world)
        missed = wanted - one.kept()
        one.clock.ahead = timedelta(seconds=60)
        search_sources(db, world, one.settings, clock=one.clock)
    assert len(missed) > 20, "the cut cost nothing: this proves nothing"
    assert one.kept() == wanted
    assert {gap.state for gap in one.holes("waiting", "filled", "partly", "lost") if gap.ended_at} == {"filled"}
    assert sum(gap.found for gap in one.holes("filled")) >= len(missed)
