"""What the sources did not hear, what became of it, and what is left of the posts that may be read this month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from config.bundle import Bundle
from listeners import budget
from listeners.budget import Spending
from store import gaps
from store.records import Gap

RECENT = timedelta(hours=24)
MOST = 6


@dataclass(frozen=True, slots=True)
class Holes:
    """Holes that last; others of the last 24 hours or not settled yet, newest first, at most six, and how many
    ``more``; the budgets of the sources that are paid by the post."""

    lasting: tuple[Gap, ...]
    others: tuple[Gap, ...]
    more: int
    budgets: tuple[Spending, ...]

    @property
    def short(self) -> tuple[Spending, ...]:
        """Budgets of which only the stream's reserve is left, or nothing."""
        return tuple(one for one in self.budgets if one.reserved)


def read(conn: Connection, bundle: Bundle, now: datetime) -> Holes:
    """The holes and budgets at ``now`` (UTC)."""
    found = {gap.id: gap for gap in (*gaps.since(conn, now - RECENT), *gaps.in_state(conn, "open", "waiting"))}
    newest = sorted(found.values(), key=lambda gap: gap.started_at, reverse=True)
    others = [gap for gap in newest if gap.ended_at]
    lasting = tuple(gap for gap in newest if not gap.ended_at)
    spent = tuple(budget.spending(conn, bundle, now))
    return Holes(lasting, tuple(others[:MOST]), max(0, len(others) - MOST), spent)
