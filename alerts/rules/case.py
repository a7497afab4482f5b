"""What the router works on and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from alerts.rules.ownership import ORDER, rank
from config.world import World
from store import times
from store.records import Alert, Delivery, IncidentEvent

Role = Literal["lead", "support"]


@dataclass(frozen=True, slots=True)
class Recipient:
    """One contact to be told: ``at`` is when (UTC), ``reason`` why this one and why then."""

    agency: str
    role: Role
    channel: str
    contact: str
    at: datetime
    reason: str

    def to_json(self) -> dict[str, Any]:
        """The contract's object, times in ISO 8601 with Z; the reason names the contact."""
        return {
            "agency": self.agency,
            "role": self.role,
            "channel": self.channel,
            "at": times.to_iso(self.at),
            "reason": f"{self.contact}: {self.reason}",
        }


@dataclass(frozen=True, slots=True)
class Rejected:
    """One who is not told, and why. ``contact`` and ``channel`` are empty where the whole agency is left out."""

    agency: str
    contact: str
    channel: str
    reason: str

    def to_json(self) -> dict[str, str]:
        """The contract's object."""
        return {"agency": self.agency, "contact": self.contact, "channel": self.channel, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Routing:
    """Who leads, who supports, who is told when, who is not, and why: ``reason`` has one line a step that decided,
    ``because`` says for each agency which rule names it."""

    lead: str = ""
    support: tuple[str, ...] = ()
    recipients: tuple[Recipient, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    reason: tuple[str, ...] = ()
    because: Mapping[str, str] = field(default_factory=dict)

    def explain(self) -> dict[str, Any]:
        """The object of ``vigie route --explain``."""
        return {
            "recipients": [one.to_json() for one in self.recipients],
            "rejected": [one.to_json() for one in self.rejected],
        }


@dataclass(frozen=True, slots=True)
class History:
    """What was decided about an incident before: severity ranks, when each agency was last told, and by whom."""

    told: Mapping[str, datetime] = field(default_factory=dict)
    highest: int = -1
    highest_paged: int = -1

    @classmethod
    def of(cls, alerts: list[Alert], deliveries: list[Delivery]) -> History:
        """The history that earlier alerts and deliveries tell, since the incident last closed.

        Cancelled deliveries told nobody, and a notice that a quote was withdrawn is no news of the incident.
        """
        ended = max((alert.incident.revision for alert in alerts if alert.event == "closed"), default=0)
        living = {alert.id: alert for alert in alerts if alert.incident.revision > ended}
        told: dict[str, datetime] = {}
        for one in deliveries:
            if one.alert_id in living and one.state != "cancelled" and one.event != "withdrawal":
                told[one.agency] = max(told.get(one.agency, one.created_at), one.created_at)
        ranks = [rank(alert.incident.severity) for alert in living.values()]
        paged = [rank(alert.incident.severity) for alert in living.values() if alert.paged]
        return cls(told, max(ranks, default=-1), max(paged, default=-1))

    @property
    def highest_name(self) -> str:
        """The highest severity that anybody was told of."""
        return ORDER[self.highest_paged] if self.highest_paged >= 0 else "none"


@dataclass(frozen=True, slots=True)
class Case:
    """One question to the router: this event, in this world, decided at this time (UTC), after this history."""

    event: IncidentEvent
    world: World
    at: datetime
    history: History = field(default_factory=History)
