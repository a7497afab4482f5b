"""What the page shows, read from the store in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from config.bundle import Bundle
from desk.pulse import vitals
from desk.pulse.clock import ClockDoubt, doubt
from desk.pulse.ear import Ear
from desk.pulse.hearing import Hearing
from desk.pulse.vitals import Vitals
from desk.web import holes
from desk.web.clearance import allowed
from desk.web.evidence import Evidence, evidence
from desk.web.holes import Holes
from store import alerts, aside, incidents, ledger, outbox, posts, withdrawals
from store import annotations as understanding
from store.records import (
    Acknowledgement,
    Alert,
    Delivery,
    Incident,
    LedgerEntry,
    SetAside,
    SourceHealth,
    Withdrawal,
)

SEVERITIES = ("Extreme", "Severe", "Moderate", "Minor", "Unknown")
MOST_CARDS = 60
MOST_CLOSED = 20
MOST_EVIDENCE = 40
MOST_DELIVERIES = 10
MOST_LEDGER = 12
MOST_ASIDE = 5


@dataclass(frozen=True, slots=True)
class Card:
    """One incident, its alerts (newest first), who was told, who took it on. ``number`` marks it on the map."""

    incident: Incident
    number: int
    alerts: tuple[Alert, ...]
    deliveries: tuple[Delivery, ...]
    acknowledgements: tuple[Acknowledgement, ...]

    @property
    def alert(self) -> Alert | None:
        """The newest decision: it says who leads now."""
        return self.alerts[0] if self.alerts else None

    @property
    def paged(self) -> bool:
        """Whether somebody was to be told at some step; later steps may page nobody."""
        return any(alert.paged for alert in self.alerts)

    @property
    def taken(self) -> Acknowledgement | None:
        """The acknowledgement of the agency that leads."""
        return next((ack for ack in self.acknowledgements if self.alert and ack.agency == self.alert.lead), None)

    @property
    def waiting(self) -> bool:
        """Somebody was to be told, and the lead has not taken it on."""
        return self.paged and self.taken is None and self.incident.state != "closed"

    @property
    def told(self) -> tuple[Delivery, ...]:
        """The newest alert to each contact: the lead's first, then in order of writing."""
        about = [d for d in self.deliveries if d.event != "withdrawal"]
        newest = {(d.agency, d.contact, d.channel): d for d in sorted(about, key=lambda d: d.created_at)}
        return tuple(sorted(newest.values(), key=lambda d: (d.role != "lead", d.agency, d.created_at)))

    @property
    def sent(self) -> tuple[Delivery, ...]:
        """Those of ``told`` that have left, the earliest first."""
        return tuple(sorted((d for d in self.told if d.sent_at), key=lambda d: d.sent_at or d.created_at))

    @property
    def unsent(self) -> list[tuple[str, int]]:
        """How many of ``told`` are in each other state, failures first."""
        counts = Counter(d.state for d in self.told if not d.sent_at)
        return [(state, counts[state]) for state in ("failed", "sending", "pending", "cancelled") if counts[state]]

    @property
    def untold(self) -> tuple[str, ...]:
        """Agencies concerned that no message was written for."""
        told = {delivery.agency for delivery in self.deliveries}
        return tuple(agency for agency in self._concerned if agency not in told)

    @property
    def open_agencies(self) -> tuple[str, ...]:
        """Agencies concerned that have not acknowledged: the lead first."""
        done = {ack.agency for ack in self.acknowledgements}
        return tuple(agency for agency in self._concerned if agency not in done)

    @property
    def _concerned(self) -> tuple[str, ...]:
        return (self.alert.lead, *self.alert.support) if self.alert else ()


@dataclass(frozen=True, slots=True)
class Opened:
    """The incident that is open on the page: its card, and the posts it stands on.

    ``withheld`` counts posts that this desk may not show, ``withdrawn`` those that their source deleted or edited,
    ``out_of_reach`` the messages that had quoted them and were sent.
    """

    card: Card
    evidence: tuple[Evidence, ...]
    withheld: int
    withdrawn: int = 0
    out_of_reach: int = 0


@dataclass(frozen=True, slots=True)
class Board:
    """Everything on the page at one moment of the store. ``more`` counts incidents beyond those in ``cards``."""

    at: datetime
    cards: tuple[Card, ...]
    closed: tuple[Card, ...]
    more: int
    opened: Opened | None
    vitals: Vitals
    holes: Holes
    deliveries: tuple[tuple[Delivery, Incident], ...]
    ledger: tuple[LedgerEntry, ...]
    aside: tuple[SetAside, ...]
    aside_count: int
    clock: ClockDoubt

    @property
    def seq(self) -> int:
        """The number of the newest change."""
        return self.vitals.seq

    @property
    def hearing(self) -> Hearing:
        """What silence means."""
        return self.vitals.hearing

    @property
    def sources(self) -> tuple[SourceHealth, ...]:
        """The last report of every source."""
        return self.vitals.sources

    @property
    def waiting(self) -> int:
        """How many incidents wait for an acknowledgement."""
        return sum(card.waiting for card in self.cards)


def read(
    conn: Connection, now: datetime, bundle: Bundle, ear: Ear, *, opened: str | None = None, indexed: bool = False
) -> Board:
    """The board at ``now`` (UTC) with the incident ``opened``, or the most pressing one where None or unknown."""
    active = incidents.active(conn)
    recent = [one for one in incidents.recent(conn, MOST_CARDS + MOST_CLOSED) if one.state == "closed"]
    cards = in_order(_cards(conn, _first(active)))
    closed = _cards(conn, recent[:MOST_CLOSED], start=len(cards) + 1)
    return Board(
        at=now,
        cards=cards,
        closed=closed,
        more=len(active) - len(cards),
        opened=_opened(conn, opened, (*cards, *closed), bundle),
        vitals=vitals.read(conn, now, bundle, ear, indexed=indexed),
        holes=holes.read(conn, bundle, now),
        deliveries=_latest_deliveries((*cards, *closed)),
        ledger=tuple(ledger.newest(conn, MOST_LEDGER)),
        aside=tuple(aside.newest(conn, MOST_ASIDE)),
        aside_count=aside.count(conn),
        clock=doubt(conn, now),
    )


def in_order(cards: Sequence[Card]) -> tuple[Card, ...]:
    """Waiting ones first, then by severity, then the newest; numbered from 1."""
    ranked = sorted(cards, key=lambda card: (not card.waiting, *_rank(card.incident)))
    return tuple(replace(card, number=number) for number, card in enumerate(ranked, start=1))


def agency_name(bundle: Bundle, agency: str, lang: str) -> str:
    """The agency's name in ``lang``; its id where the bundle no longer knows it."""
    for one in bundle.agencies:
        if one.id == agency:
            return one.name.en if lang == "en" else one.name.fr
    return agency


def contact_name(bundle: Bundle, contact: str) -> str:
    """The contact's name; its id where the bundle no longer knows it."""
    known = (one for agency in bundle.agencies for one in agency.contacts)
    return next((one.name for one in known if one.id == contact), contact)


def _rank(incident: Incident) -> tuple[int, float]:
    return SEVERITIES.index(incident.severity), -incident.opened_at.timestamp()


def _first(active: Sequence[Incident]) -> list[Incident]:
    return sorted(active, key=_rank)[:MOST_CARDS]


def _cards(conn: Connection, found: Sequence[Incident], *, start: int = 1) -> tuple[Card, ...]:
    acks: Mapping[str, list[Acknowledgement]] = outbox.acknowledgements(conn, [one.id for one in found])
    return tuple(
        Card(
            incident=one,
            number=number,
            alerts=tuple(reversed(alerts.of_incident(conn, one.id))),
            deliveries=tuple(outbox.of_incident(conn, one.id)),
            acknowledgements=tuple(acks.get(one.id, ())),
        )
        for number, one in enumerate(found, start=start)
    )


def _opened(conn: Connection, wanted: str | None, cards: Sequence[Card], bundle: Bundle) -> Opened | None:
    card = next((card for card in cards if card.incident.id == wanted), None)
    if card is None and wanted and (incident := incidents.get(conn, wanted)):
        card = _cards(conn, [incident])[0]
    if card is None:
        card = next((card for card in cards if card.incident.state != "closed"), None)
    if card is None:
        return None
    shown, withheld = allowed(bundle, _evidence(conn, card.incident))
    gone = withdrawals.of_incident(conn, card.incident.id)
    reached = {delivery.id for delivery in card.deliveries if any(_holds(delivery, one) for one in gone)}
    return Opened(card, shown, withheld, len({one.post_id for one in gone}), len(reached))


def _holds(delivery: Delivery, gone: Withdrawal) -> bool:
    """Whether a message left, or was on its way, with the words of a post when that was taken back."""
    began = delivery.first_attempt_at or delivery.created_at
    return delivery.sent_at is not None and gone.post_id in delivery.quoted and began <= gone.at


def _evidence(conn: Connection, incident: Incident) -> tuple[Evidence, ...]:
    linked = incidents.posts_of(conn, incident.id, MOST_EVIDENCE, True)
    ids = list(dict.fromkeys((*incident.evidence, *linked)))[:MOST_EVIDENCE]
    found, understood = posts.get(conn, ids), understanding.get(conn, ids)
    return tuple(evidence(found[one], understood.get(one)) for one in ids if one in found)


def _latest_deliveries(cards: Sequence[Card]) -> tuple[tuple[Delivery, Incident], ...]:
    pairs = [(delivery, card.incident) for card in cards for delivery in card.deliveries]
    pairs.sort(key=lambda pair: pair[0].sent_at or pair[0].created_at, reverse=True)
    return tuple(pairs[:MOST_DELIVERIES])
