"""The stand-in itself: X on this machine, for the unmodified tweepy."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import Any

from listeners.standin import playback
from listeners.standin.breaking import Armed, Breaker
from listeners.standin.compliance import Jobs
from listeners.standin.door import Door, PortInUse
from listeners.standin.limits import Limit, Seats
from listeners.standin.rules import Rules
from listeners.standin.script import ACTS, Trouble, trouble
from listeners.standin.streaming import LOOK_SECONDS
from listeners.standin.tweet import Deletion, Tweet
from listeners.standin.wire import stamp
from store import times

log = logging.getLogger(__name__)
__all__ = ["Options", "PortInUse", "StandIn"]


@dataclass(frozen=True)
class Options:
    """How a stand-in behaves. Times are in seconds; the tokens ``rejected`` and ``forbidden`` get 401 and 403."""

    host: str = "127.0.0.1"
    port: int = 8712
    speed: float = 1.0
    at_once: bool = False
    loop: bool = False
    keep_alive: float = 20.0
    connections: int = 1
    connects: int = 50
    searches: int = 450
    rules: int = 1000
    job_seconds: float = 1.0
    rejected: str = "rejected"
    forbidden: str = "forbidden"
    faults: tuple[Trouble, ...] = ()


class StandIn:
    """X on this machine. Use as a context manager, or call :meth:`start` and :meth:`close`.

    ``posts`` are played from the first stream connect, or at once with that option. Every answer bears the header
    ``x-vigie-status: Exercise``, so that nothing that comes from here is taken for the real thing.
    """

    def __init__(
        self, posts: list[playback.Draft], options: Options = Options(), *, clock: Callable[[], datetime] = times.now
    ) -> None:
        self.options = options
        self.clock = clock
        self.rules = Rules(at_most=options.rules)
        self.seats = Seats(options.connections)
        self.connects = Limit(options.connects, self.clock)
        self.searches = Limit(options.searches, self.clock)
        self.play = playback.Playback(posts, self._publish, clock=self.clock, speed=options.speed, loop=options.loop)
        self.jobs = Jobs(self.play.archive, self.clock, url=lambda: self.url, seconds=options.job_seconds)
        self.breaker = Breaker(options.faults, self.clock)
        self.closing = Event()
        self.requests = 0
        self._sent: Counter[str] = Counter()
        self._answers: dict[str, Counter[str]] = {}
        self._lock = Lock()
        self._streams: set[SimpleQueue[Tweet | Deletion]] = set()
        self.door = Door(self)

    @classmethod
    def of_file(cls, path: Path, options: Options = Options(), *, clock: Callable[[], datetime] = times.now) -> StandIn:
        """A stand-in that plays a file. Raises playback.FileFault, PortInUse, OSError."""
        return cls(playback.read(path), options, clock=clock)

    @property
    def url(self) -> str:
        """Where it listens, to be given as the base URL of X."""
        return f"http://{self.options.host}:{self.door.port}"

    @property
    def delivered(self) -> int:
        """How many posts the streams have sent, counted each time."""
        return self._sent.total()

    def start(self) -> StandIn:
        """Serves in a thread of its own."""
        self.door.open()
        Thread(target=self._act, name="standin-acts", daemon=True).start()
        if self.options.at_once:
            self._begin()
        return self

    def close(self) -> None:
        """Ends the play, the streams and the server."""
        self.closing.set()
        self.play.stop()
        self.door.close()

    def __enter__(self) -> StandIn:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def break_with(self, what: str | int, **keys: Any) -> Armed:
        """A fault as the script has it, while it runs: ``break_with(429, times=2, on="search")``; ``lasts`` is its
        ``for``, and without ``at``, ``connect`` and ``post`` it strikes at once. Raises script.ScriptError.
        """
        return self.breaker.arm(trouble(what, **keys))

    def mend(self) -> None:
        """Lifts every fault, those to come too."""
        self.breaker.mend()

    def delete(self, post: str, reason: str = "deleted") -> None:
        """Takes a post away at the source, now; ``post`` is its id in the file or on the wire. Raises KeyError."""
        self.play.delete(post, reason)

    def edit(self, post: str, text: str) -> str:
        """Gives a post a new text at the source, now; the id of the new version. Raises KeyError."""
        return self.play.edit(post, text).id

    def subscribe(self) -> SimpleQueue[Tweet | Deletion]:
        """A queue that gets every post and deletion from now on; the first one starts the play."""
        queue: SimpleQueue[Tweet | Deletion] = SimpleQueue()
        with self._lock:
            self._streams = self._streams | {queue}
        self._begin()
        return queue

    def unsubscribe(self, queue: SimpleQueue[Tweet | Deletion]) -> None:
        """Ends what subscribe began."""
        with self._lock:
            self._streams = self._streams - {queue}

    def count_delivered(self, tweet: Tweet) -> None:
        """A stream has sent a post."""
        with self._lock:
            self._sent[tweet.id] += 1

    def count_answer(self, place: str, status: int) -> None:
        """A request to the stream, to search, to the rules, to compliance or elsewhere was answered."""
        with self._lock:
            self._answers.setdefault(place, Counter())[str(status)] += 1

    def wanted(self) -> set[str]:
        """Ids of what the source still holds of the posts played so far and the rules of now would let through."""
        return {tweet.id for tweet in self.play.archive.visible() if self.rules.matching(tweet)}

    def account(self) -> list[dict[str, Any]]:
        """Every version of every post played so far, oldest first: its id, how often a stream sent it, whether the
        rules of now want it, and what became of it (``kept``, ``edited``, or X's reason for taking it away).
        """
        archive = self.play.archive
        return [
            {
                "id": tweet.id,
                "created_at": stamp(tweet.created_at),
                "sent": self._sent[tweet.id],
                "wanted": bool(self.rules.matching(tweet)),
                "fate": archive.fate(tweet.id),
                "earlier": list(tweet.earlier),
            }
            for tweet in list(archive.played)
        ]

    def status(self) -> dict[str, Any]:
        """How the play stands, for the desk: counts, the start (UTC) or None, and whether all is played.

        ``answers`` counts by place and status, ``faults`` the strikes of each kind.
        """
        start, archive = self.play.started_at, self.play.archive
        with self._lock:
            answers = {place: dict(counts) for place, counts in self._answers.items()}
            delivered, unique = self._sent.total(), len(self._sent)
        return {
            "status": "Exercise",
            "connected": self.seats.taken,
            "connects_in_window": self.connects.used,
            "rules": len(self.rules),
            "posts": len(self.play.drafts),
            "played": len(archive.played),
            "edited": len(archive.replaced),
            "deleted": len(archive.gone),
            "delivered": delivered,
            "delivered_ids": unique,
            "requests": self.requests,
            "answers": answers,
            "faults": dict(self.breaker.struck),
            "started_at": stamp(start) if start else None,
            "speed": self.options.speed,
            "finished": self.play.finished,
        }

    def _begin(self) -> None:
        self.play.start()
        if self.play.started_at:
            self.breaker.begin(self.play.started_at)

    def _publish(self, item: Tweet | Deletion) -> None:
        for queue in self._streams:
            queue.put(item)

    def _act(self) -> None:
        """Carries out what the script does to the server or to its posts."""
        while not self.closing.wait(LOOK_SECONDS):
            if (armed := self.breaker.take(ACTS)) is None:
                continue
            told = armed.trouble
            try:
                if told.what == "refuse":
                    self.door.shut_for(told.lasts or 0.0)
                elif told.what == "delete":
                    self.play.delete(told.id, told.reason)
                else:
                    self.play.edit(told.id, told.text)
            except KeyError as error:
                log.warning("the fault script changes nothing: %s; let it strike later", error.args[0])
