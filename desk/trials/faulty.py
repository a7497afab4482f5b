"""A receiver that fails for a while beside one that does not: all are told once, and nobody waits for another."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random

from alerts.channels import senders
from alerts.dispatch import Dispatcher
from alerts.router import route_stage
from config.world import World
from desk.trials.bad_receivers import Answer, Hook, Smtp, Taken, dripping, flooding, served, silent
from desk.trials.receivers import free_port
from desk.trials.trial import Outcome, Trial
from store import incidents, ledger, outbox, times
from store.database import Database
from store.records import Delivery, Incident, IncidentEvent

NUMBER = 6
LASTS_S = 1.5
PATIENCE_S = 40.0
MOVED = b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
ERROR = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
MANY = b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n"
BUNDLE = """
name: {{fr: Épreuve, en: Trial}}
status: Exercise
policy: keep_all
default_lead: fire
agencies:
  - id: fire
    name: {{fr: Pompiers, en: Fire service}}
    kind: fire_rescue
    contacts:
      - {{id: by-mail, name: Officier, channel: mail, address: fire@example.org}}
      - {{id: by-hook, name: Système, channel: hook, address: "http://127.0.0.1:{hook}/"}}
channels:
  - {{id: mail, kind: mail, settings: {{host: 127.0.0.1, port: {mail}, from: vigie@example.org, timeout: 1}}}}
  - {{id: hook, kind: webhook, settings: {{timeout: 1}}, secrets: {{key: VIGIE_TRIAL_KEY}}}}
"""


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with the receiver of one channel: one of its answers, or that it does not listen."""

    name: str
    channel: str
    verb: str = ""
    answer: Answer = None
    down: bool = False
    repaired: bool = False


FAULTS = (
    Fault("SMTP down", "mail", down=True),
    Fault("SMTP hangs", "mail", "220", silent),
    Fault("SMTP drips its greeting", "mail", "220", dripping(b"220-")),
    Fault("SMTP drips its answers", "mail", "MAIL", dripping(b"250-a\r\n", b"250-b\r\n")),
    Fault("SMTP answers megabytes", "mail", "MAIL", flooding(b"250-")),
    Fault("SMTP 421 at the door", "mail", "220", b"421 busy\r\n"),
    Fault("SMTP 451", "mail", "RCPT", b"451 try later\r\n"),
    Fault("SMTP 535, until repaired", "mail", "MAIL", b"535 who are you\r\n", repaired=True),
    Fault("SMTP breaks off after the message", "mail", ".", None),
    Fault("SMTP hangs after its yes", "mail", "QUIT", silent),
    Fault("webhook down", "hook", down=True),
    Fault("webhook 500", "hook", answer=ERROR),
    Fault("webhook hangs", "hook", answer=silent),
    Fault("webhook drips headers for ever", "hook", answer=dripping(b"HTTP/1.1 200 OK\r\n", b"X-More: yes\r\n")),
    Fault("webhook answers 10 MB", "hook", answer=flooding(MANY)),
    Fault("webhook breaks off", "hook", answer=None),
    Fault("webhook redirects into the own network", "hook", answer=MOVED, repaired=True),
)


def trials() -> tuple[Trial, ...]:
    """One trial for each of :data:`FAULTS`."""
    return tuple(Trial(fault.name.lower().replace(",", "").replace(" ", "-"), partial(run, fault)) for fault in FAULTS)


@dataclass
class Scene:
    """What one trial plays with: the receivers, their ports, and when each delivery was told."""

    smtp: Smtp = field(default_factory=Smtp)
    hook: Hook = field(default_factory=Hook)
    mail_port: int = 0
    hook_port: int = 0

    def taken(self, channel: str) -> list[Taken]:
        """What the receiver of a channel has."""
        return self.smtp.taken if channel == "mail" else self.hook.taken


def run(fault: Fault, draw: Random, work: Path) -> Outcome:
    """Decide on some incidents while the receiver fails, let it recover, and see who was told, how often and when."""
    os.environ.setdefault("VIGIE_TRIAL_KEY", "trial")
    scene = Scene(mail_port=free_port(), hook_port=free_port())
    with closing(Database.open(f"sqlite:///{work / 'vigie.db'}")) as db, ExitStack() as up:
        others = "hook" if fault.channel == "mail" else "mail"
        up.enter_context(_serving(scene, others))
        world = _world(scene)
        written = _decide(db, world)
        with closing(Dispatcher(db, senders=senders(), clock=times.now, key=b"trial", draw=draw.random)) as out:
            with _failing(scene, fault):
                began = time.monotonic()
                spread = _work(out, world, began + LASTS_S, lambda: _told(db, written[others]))
            up.enter_context(_serving(scene, fault.channel))
            healed = time.monotonic()
            if fault.repaired:
                world = replace(world, version="repaired")
            back = _work(out, world, healed + PATIENCE_S, lambda: _told(db, written[fault.channel]), stop=True)
        return _judge(fault, scene, db, written, back and back - healed, spread and spread - began)


def _judge(
    fault: Fault,
    scene: Scene,
    db: Database,
    written: dict[str, list[Delivery]],
    back: float | None,
    spread: float | None,
) -> Outcome:
    ids = {one.id for some in written.values() for one in some}
    taken = [one for channel in written for one in scene.taken(channel)]
    arrived = {one.key for one in taken}
    again = {key for key in ids if sum(one.key == key for one in taken) > 1}
    doubled = {key for key in ids if sum(one.key == key and one.said_yes for one in taken) > 1} | arrived - ids
    with db.read() as conn:
        intact = ledger.verify(conn) is None
    late = "the others waited" if spread is None else f"the others were told in {spread:.1f} s"
    said = f"{late}; {len(again)} sent again with the same key" if again else late
    told = _told(db, [one for some in written.values() for one in some])
    survived = len(ids & arrived) if told and intact and spread is not None else 0
    return Outcome(fault.name, len(ids), survived, len(ids - arrived), len(doubled), back and max(0.0, back), said)


@contextmanager
def _serving(scene: Scene, channel: str) -> Iterator[None]:
    """The receiver of a channel, without fault."""
    talk, port = (scene.smtp, scene.mail_port) if channel == "mail" else (scene.hook, scene.hook_port)
    with served(talk, port=port):
        yield


@contextmanager
def _failing(scene: Scene, fault: Fault) -> Iterator[None]:
    """The receiver of the fault's channel, as it fails."""
    if fault.down:
        yield
        return
    usual = scene.hook.answer
    if fault.channel == "mail":
        scene.smtp.answers[fault.verb] = fault.answer
    else:
        scene.hook.answer = fault.answer
    with _serving(scene, fault.channel):
        yield
    scene.smtp.answers.clear()
    scene.hook.answer = usual


def _work(out: Dispatcher, world: World, until: float, told: Callable[[], bool], *, stop: bool = False) -> float | None:
    """Dispatch until a time of the monotonic clock, or with ``stop`` until ``told``; when it was so, None for never."""
    when = None
    while time.monotonic() < until and not (stop and when):
        if not out.step(world):
            time.sleep(0.02)
        if when is None and told():
            when = time.monotonic()
    return when


def _told(db: Database, written: list[Delivery]) -> bool:
    with db.read() as conn:
        found = [outbox.get(conn, one.id) for one in written]
    return all(one is not None and one.state == "sent" for one in found)


def _world(scene: Scene) -> World:
    return World.from_files("trial", {"bundle.yaml": BUNDLE.format(mail=scene.mail_port, hook=scene.hook_port)})


def _decide(db: Database, world: World) -> dict[str, list[Delivery]]:
    """Channel → the deliveries that the router wrote about some incidents."""
    now = times.now() - timedelta(seconds=1)
    events = [_event(f"trial-{number}", now) for number in range(NUMBER)]
    with db.write() as conn:
        incidents.put(conn, [one.incident for one in events])
        incidents.add_events(conn, events)
    route_stage(db, world, clock=times.now)
    with db.read() as conn:
        written = [one for event in events for one in outbox.of_incident(conn, event.incident.id)]
    return {channel: [one for one in written if one.channel == channel] for channel in ("mail", "hook")}


def _event(id: str, now: datetime) -> IncidentEvent:
    incident = Incident(id, "Exercise", "open", now, now, now, hazard="fire", severity="Severe", posts=3, voices=3)
    return IncidentEvent(f"{id}-1", "new", now, incident, ("3 voices",))
