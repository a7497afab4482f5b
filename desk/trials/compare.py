"""What an undisturbed run made, beside what a disturbed one made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, select

from desk.trials.receivers import Receipt
from store import tables
from store.database import Database

Made = Mapping[str, Mapping[str, Any]]

CONTENT: dict[str, tuple[str, ...]] = {
    "posts": ("id", "source", "text", "created_at", "received_at", "lang", "author", "status", "filters"),
    "annotations": ("post_id", "payload"),
    "incidents": ("id", "payload"),
    "incident_posts": ("post_id", "incident_id"),
    "incident_events": ("id", "payload"),
    "alerts": ("id", "payload"),
    "deliveries": (
        "id", "alert_id", "incident_id", "event", "agency", "role", "contact", "channel", "created_at", "state",
    ),
    "sources": ("source", "state", "reason", "received", "kept"),
}  # fmt: skip
"""Of each table the columns that must not depend on who was killed when; the first is the key."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Records, named by table and key, that are missing or other than they should be, and those too many."""

    lost: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()

    @property
    def none(self) -> bool:
        """Whether the two are equal."""
        return not self.lost and not self.doubled

    def __add__(self, other: Difference) -> Difference:
        return Difference(self.lost + other.lost, self.doubled + other.doubled)

    def __str__(self) -> str:
        told = [
            f"{what} {', '.join(names[:3])}"
            for what, names in (("lost", self.lost), ("doubled", self.doubled))
            if names
        ]
        return "; ".join(told)


def made(db: Database, leaving: Collection[str] = ()) -> Made:
    """Everything that a run decided, by table and key; without the tables of ``leaving``."""
    with db.read() as conn:
        return {name: _rows(conn, name) for name in CONTENT if name not in leaving}


def _rows(conn: Connection, name: str) -> dict[str, Any]:
    table = tables.metadata.tables[name]
    rows = conn.execute(select(*(table.c[column] for column in CONTENT[name])))
    return {str(key): tuple(rest) for key, *rest in rows}


def difference(expected: Made, found: Made) -> Difference:
    """What is lost (missing, or not the same any more), and what is there that should not be."""
    lost = [
        f"{table} {key}"
        for table, rows in expected.items()
        for key, row in rows.items()
        if found[table].get(key) != row
    ]
    doubled = [f"{table} {key}" for table, rows in found.items() for key in rows if key not in expected[table]]
    return Difference(tuple(lost), tuple(doubled))


def twice(found: Made) -> Difference:
    """Deliveries that tell one recipient of one decision through one channel a second time."""
    told = Counter((row[1], row[0], row[3], row[5], row[6]) for row in found["deliveries"].values())
    return Difference(doubled=tuple(f"delivery {' '.join(key)}" for key, times in told.items() if times > 1))


NOTED_S = 1.0
"""How long after its coming a message is noted at most, on a machine that is busy."""


def received(found: Made, receipts: Sequence[Receipt], kills: Iterable[float]) -> Difference:
    """What the receivers miss of all that is recorded as sent, and what they got without cause.

    A message may come twice only where its sender was killed (at a moment of ``kills``) between the two, or just
    before the first was noted: what a killed sender had sent may have waited for a receiver that was not scheduled.
    """
    sent = {key for key, row in found["deliveries"].items() if row[-1] == "sent"}
    times: dict[str, list[float]] = {}
    for receipt in receipts:
        times.setdefault(receipt.key, []).append(receipt.at)
    moments = sorted(kills)
    doubled = [
        f"message {key}"
        for key, came in times.items()
        for first, second in pairwise(came)
        if not any(first - NOTED_S <= moment <= second for moment in moments)
    ]
    strangers = [f"message {key}" for key in times if key not in found["deliveries"]]
    return Difference(tuple(f"message {key}" for key in sorted(sent - times.keys())), (*doubled, *strangers))
