"""What each source delivers, kept in the store: its state is set here, its counts grow here."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from store import sources
from store.records import SourceHealth, SourceState

CONFIGURATION = "configuration"
"""Under this name the state of the bundle's folder stands among the sources; it is none, and hears nothing."""

COMPLIANCE = "x-compliance"
"""Under this name stands whether X tells what it took back; nothing is heard there either."""

NO_SOURCES = frozenset({CONFIGURATION, COMPLIANCE})


def set_state(conn: Connection, source: str, state: SourceState, reason: str, now: datetime) -> None:
    """Says that a source is on, off or waiting, and why. Counts stay; ``since`` moves only when something changed."""
    known = _known(conn, source)
    if known and (known.state, known.reason) == (state, reason):
        return
    fresh = known or SourceHealth(source, state, reason, now)
    sources.report(conn, replace(fresh, state=state, reason=reason, since=now))


def count(conn: Connection, source: str, received: int, kept: int, last_post_at: datetime, now: datetime) -> None:
    """Adds what one batch brought. A source nobody spoke of before is on."""
    known = _known(conn, source) or SourceHealth(source, "on", "", now)
    last = max(known.last_post_at or last_post_at, last_post_at)
    grown = replace(known, received=known.received + received, kept=known.kept + kept, last_post_at=last)
    sources.report(conn, grown)


def _known(conn: Connection, source: str) -> SourceHealth | None:
    return next((health for health in sources.all(conn) if health.source == source), None)
