"""Each fault of X's stream, on the stand-in: what the listener missed must be there once search filled its holes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Connection, select

from config.world import World
from desk.trials.trial import Outcome, Trial
from listeners import gaps
from listeners.authors import AuthorKeys
from listeners.collect import collect
from listeners.incoming import Gone, Incoming
from listeners.standin.playback import Draft
from listeners.standin.script import ACTS, TWISTS, Trouble, trouble
from listeners.standin.server import Options, StandIn
from listeners.x_search import XSearch
from listeners.x_stream import XStream
from store import gaps as holes
from store import sources
from store.database import Database
from store.records import Gap
from store.tables import posts

STALL_S = 1.5
"""The real listener waits for 28 s; so long that nobody would wait for the table."""

EVERY_S = 0.05
APART = 20
"""A post comes every so many seconds; a fault strikes about every so many posts."""

SETTLED_S = 1.0
PATIENCE_S = 90.0
LATER = timedelta(minutes=1)
ROUNDS = 5
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
BUNDLE = """
name: {fr: Essai, en: Trial}
default_lead: p
agencies: [{id: p, name: {fr: a, en: b}, kind: prefecture}]
filters: [{id: smoke, purpose: Hear of smoke anywhere, keywords: [fumée], where: anywhere}]
sources: [{id: x, kind: x_stream}, {id: s, kind: x_search}]
"""


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong ``tries`` times: ``cut`` is what happens within a stream or to a post that went down it,
    ``answer`` what the next connect gets.

    ``deaf_s`` is about how long nothing is heard, so that posts go on meanwhile."""

    name: str
    words: str
    cut: str = "close"
    answer: str = ""
    tries: int = 3
    deaf_s: float = 1.0
    more: tuple[tuple[str, Any], ...] = ()

    def script(self, draw: Random) -> tuple[Trouble, ...]:
        """At which posts and connects it strikes."""
        at = [APART * number + draw.randrange(2, APART) for number in range(self.tries)]
        cuts = [trouble(self.cut, post=post, **self._keys(post)) for post in at]
        connects = range(2, 2 * self.tries + 1, 2) if self.answer else ()
        return (*cuts, *(trouble(self.answer, connect=connect, **dict(self.more)) for connect in connects))

    @property
    def open(self) -> bool:
        """Whether the stream stays open, and what search could fill in must not be needed."""
        return self.cut in TWISTS - {"drip"} | ACTS

    def _keys(self, post: int) -> dict[str, Any]:
        """What else the script says of a cut; an edit or a deletion is of a post that went before."""
        edited = {"text": f"fumée, corrigé {post}"} if self.cut == "edit" else {}
        return ({} if self.answer else dict(self.more)) | ({"id": f"p{post - 2}"} if self.cut in ACTS else {}) | edited

    def drafts(self) -> list[Draft]:
        """Posts for as long as it takes."""
        number = int(self.tries * (2 * APART + self.deaf_s / EVERY_S))
        return [Draft(EVERY_S * one, {"id": f"p{one}", "text": f"fumée {one}", "lang": "fr"}) for one in range(number)]


FAULTS = (
    Fault("stream-close", "X closes the stream"),
    Fault("stream-reset", "X resets the stream in mid-line", "reset"),
    Fault(
        "stream-silence",
        f"X goes silent (stall after {STALL_S} s)",
        "silence",
        deaf_s=3,
        more=(("for", STALL_S + 0.5),),
    ),
    Fault("stream-drip", f"X drips a line (stall after {STALL_S} s)", "drip", deaf_s=3, more=(("pause", 0.1),)),
    Fault("stream-disconnect", "X announces an operational disconnect", "disconnect"),
    Fault("stream-429", "X answers 429 with a reset", answer="429", tries=2, deaf_s=6, more=(("reset", 3),)),
    Fault("stream-503", "X answers 503", answer="503", tries=2, deaf_s=6),
    Fault("stream-401", "X answers 401, until there is another credential", answer="401", tries=2, deaf_s=2),
    Fault("stream-403", "X answers 403, until there is another credential", answer="403", tries=2, deaf_s=2),
    Fault("stream-garbage", "X sends garbage", "garbage"),
    Fault("stream-long-line", "X sends a line of 5 MB", "long-line"),
    Fault("stream-duplicate", "X sends a post twice", "duplicate"),
    Fault("stream-disorder", "X sends posts out of order", "disorder"),
    Fault("stream-no-tag", "X sends a post whose rule has no tag", "no-tag"),
    Fault("stream-edit", "a post is edited at X", "edit"),
    Fault("stream-delete", "a post is deleted at X", "delete"),
)


def trials() -> tuple[Trial, ...]:
    """One for each fault."""
    return tuple(Trial(fault.name, partial(run, fault)) for fault in FAULTS)


class _Clock:
    """The present, or as much later as ``ahead`` says, so that search may ask for what has just been."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def run(fault: Fault, draw: Random, work: Path) -> Outcome:
    """Listen to posts while the fault strikes, fill the holes by search, and count."""
    clock, db = _Clock(), Database.open(f"sqlite:///{work / 'trial.db'}")
    world = World.from_files("trial", {"bundle.yaml": BUNDLE})
    options = Options(port=0, keep_alive=0.5, faults=fault.script(draw))
    with StandIn(fault.drafts(), options, clock=clock) as standin:
        bad_lines = _listen(db, world, standin, clock, draw)
        clock.ahead = LATER
        if not fault.open:
            _fill(db, world, standin, clock)
        outcome = _judged(fault, db, standin, bad_lines)
    db.close()
    return outcome


def _listen(db: Database, world: World, standin: StandIn, clock: _Clock, draw: Random) -> int:
    """Hear all that the stand-in plays; how many lines held nothing. Raises TimeoutError where it stays away."""
    credential = ["first"]
    stream = XStream(
        "x", db, world, token=lambda: credential[-1], base_url=standin.url, clock=clock, rng=draw, wait_seconds=0.1,
        stall_seconds=STALL_S, look=timedelta(seconds=0.2),
    )  # fmt: skip
    keep, until, settled = _keeper(db, world, "x", clock), time.monotonic() + PATIENCE_S, 0.0
    while settled < SETTLED_S:
        began = time.monotonic()
        if began > until:
            raise TimeoutError(f"the stream did not come back: {_state(db)}")
        keep(stream.posts(), None)
        stream.note()
        if any(denied in _state(db)[1] for denied in ("(401)", "(403)")):
            credential.append(f"another-{len(credential)}")
        fine = standin.status()["finished"] and _state(db)[0] == "on"
        settled = settled + time.monotonic() - began if fine else 0.0
    stream.close(wanted=False)
    return stream.bad_lines


def _fill(db: Database, world: World, standin: StandIn, clock: _Clock) -> None:
    search = XSearch("s", db, world, token=lambda: "token", base_url=standin.url, clock=clock)
    keep = _keeper(db, world, "s", clock)
    for _ in range(ROUNDS):
        gaps.fill(search, ["x"], keep)


def _keeper(
    db: Database, world: World, source: str, clock: Callable[[], datetime]
) -> Callable[[Iterable[Incoming | Gone], Callable[[Connection], None] | None], int]:
    key = AuthorKeys.of_bytes(b"trial")

    def keep(some: Iterable[Incoming | Gone], mark: Callable[[Connection], None] | None) -> int:
        return collect(db, world, some, source=source, clock=clock, key=key, mark=mark).kept

    return keep


def _state(db: Database) -> tuple[str, str]:
    with db.read() as conn:
        return next(((one.state, one.reason) for one in sources.all(conn) if one.source == "x"), ("off", ""))


def _judged(fault: Fault, db: Database, standin: StandIn, bad_lines: int) -> Outcome:
    wanted = {f"x:{(*tweet.earlier, tweet.id)[0]}": tweet.text for tweet in standin.play.archive.visible()}
    with db.read() as conn:
        kept = {row.id: row for row in conn.execute(select(posts.c.id, posts.c.text, posts.c.source))}
        known = holes.since(conn, LONG_AGO)[::-1][1:]  # the first is the time before the first connect
    ended = [hole for hole in known if hole.ended_at]
    goes_on = fault.open or fault.cut in ("garbage", "long-line")
    filled = sum(post.source == "s" for post in kept.values())
    reason = ended[0].reason if ended else f"{bad_lines} lines left out"
    return Outcome(
        fault.words, fault.tries, min(_survived(fault, standin, ended, bad_lines), fault.tries),
        lost=sum(id not in kept or kept[id].text != text for id, text in wanted.items()),
        doubled=max(len(kept.keys() - wanted.keys()), len(kept) - len({post.text for post in kept.values()})),
        longest_recovery_s=None if goes_on else max((_seconds(hole) for hole in ended), default=None),
        said=f"{len(kept)} posts, as X last gave them" if fault.open else f"{reason}; {filled} posts filled in",
    )  # fmt: skip


def _survived(fault: Fault, standin: StandIn, ended: list[Gap], bad_lines: int) -> int:
    if fault.open:
        struck: int = standin.status()["faults"].get(fault.cut, 0)
        return 0 if ended else struck
    return bad_lines if fault.cut in ("garbage", "long-line") else sum(hole.state == "filled" for hole in ended)


def _seconds(hole: Gap) -> float:
    return (hole.ended_at - hole.started_at).total_seconds() if hole.ended_at else 0.0
