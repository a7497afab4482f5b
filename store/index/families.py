"""The families of indices: what is indexed, from which tables, and in which index a document lies.

A family is asked through its alias ``PREFIX-FAMILY``. The indices behind it are ``PREFIX-FAMILY-vN-PERIOD``, where N is
the version of its mapping; PERIOD is the month (``2026.03``) or day (``2026.03.28``) of the document's time in UTC, or
``all``. A rebuild writes beside them, ``PREFIX-FAMILY-vN-rM-PERIOD``, and moves the alias.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal

import orjson

TEMPLATES = Path(__file__).resolve().parent / "templates"
STAGE = "index"
"""The name of what feeds the index: of its lease, its cursor, its state and what it sets aside."""

Period = Literal["month", "day", "all"]
_FORMS: Mapping[Period, str] = {"month": "%Y.%m", "day": "%Y.%m.%d"}


@dataclass(frozen=True, slots=True)
class Family:
    """``tables``: those whose changes concern its documents; ``time``: the field by which it is cut into indices.
    ``version`` rises with every change of its mapping."""

    name: str
    tables: tuple[str, ...]
    time: str
    period: Period = "month"
    located: bool = False
    version: int = 1

    def alias(self, prefix: str) -> str:
        """The name under which all of it is asked."""
        return f"{prefix}-{self.name}"

    def period_of(self, at: datetime) -> str:
        """The last part of the name of the index in which a document of that time lies."""
        if self.period == "all":
            return "all"
        utc = at if at.tzinfo is UTC else at.astimezone(UTC)
        month = f"{utc.year:04}.{utc.month:02}"
        return month if self.period == "month" else f"{month}.{utc.day:02}"

    def span(self, period: str) -> tuple[datetime, datetime] | None:
        """When a period begins and ends (UTC); None for the one that never does."""
        if self.period == "all":
            return None
        since = datetime.strptime(period, _FORMS[self.period]).replace(tzinfo=UTC)
        day = self.period == "day"
        return since, since + timedelta(days=1) if day else (since + timedelta(days=32)).replace(day=1)


POSTS = Family("posts", ("posts", "annotations", "incident_posts"), "created_at", located=True)
PUBLIC_ORDER = Family("public-order", ("annotations", "incident_posts"), "at", "day")
INCIDENTS = Family(
    "incidents", ("incidents", "alerts", "acknowledgements", "incident_posts"), "opened_at", located=True
)
ALERTS = Family("alerts", ("alerts",), "at", located=True)
DELIVERIES = Family("deliveries", ("deliveries", "acknowledgements"), "created_at")
SOURCES = Family("sources", ("sources",), "since", "all")
GAPS = Family("gaps", ("gaps",), "started_at", "all")
HOURS = Family("hours", (), "hour")

FAMILIES = (POSTS, PUBLIC_ORDER, INCIDENTS, ALERTS, DELIVERIES, SOURCES, GAPS, HOURS)

TABLES = tuple(sorted({table for family in FAMILIES for table in family.tables}))
"""The tables of which documents are made: whoever feeds the index reads their changes."""


@cache
def template(name: str) -> Mapping[str, Any]:
    """A component template as the project ships it: ``settings``, ``position``, or the name of a family."""
    content: Mapping[str, Any] = orjson.loads((TEMPLATES / f"{name}.json").read_bytes())
    return content
