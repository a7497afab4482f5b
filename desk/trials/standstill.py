"""Vigie deaf or standing still: how long until the desk says so, and until the watchdog's message arrives."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from alerts.channels import senders
from config.load import load, read_folder
from config.settings import settings
from desk.pulse.ear import Ear
from desk.pulse.vitals import heard
from desk.pulse.watchdog import Watchdog
from desk.trials.processes import Place, Processes, processes
from desk.trials.receivers import Receivers, receiving
from desk.trials.scene import write_bundle
from desk.trials.trial import Outcome
from listeners.standin.playback import Draft
from listeners.standin.server import Options, StandIn
from store import hourly, times
from store.database import Database

SOURCE = "x-flux"
STREAM = f"{{id: {SOURCE}, kind: x_stream, secrets: {{bearer_token: X_BEARER_TOKEN}}}}"
MORE = """
filters: [{id: smoke, purpose: Hear of smoke anywhere, keywords: [fumée], where: anywhere}]
watchdog: {contacts: [prefecture-duty, prefecture-system], stalled_minutes: 1}
"""
STALLED_S = 60.0
DESK_WITHIN_S = 12.0
TOLD_WITHIN_S = STALLED_S + 12.0
PATIENCE_S = 150.0
HOUR = timedelta(hours=1)


def stopped_annotator(draw: Random, home: Path) -> Outcome:
    """The process that understands is stopped (SIGSTOP), as one is that hangs in the kernel; then it goes on."""
    with _living(draw, home, "Exercise") as scene:
        scene.wait(lambda: scene.state() in ("hearing", "silent"))
        began = time.monotonic()
        scene.crowd.signal("understand", signal.SIGSTOP)
        shown = scene.wait(lambda: scene.state() == "halted") - began
        told = scene.wait(scene.told) - began
        scene.crowd.signal("understand", signal.SIGCONT)
        again = time.monotonic()
        back = scene.wait(scene.back) - again
    return _outcome("a stage stopped, its process still there", shown, told, back)


def silent_stream(draw: Random, home: Path) -> Outcome:
    """X keeps the stream open, with signs of life, and sends no post more, where it sent one a second for weeks."""
    with _living(draw, home, "Actual") as scene:
        scene.wait(lambda: scene.state() == "hearing")
        began = scene.last_post()
        shown = scene.wait(lambda: scene.state() == "blind") - began
        told = scene.wait(scene.told) - began
    return _outcome("a stream that lives and sends no post", shown, told, None, within=60.0)


class _Scene:
    """A Vigie of a trial's own, with its watchdog in this process."""

    def __init__(self, place: Place, crowd: Processes, receivers: Receivers) -> None:
        self.crowd, self._receivers = crowd, receivers
        self._db = Database.open(place.url)
        chosen = settings(place.environment())
        self._bundle, self._ear = load(read_folder(place.bundle)), Ear(chosen.status)
        self._dog = Watchdog(chosen, senders(), times.now, grace=timedelta())

    def state(self) -> str:
        """What the desk would say now."""
        with self._db.read() as conn:
            return heard(conn, times.now(), self._bundle, self._ear).state

    def told(self) -> bool:
        """Whether the watchdog's message has arrived, after one more look."""
        self._dog.turn()
        return any(receipt.key.startswith("watchdog-") for receipt in self._receivers.taken)

    def back(self) -> bool:
        """Whether everything turns again; a process that ended, as one does that lost its lease, is started again."""
        for name in self.crowd.ended():
            self.crowd.start(name)
        return self.state() in ("hearing", "silent")

    def last_post(self) -> float:
        """Wait until no post has come for three seconds; gives when the last one came (of the monotonic clock)."""
        while True:
            with self._db.read() as conn:
                now = times.now()
                hours = hourly.between(conn, f"source:{SOURCE}", now - 2 * HOUR, now)
            passed = min((now - one.last_at).total_seconds() for one in hours if one.last_at)
            if 3 < passed < PATIENCE_S:
                return time.monotonic() - passed
            time.sleep(0.1)

    def wait(self, happened: Callable[[], bool]) -> float:
        """When it happened (seconds of the monotonic clock). Raises TimeoutError."""
        until = time.monotonic() + PATIENCE_S
        while not happened():
            if time.monotonic() > until:
                raise TimeoutError(f"nothing for {PATIENCE_S:.0f} s; the desk says {self.state()}")
            time.sleep(0.25)
        return time.monotonic()

    def close(self) -> None:
        """Let go of the database."""
        self._dog.close()
        self._db.close()


@contextmanager
def _living(draw: Random, home: Path, status: str) -> Iterator[_Scene]:
    """Everything alive, and four weeks of one post a second behind it; the stream gives ten more, then none."""
    bundle = home / "bundle"
    posts = [Draft(float(n), {"id": f"s{n}", "text": f"de la fumée, encore {n}"}) for n in range(10)]
    with receiving(draw) as receivers, StandIn(posts, Options(port=0, keep_alive=2.0)) as standin:
        write_bundle(bundle, mail=receivers.mail_port, webhook=receivers.webhook_port, sources=STREAM)
        _declare(bundle, status)
        env = {"VIGIE_STATUS": status, "X_BEARER_TOKEN": "trial", "VIGIE_X_BASE_URL": standin.url}
        place = Place(home / "vigie", bundle, recorded=False, env=env)
        os.environ.update(VIGIE_WEBHOOK_KEY=place.environment()["VIGIE_WEBHOOK_KEY"])
        with processes(place, "listen", "understand", "dispatch") as crowd:
            _remember(place, times.now())
            with closing(_Scene(place, crowd, receivers)) as scene:
                yield scene


def _declare(bundle: Path, status: str) -> None:
    path = bundle / "bundle.yaml"
    text = path.read_text(encoding="utf-8").replace("status: Exercise", f"status: {status}")
    path.write_text(text.replace("policy: keep_all", "policy: filters"), encoding="utf-8")
    (bundle / "more.yaml").write_text(MORE, encoding="utf-8")


def _remember(place: Place, now: datetime) -> None:
    """Four weeks in which the stream gave a post a second."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    with closing(Database.open(place.url)) as db, db.write() as conn:
        for back in range(1, 28 * 24 + 1):
            hourly.add(conn, hour - back * HOUR, {f"source:{SOURCE}": (3600, 0, 3600.0)})


def _outcome(fault: str, shown: float, told: float, back: float | None, *, within: float = DESK_WITHIN_S) -> Outcome:
    good = shown <= within and told <= TOLD_WITHIN_S
    said = f"the desk after {shown:.1f} s, the watchdog's message after {told:.1f} s ({STALLED_S:.0f} s are given)"
    return Outcome(fault, 1, int(good), longest_recovery_s=back, said=said)
