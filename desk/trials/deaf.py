"""``kill -9`` of the listener while the stand-in for X plays: once search filled the holes, no post may be missing."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from sqlalchemy import func, select

from desk.trials.processes import Place, Processes, processes, search_for
from desk.trials.scene import write_bundle
from desk.trials.trial import Outcome
from listeners.standin.playback import Draft
from listeners.standin.server import Options, StandIn
from store import posts, sources
from store.database import Database
from store.tables import gaps
from store.tables import posts as posts_table

TTL_S = 1.5
EVERY_S = 0.05
A_KILL_S = 2.5
AFTER_S = 4.0
EACH = 12
SETTLED_S = 1.0
LONGEST_S = 90.0
ROUNDS = 5
LATER = timedelta(minutes=1)
SOURCES = "{id: x, kind: x_stream}\n  - {id: s, kind: x_search}"
FILTERS = "{id: smoke, purpose: Hear of smoke anywhere, keywords: [fumée], where: anywhere}"


@dataclass
class Heard:
    """What rounds of kills came to: how often the listener was killed, what is missing, what came twice, how long it
    was before the stream was heard again, how many posts search filled in, and holes that are not filled."""

    kills: int = 0
    lost: int = 0
    doubled: int = 0
    filled: int = 0
    unfilled: int = 0
    played: int = 0
    back: list[float] = field(default_factory=list)


def on_a_stream(draw: Random, work: Path, *, kills: int = 60) -> Outcome:
    """Kill the listener at random in rounds of at most twelve kills, each with a stand-in and a store of its own."""
    heard = Heard()
    while heard.kills < kills:
        _round(draw, work / f"round-{heard.kills}", min(EACH, kills - heard.kills), heard)
    good = heard.lost == heard.doubled == heard.unfilled == 0
    return Outcome(
        "kill -9 of the listener on X's stream", heard.kills, heard.kills if good else 0, heard.lost, heard.doubled,
        max(heard.back, default=None),
        f"{heard.played} posts played, {heard.filled} of them filled in by search, {heard.unfilled} holes left",
    )  # fmt: skip


class _Clock:
    """The present, or as much later as ``ahead`` says, so that search may ask for what has just been."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def _round(draw: Random, home: Path, kills: int, heard: Heard) -> None:
    number, clock = int((kills * A_KILL_S + AFTER_S) / EVERY_S), _Clock()
    drafts = [Draft(EVERY_S * one, {"id": f"p{one}", "text": f"fumée {one}", "lang": "fr"}) for one in range(number)]
    with StandIn(drafts, Options(port=0, keep_alive=0.5), clock=clock) as standin:
        write_bundle(home / "bundle", mail=1, webhook=1, sources=SOURCES, filters=FILTERS)
        env = {"VIGIE_X_BASE_URL": standin.url, "X_BEARER_TOKEN": "trial"}
        place = Place(home, home / "bundle", TTL_S, recorded=False, env=env)
        with processes(place, "listen") as crowd, closing(Database.open(place.url)) as db:
            _listen(crowd, db, standin, draw, kills, heard)
            crowd.end()
            for later in range(1, ROUNDS + 1):
                clock.ahead = later * LATER
                search_for(place, clock.ahead)
            _count(db, standin, heard)
    heard.kills += kills


def _listen(crowd: Processes, db: Database, standin: StandIn, draw: Random, kills: int, heard: Heard) -> None:
    """Kill the listener until all is played; end once it hears the stream again. Raises TimeoutError."""
    until, next_kill, killed, settled = time.monotonic() + LONGEST_S, time.monotonic() + 2, 0.0, 0.0
    while settled < SETTLED_S:
        now = time.monotonic()
        if now > until:
            raise TimeoutError(f"the stream was not heard again: {_state(db)}")
        if kills and now >= next_kill:
            killed = crowd.kill("listen")
            crowd.start("listen")
            kills, next_kill = kills - 1, now + 0.05 + draw.expovariate(1 / (A_KILL_S - 0.3))
        for name in crowd.ended():
            crowd.start(name)
        hears = crowd.holds(db, "listen") and standin.status()["connected"] == 1
        if killed and hears:
            heard.back.append(now - killed)
            killed = 0.0
        time.sleep(0.02)
        fine = hears and not kills and standin.status()["finished"] and _state(db) == "on"
        settled = settled + time.monotonic() - now if fine else 0.0


def _state(db: Database) -> str:
    with db.read() as conn:
        return next((one.state for one in sources.all(conn) if one.source == "x"), "off")


def _count(db: Database, standin: StandIn, heard: Heard) -> None:
    played = [f"x:{tweet.id}" for tweet in standin.play.played]
    with db.read() as conn:
        kept = posts.get(conn, played)
        all_kept = conn.execute(select(func.count()).select_from(posts_table)).scalar_one()
        left = select(func.count()).where(gaps.c.ended_at.is_not(None), gaps.c.state.in_(("open", "waiting")))
        heard.unfilled += conn.execute(left).scalar_one()
    heard.played += len(played)
    heard.lost += len(played) - len(kept)
    heard.doubled += all_kept - len({post.text for post in kept.values()})
    heard.filled += sum(post.source == "s" for post in kept.values())
