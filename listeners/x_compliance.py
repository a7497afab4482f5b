"""X's batch compliance: once a day every post of X that is kept is asked about, and what X took back goes here too.

The ids go to X in jobs of at most 50,000, one job at a time (https://docs.x.com/x-api/compliance/batch-compliance).
Which job runs, and how far the round has come, is in the store: a killed round goes on where it was.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from threading import Event
from typing import Any
from urllib.parse import urlsplit

import orjson
import requests
import tweepy

from config.secrets import MissingSecret
from config.settings import Settings
from config.world import World
from listeners import health, x_wire
from listeners.authors import AuthorKeys
from listeners.collect import collect
from listeners.incoming import Incoming
from listeners.intake import token_of
from store import posts, state, times, withdrawals
from store.batches import batches
from store.database import Database
from store.records import SourceState

log = logging.getLogger(__name__)
STAGE = "x_compliance"
EVERY = timedelta(hours=23)
JOB = 50_000
AT_ONCE = 100
LOOKED_UP = 100
PREFIX = f"{x_wire.PLATFORM}:"


def comply(
    db: Database,
    world: World,
    settings: Settings,
    *,
    clock: Callable[[], datetime],
    stop: Event,
    patience: timedelta = timedelta(seconds=20),
) -> int:
    """Ask X what it took back of the posts that are kept, for at most ``patience``; gives how many posts went.

    Nothing is asked where no source of X is enabled.
    """
    source = next((one for one in world.bundle.sources if one.enabled and one.kind in ("x_stream", "x_search")), None)
    if source is None:
        return 0
    asked = Compliance(
        source.id, db, world, token=token_of(source), base_url=settings.x_base_url, clock=clock,
        key=AuthorKeys.of_home(settings.home), stop=stop,
    )  # fmt: skip
    return asked.run(patience)


class Broken(RuntimeError):
    """A job came to nothing; the message says where. The next call makes another."""


@dataclass(frozen=True, slots=True)
class Job:
    """One job: the posts after number ``first`` up to ``last`` of the store; ``sent`` once their ids are with X."""

    id: str
    name: str
    upload_url: str
    first: int
    last: int
    sent: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What X says of one id: taken away at ``at`` (UTC) for ``reason``."""

    id: str
    reason: str
    at: datetime


class Compliance:
    """Asks X what it took back, with the credential of ``source``, which ``token`` gives, or raises MissingSecret."""

    def __init__(
        self,
        source: str,
        db: Database,
        world: World,
        *,
        token: Callable[[], str],
        base_url: str,
        clock: Callable[[], datetime],
        key: AuthorKeys,
        stop: Event,
        most: int = JOB,
    ) -> None:
        self.source, self.db, self.world, self.token = source, db, world, token
        self.base_url, self.clock, self.key, self.stop, self.most = base_url.rstrip("/"), clock, key, stop, most
        self.gone = 0

    def run(self, patience: timedelta) -> int:
        """One round, begun at most once in 23 hours, or what is left of one; gives how many posts went.

        Comes back after ``patience`` at the latest, with the job in the store. What X answers shows as the state of the
        source ``x-compliance``; where it refuses the credential it is asked again once that or the bundle has changed.
        """
        began, memory = self.clock(), self._memory()
        if not self._due(memory, began):
            return 0
        try:
            token = x_wire.usable(self.token())
            if memory.get("denied") == self._situation(token):
                return 0
            self._round(token, began + patience)
        except (MissingSecret, x_wire.Unusable) as error:
            self._say("off", f"no credential: {error}")
        except (tweepy.Unauthorized, tweepy.Forbidden) as error:
            self._put({"denied": self._situation(token)})
            self._say("off", f"X refuses this credential its compliance jobs ({error.response.status_code})")
        except tweepy.TooManyRequests as error:
            self._rest(error.reset_time)
        except (tweepy.TweepyException, requests.RequestException, Broken) as error:
            self._say("waiting", f"no answer on what X took back: {type(error).__name__}: {error}"[:200])
        return self.gone

    def _due(self, memory: dict[str, Any], now: datetime) -> bool:
        if now < times.from_iso(memory.get("rest_until", times.to_iso(now))):
            return False
        if "after" in memory:
            return True
        if "began" in memory and now < times.from_iso(memory["began"]) + EVERY:
            return False
        self._put({"began": times.to_iso(now), "after": 0})
        return True

    def _round(self, token: str, deadline: datetime) -> None:
        client = tweepy.Client(token, return_type=dict)
        x_wire.mount(client.session, x_wire.BaseUrl(self.base_url))
        while not self.stop.is_set():
            memory = self._memory()
            job = Job(**memory["job"]) if memory.get("job") else self._create(client, memory["after"])
            if job is None:
                self._put({"after": None, "rest_until": None, "denied": None})
                return self._say("on", "")
            try:
                ids = self._ids(job)
                url = self._finished(client, self._sent(job, ids), deadline)
            except (Broken, tweepy.NotFound):
                self._put({"job": None})
                raise
            if url is None:
                return self._say("waiting", f"job {job.id} of X is not done yet")
            self._apply(client, [one for one in self._verdicts(url) if one.id in set(ids)])
            self._put({"job": None, "after": job.last})
        return None

    def _create(self, client: tweepy.Client, after: int) -> Job | None:
        """A job for the next posts, written down before anything is sent; None where none are left."""
        with self.db.read() as conn:
            last = posts.nth_after(conn, after, self.most, PREFIX)
        if last is None:
            return None
        name = f"vigie-{after}-{last}"
        try:
            made = _job(_answer(client.create_compliance_job, "tweets", name=name).get("data"))
        except tweepy.HTTPException as error:
            if error.response.status_code != 409:
                raise
            made = self._running(client, name)
        job = Job(made["id"], name, str(made.get("upload_url")), after, last, made["status"] != "created")
        self._put({"job": asdict(job)})
        return job

    def _running(self, client: tweepy.Client, name: str) -> dict[str, Any]:
        """Our own job, made just before a kill that kept us from writing it down. Raises Broken for another's."""
        for job in map(_job, _listed(_answer(client.get_compliance_jobs, "tweets"))):
            if job.get("name") == name and job["status"] in ("created", "in_progress"):
                return job
        raise Broken("another job runs under this credential: X takes one at a time")

    def _ids(self, job: Job) -> list[str]:
        """The ids that X knows the posts of a job by, those of other versions too."""
        with self.db.read() as conn:
            kept = posts.between(conn, job.first, job.last, PREFIX)
            known = withdrawals.aliases_of(conn, kept)
        bare = (id.removeprefix(PREFIX) for id in dict.fromkeys((*kept, *known)))
        return [id for id in bare if id.isdecimal()]

    def _sent(self, job: Job, ids: Sequence[str]) -> Job:
        if job.sent:
            return job
        self._ask("PUT", job.upload_url, "\n".join(ids).encode())
        job = replace(job, sent=True)
        self._put({"job": asdict(job)})
        return job

    def _finished(self, client: tweepy.Client, job: Job, deadline: datetime) -> str | None:
        """Where the answer lies, once X has it; None where it has not at the deadline. Raises Broken."""
        pause = 0.5
        while not self.stop.is_set():
            told = _job(_answer(client.get_compliance_job, job.id).get("data"))
            if told["status"] == "complete":
                return str(told.get("download_url"))
            if told["status"] not in ("created", "in_progress"):
                raise Broken(f"job {job.id} of X ended as {told['status']}")
            if self.clock() + timedelta(seconds=pause) > deadline:
                return None
            self.stop.wait(pause)
            pause = min(30.0, 2 * pause)
        return None

    def _verdicts(self, url: str) -> list[Verdict]:
        found = []
        for line in self._ask("GET", url).splitlines():
            try:
                told = orjson.loads(line)
                reason = "scrub_geo" if told.get("action") == "scrub_geo" else str(told["reason"])
                found.append(Verdict(str(told["id"]), reason, times.from_iso(told["redacted_at"])))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                log.warning("a line of X's compliance job cannot be read: %s", type(error).__name__)
        return found

    def _apply(self, client: tweepy.Client, told: Sequence[Verdict]) -> None:
        edited = [one.id for one in told if one.reason == "edited"]
        moved = [one for one in told if one.reason == "scrub_geo"]
        gone = {PREFIX + one.id: one.at for one in told if one.reason not in ("edited", "scrub_geo")}
        for some in batches(list(gone), AT_ONCE):
            with self.db.write(durable=True) as conn:
                done = withdrawals.delete(conn, {id: gone[id] for id in some}, self.clock(), "compliance")
            self.gone += len(done)
        for some in batches([PREFIX + one.id for one in moved], AT_ONCE):
            with self.db.write(durable=True) as conn:
                withdrawals.unplace(conn, some, self.clock(), "compliance")
        for some in batches(edited, LOOKED_UP):
            newest = list(self._versions(client, some))
            collect(
                self.db, self.world, newest, source=self.source, clock=self.clock, key=self.key, via="compliance"
            )  # fmt: skip

    def _versions(self, client: tweepy.Client, ids: Sequence[str]) -> Iterable[Incoming]:
        """The newest versions of edited posts, looked up through the history that each version bears."""
        histories = _listed(_answer(client.get_tweets, list(ids), tweet_fields=["edit_history_tweet_ids"]))
        newest = dict.fromkeys(filter(None, map(x_wire.newest_version, histories)))
        answer = _answer(client.get_tweets, list(newest), **x_wire.FIELDS) if newest else {}
        for one in _listed(answer):
            try:
                yield x_wire.incoming(one, answer.get("includes") or {})
            except x_wire.NotAPost as error:
                log.warning("an edited post of X cannot be read: %s", error)

    def _ask(self, verb: str, url: str, body: bytes | None = None) -> bytes:
        """One request to an address that X gave, without the credential. Raises Broken."""
        if urlsplit(url).scheme != "https" and not url.startswith(f"{self.base_url}/"):
            raise Broken("X gave an address for the ids that is not encrypted")
        with requests.Session() as session:
            session.mount(f"{urlsplit(url).scheme}://", x_wire.BaseUrl(self.base_url))
            text = {"Content-Type": "text/plain"}
            answer = session.request(verb, url, data=body, headers=text, allow_redirects=False)
        if answer.status_code != 200:
            raise Broken(f"{'sending the ids' if body else 'fetching the answer'} gave {answer.status_code}")
        return answer.content

    def _memory(self) -> dict[str, Any]:
        with self.db.read() as conn:
            return state.get(conn, STAGE)

    def _put(self, values: dict[str, Any]) -> None:
        with self.db.write() as conn:
            state.put(conn, STAGE, values)

    def _rest(self, reset: int | None) -> None:
        seconds = max(0.0, (reset or 0) - self.clock().timestamp()) or 900.0
        until = self.clock() + timedelta(seconds=min(seconds, 3600.0))
        self._put({"rest_until": times.to_iso(until)})
        self._say("waiting", f"X allows no more compliance requests until {until:%H:%M:%S} UTC")

    def _situation(self, token: str) -> str:
        return hashlib.sha256(f"{self.world.version} {token}".encode()).hexdigest()[:32]

    def _say(self, kind: SourceState, reason: str) -> None:
        with self.db.write() as conn:
            health.set_state(conn, health.COMPLIANCE, kind, reason, self.clock())


def _answer(ask: Callable[..., Any], *words: Any, **more: Any) -> dict[str, Any]:
    """What X answers. Raises Broken where it is no JSON object, tweepy's and requests' exceptions."""
    try:
        answer = ask(*words, **more)
    except (AttributeError, TypeError, KeyError) as error:  # tweepy, of an error without its form
        raise Broken(f"X answered something strange: {type(error).__name__}: {error}") from error
    if not isinstance(answer, dict):
        raise Broken("X answered no JSON object")
    return answer


def _listed(answer: dict[str, Any]) -> list[Any]:
    """What an answer lists, none where it lists nothing."""
    data = answer.get("data")
    return data if isinstance(data, list) else []


def _job(data: Any) -> dict[str, Any]:
    """A job as X tells it, with ``id`` and ``status``. Raises Broken where it is none."""
    if not isinstance(data, dict) or not all(isinstance(data.get(name), str) for name in ("id", "status")):
        raise Broken("X answered without the job that was asked for")
    return data
