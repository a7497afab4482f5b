"""Does this machine's clock make sense beside the posts? X says when each was written, and brings it within seconds."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from store.tables import posts

SKEW = timedelta(minutes=2)
SLOW = timedelta(minutes=10)
"""How old posts may seem: a stream that is held up brings them late, a clock that is wrong all of them alike."""
LOOKED_AT = 50


@dataclass(frozen=True, slots=True)
class ClockDoubt:
    """``future`` of the last 50 posts came later than now, so the clock was put back; ``ahead`` is how old the posts
    of the stream seem in the middle when they come, None where there were fewer than five in the last hour."""

    future: int
    ahead: timedelta | None

    @property
    def wrong(self) -> bool:
        """Whether somebody must look at the clock."""
        return bool(self.future) or (self.ahead is not None and not -SKEW <= self.ahead <= SLOW)


def doubt(conn: Connection, now: datetime) -> ClockDoubt:
    """What the last posts tell of the clock that says ``now`` (UTC)."""
    received = posts.c.received_at
    newest = conn.execute(select(received).order_by(posts.c.seq.desc()).limit(LOOKED_AT)).scalars()
    future = sum(one > now + SKEW for one in newest)
    live = posts.c.backfilled.is_(False) & posts.c.id.startswith("x:") & (received > now - timedelta(hours=1))
    last = conn.execute(select(received, posts.c.created_at).where(live).order_by(received.desc()).limit(LOOKED_AT))
    ages = [(came - written).total_seconds() for came, written in last]
    return ClockDoubt(future, timedelta(seconds=statistics.median(ages)) if len(ages) >= 5 else None)
