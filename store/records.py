"""The records that the rooms hand to each other.

Every time is an aware ``datetime`` in UTC. Positions are WGS 84 degrees. Offsets count Unicode code points.
Records are immutable; a change makes a new one with :func:`dataclasses.replace`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from store.upkeep import Anchor as Anchor
from store.upkeep import Gap as Gap
from store.upkeep import GapState as GapState
from store.upkeep import Hold as Hold
from store.upkeep import SetAside as SetAside

Status = Literal["Actual", "Exercise", "Test"]
Severity = Literal["Extreme", "Severe", "Moderate", "Minor", "Unknown"]
Urgency = Literal["Immediate", "Expected", "Future", "Past", "Unknown"]
Certainty = Literal["Observed", "Likely", "Possible", "Unlikely", "Unknown"]
Verification = Literal["unverified", "being_checked", "confirmed", "refuted"]
EventName = Literal["new", "update", "closed"]
IncidentState = Literal["open", "watching", "closed"]
Knowledge = Literal["unknown", "known", "new_fact"]
DeliveryState = Literal["pending", "sending", "sent", "failed", "cancelled"]
SourceState = Literal["on", "off", "waiting"]
DeliveryEvent = Literal["new", "update", "closed", "withdrawal"]
WithdrawalKind = Literal["deleted", "edited"]

TAGS = ("rumour", "public_order_threat", "emerging_incident")


@dataclass(frozen=True, slots=True)
class Geo:
    """A position given by the platform, with the radius in metres that its place covers (None: a point)."""

    lat: float
    lon: float
    radius_m: float | None = None
    place: str | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """One public post. ``id`` is ``platform:native id``; ``author`` is an HMAC, never an account id."""

    id: str
    source: str
    text: str
    created_at: datetime
    received_at: datetime
    lang: str | None = None
    author: str | None = None
    geo: Geo | None = None
    filters: tuple[str, ...] = ()
    trusted: bool = False
    departement: str | None = None
    status: Status = "Actual"
    backfilled: bool = False
    repost_of: str | None = None
    config_version: str = ""
    edited_at: datetime | None = None

    @property
    def platform(self) -> str:
        """The platform part of the id."""
        return self.id.partition(":")[0]

    @property
    def native_id(self) -> str:
        """The id that the platform gave."""
        return self.id.partition(":")[2]


@dataclass(frozen=True, slots=True)
class Scored:
    """A name of a closed list with its calibrated probability."""

    name: str
    p: float


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in a post: ``kind`` injured, dead, missing, evacuated…; ``op`` exactly, at_least, at_most, about."""

    kind: str
    op: str
    value: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Road:
    """A spot on a road as people say it: ``A13 sens Paris PR 112, sortie 24``."""

    ref: str
    pr: str | None = None
    exit: str | None = None
    direction: str | None = None
    from_: str | None = None
    to: str | None = None


@dataclass(frozen=True, slots=True)
class Location:
    """A place read in a post. Without a position ``lat``, ``lon`` and ``radius_m`` are None."""

    text: str
    start: int
    end: int
    name: str
    level: str
    role: str = "event"
    lat: float | None = None
    lon: float | None = None
    radius_m: float | None = None
    country: str | None = None
    admin1: str | None = None
    departement: str | None = None
    insee: str | None = None
    confidence: float = 0.5
    alternatives: tuple[Mapping[str, Any], ...] = ()
    road: Road | None = None


@dataclass(frozen=True, slots=True)
class Annotation:
    """What Vigie understood of one post. Scores are None for a language it does not know."""

    post_id: str
    lang: str | None
    depth: Literal["fast", "full"]
    about: float | None
    relevance: float | None
    tags: Mapping[str, float | None]
    labels: tuple[str, ...] = ()
    hazard: Scored | None = None
    need: Scored | None = None
    urgency: float | None = None
    source: str = "unknown"
    stance: str | None = None
    when: str | None = None
    refuted: bool = False
    quantities: tuple[Quantity, ...] = ()
    locations: tuple[Location, ...] = ()
    why: tuple[str, ...] = ()
    error: str | None = None
    config_version: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an incident is, as far as its posts agree."""

    name: str
    lat: float | None = None
    lon: float | None = None
    radius_m: float | None = None
    level: str = "commune"
    insee: str | None = None
    departement: str | None = None
    country: str | None = None
    confidence: float = 0.5


@dataclass(frozen=True, slots=True)
class Incident:
    """Something happening, told by one or more independent voices. ``revision`` rises with each change."""

    id: str
    status: Status
    state: IncidentState
    first_post_at: datetime
    opened_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None
    hazard: str | None = None
    tags: tuple[str, ...] = ()
    severity: Severity = "Unknown"
    urgency: Urgency = "Unknown"
    certainty: Certainty = "Possible"
    verification: Verification = "unverified"
    place: Place | None = None
    posts: int = 0
    voices: int = 0
    authors_known: int = 0
    evidence: tuple[str, ...] = ()
    why: tuple[str, ...] = ()
    late: bool = False
    knowledge: Knowledge = "unknown"
    operation: str | None = None
    revision: int = 1
    config_version: str = ""


@dataclass(frozen=True, slots=True)
class IncidentEvent:
    """An immutable step in an incident's life: what the router decides on.

    ``id`` derives from incident and revision; ``incident`` is the state at that step; ``reason`` says what changed.
    ``trigger`` is the post that caused it and ``trigger_received_at`` when Vigie received that post: latency is
    counted from there."""

    id: str
    event: EventName
    at: datetime
    incident: Incident
    reason: tuple[str, ...] = ()
    trigger: str | None = None
    trigger_received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """The router's decision on one incident event: who leads, who supports, why, and whether anybody is paged."""

    id: str
    incident_id: str
    event_id: str
    event: EventName
    at: datetime
    incident: Incident
    lead: str
    support: tuple[str, ...] = ()
    reason: tuple[str, ...] = ()
    paged: bool = True
    trigger_received_at: datetime | None = None
    config_version: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one recipient through one channel, written before it is sent.

    ``id`` is unique by (incident, event, recipient, channel) and is the idempotency key that the receiver sees.
    ``quoted`` are the posts whose words a message held that was, or may have been, sent. ``fence`` is the lease under
    which it was claimed last, ``fault`` the code of what went wrong last.
    """

    id: str
    alert_id: str
    incident_id: str
    event: DeliveryEvent
    agency: str
    role: Literal["lead", "support"]
    contact: str
    channel: str
    created_at: datetime
    state: DeliveryState = "pending"
    attempts: int = 0
    next_at: datetime | None = None
    first_attempt_at: datetime | None = None
    sent_at: datetime | None = None
    error: str | None = None
    trigger_received_at: datetime | None = None
    quoted: tuple[str, ...] = ()
    fence: int | None = None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody took an incident on. ``via`` says how: link, desk, command.

    ``life`` counts how often the incident had been reopened then; the store fills it in.
    """

    incident_id: str
    agency: str
    by: str
    at: datetime
    via: str
    delivery_id: str | None = None
    note: str = ""
    life: int = 0


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """What one source delivers, and why it is off when it is."""

    source: str
    state: SourceState
    reason: str
    since: datetime
    last_post_at: datetime | None = None
    received: int = 0
    kept: int = 0


@dataclass(frozen=True, slots=True)
class Hour:
    """What one subject (``source:x-flux``, ``filter:incendie``, ``stage:annotate``) did in one hour of UTC.

    ``received`` counts what came (for a paid source: what was read, and is paid for), ``kept`` what stayed;
    ``listened_s`` is for how many seconds it was on, ``silent_s`` of them since something came last, at ``last_at``."""

    subject: str
    hour: datetime
    received: int = 0
    kept: int = 0
    listened_s: float = 0.0
    last_at: datetime | None = None
    silent_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A post was deleted or edited at its source. ``via`` says who told: stream, compliance, search, desk.

    ``out_of_reach`` are the deliveries that had quoted it and were sent: nobody can take them back."""

    id: str
    post_id: str
    kind: WithdrawalKind
    at: datetime
    via: str
    incident_id: str | None = None
    out_of_reach: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One line of the ledger: ids, codes, numbers and HMACs, never post text or author hashes."""

    at: datetime
    kind: str
    subject: str
    actor: str = "vigie"
    detail: Mapping[str, Any] = field(default_factory=dict)
    seq: int = 0
    previous: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the change log. ``op`` is insert, update or delete."""

    seq: int
    table: str
    key: str
    op: Literal["insert", "update", "delete"]


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to run a stage: only the holder of the newest ``fence`` number may commit."""

    stage: str
    owner: str
    fence: int
    expires_at: datetime
