"""When nobody acknowledges: who is told next, and when. The timers live here, in the outbox's own memory.

One timer an agency and incident: it starts with the first attempt to reach the agency, runs for the roster's
``escalate_after_minutes``, and each time it ends tells the next of ``escalate_to``. It stops when the agency
acknowledges, for a support also when the lead does, and when the incident is closed or refuted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from alerts import directory
from alerts.ids import delivery_id
from config.bundle import Contact
from config.world import World
from store import times
from store.records import Acknowledgement, Delivery, Incident


@dataclass(frozen=True, slots=True)
class Timer:
    """What the dispatcher remembers of one agency on one incident; ``due`` is UTC, ``level`` counts those told,
    ``life`` how often the incident had been reopened."""

    incident: str
    agency: str
    due: datetime
    first: str
    level: int = 0
    life: int = 0

    @property
    def key(self) -> str:
        """The key in the dispatcher's memory."""
        return f"{self.incident}/{self.agency}"

    def to_json(self) -> dict[str, Any]:
        """The value in the dispatcher's memory."""
        return asdict(self) | {"due": times.to_iso(self.due)}


def timers(memory: Mapping[str, Any]) -> list[Timer]:
    """The timers that the dispatcher remembers, the first due first."""
    kept = (Timer(**(value | {"due": times.from_iso(value["due"])})) for value in memory.values())
    return sorted(kept, key=lambda one: (one.due, one.key))


def start(delivery: Delivery, world: World, now: datetime, life: int = 0, *, at_once: bool = False) -> Timer:
    """The timer that the first attempt of a delivery starts; ``at_once`` where no message can reach the agency."""
    due = now if at_once else (delivery.first_attempt_at or now) + patience(world, delivery.agency)
    return Timer(delivery.incident_id, delivery.agency, due, delivery.id, life=life)


def patience(world: World, agency: str) -> timedelta:
    """How long an agency has to acknowledge before the next contact is told."""
    roster = directory.roster(world.bundle, agency)
    return timedelta(minutes=roster.escalate_after_minutes if roster else 10)


def over(timer: Timer, incident: Incident | None, lead: str, acknowledged: Iterable[Acknowledgement]) -> bool:
    """Whether nobody needs to be told any more."""
    if incident is None or incident.state == "closed" or incident.verification == "refuted":
        return True
    agencies = {one.agency for one in acknowledged}
    return timer.agency in agencies or lead in agencies


def following(timer: Timer, world: World, first: Delivery, told: Sequence[Delivery]) -> tuple[Contact | None, int]:
    """The next contact to tell, and how many of ``escalate_to`` are then used up; None where nobody is left.

    Whom ``first``, or what came after it, was sent to is told already; an earlier life of the incident does not count.
    """
    roster = directory.roster(world.bundle, timer.agency)
    since = [one for one in told if one.created_at >= first.created_at and one.event != "withdrawal"]
    reached = {one.contact for one in since if one.agency == timer.agency and one.state not in ("failed", "cancelled")}
    order = roster.escalate_to if roster else ()
    for level in range(timer.level, len(order)):
        contact = directory.contact(world.bundle, timer.agency, order[level])
        if contact and contact.id not in reached:
            return contact, level + 1
    return None, len(order)


def message_to(contact: Contact, timer: Timer, first: Delivery, now: datetime) -> Delivery:
    """The delivery that tells ``contact`` what ``first`` told the colleagues."""
    step = f"escalation:{first.id}"
    return replace(
        first,
        id=delivery_id(timer.incident, step, timer.agency, contact.id, contact.channel),
        contact=contact.id,
        channel=contact.channel,
        created_at=now,
        state="pending",
        attempts=0,
        next_at=None,
        first_attempt_at=None,
        sent_at=None,
        error=None,
        trigger_received_at=None,
        quoted=(),
        fence=None,
        fault=None,
    )
