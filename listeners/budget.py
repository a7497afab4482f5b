"""What has been read of the posts that a platform sells: the month's budget, its pace, its end, and who takes it.

X bills an account by the calendar month in UTC. So the sources that share a credential share one budget: what each of
them read (``hourly``, subjects ``source:ID``) is added up, and the smallest budget that one of them declares holds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from store import hourly
from store.records import Hour

if TYPE_CHECKING:
    from config.bundle import Bundle, Source
    from config.world import World

RESERVE = 0.95
"""At this part of the budget the searches end, so that the stream goes on."""

PACE = timedelta(days=7)
_LEAST_PACE = timedelta(hours=1)
_TOKEN = "X_BEARER_TOKEN"


@dataclass(frozen=True, slots=True)
class Spending:
    """One budget at ``at`` (UTC): the sources that draw on it, and the posts ``read`` of ``posts_a_month`` in the month
    that ends at ``until`` (UTC). ``a_day`` is the pace over ``over``, at most 7 days; None before anything was read.
    ``slowed`` are the filters over their share, with the posts that each took."""

    sources: tuple[str, ...]
    posts_a_month: int
    read: int
    at: datetime
    until: datetime
    a_day: float | None = None
    over: timedelta = PACE
    slowed: Mapping[str, int] = field(default_factory=dict)

    @property
    def part(self) -> float:
        """How much of the budget is read: 1 is all of it."""
        return self.read / self.posts_a_month

    @property
    def spent(self) -> bool:
        """Whether nothing is left."""
        return self.read >= self.posts_a_month

    @property
    def reserved(self) -> bool:
        """Whether what is left is kept for the stream."""
        return self.part >= RESERVE

    @property
    def runs_out_at(self) -> datetime | None:
        """When all is read at this pace (UTC); None where the month ends before."""
        if not self.a_day:
            return None
        end = self.at + timedelta(days=min((self.posts_a_month - self.read) / self.a_day, 366))
        return max(end, self.at) if end < self.until else None


def spending(conn: Connection, bundle: Bundle, now: datetime) -> list[Spending]:
    """Every budget that an enabled source of the bundle declares, as it stands at ``now`` (UTC)."""
    return [found for sources in _accounts(bundle) if (found := _of(conn, bundle, sources, now))]


def of_source(conn: Connection, bundle: Bundle, source: str, now: datetime) -> Spending | None:
    """The budget that this source draws on; None where none is declared."""
    return next((one for one in spending(conn, bundle, now) if source in one.sources), None)


def reason(one: Spending) -> str:
    """Why a source that draws on this budget is off, in a sentence."""
    day = f"{one.until:%Y-%m-%d}"
    if one.spent:
        return f"the month's budget of {one.posts_a_month} posts is read: off until {day}"
    return f"{one.read} of the month's {one.posts_a_month} posts are read: the rest is for the stream, until {day}"


def rationed(world: World, slowed: Collection[str]) -> World:
    """The world without the stream for filters that had their share: searches, fewer of them, are left for these."""
    if not slowed:
        return world
    filters = [one.model_copy(update={"stream": one.stream and one.id not in slowed}) for one in world.bundle.filters]
    bundle = world.bundle.model_copy(update={"filters": tuple(filters)})
    return replace(world, bundle=bundle, version=f"{world.version}, slowed {' '.join(sorted(slowed))}")


def month(now: datetime) -> tuple[datetime, datetime]:
    """The first moment of the calendar month of ``now`` and of the next one, in UTC."""
    start = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return start, (start + timedelta(days=32)).replace(day=1)


def _accounts(bundle: Bundle) -> list[list[Source]]:
    groups: dict[tuple[str, str], list[Source]] = {}
    for one in bundle.sources:
        if one.enabled:
            of_x = one.kind in ("x_stream", "x_search")
            account = ("x", one.secrets.get("bearer_token", _TOKEN)) if of_x else (one.kind, one.id)
            groups.setdefault(account, []).append(one)
    return list(groups.values())


def _of(conn: Connection, bundle: Bundle, sources: list[Source], now: datetime) -> Spending | None:
    budgets = [one.budget for one in sources if one.budget]
    if not budgets:
        return None
    start, end = month(now)
    most, share = min(one.posts_a_month for one in budgets), min(one.filter_share for one in budgets)
    ids = tuple(one.id for one in sources)
    read = sum(hour.received for id in ids for hour in hourly.between(conn, f"source:{id}", start, end))
    taken = {name.removeprefix("filter:"): hour.received for name, hour in _filters(conn, start, end).items()}
    declared = [one.id for one in bundle.filters if taken.get(one.id, 0) > share * most]
    a_day, over = _pace(conn, ids, now)
    return Spending(ids, most, read, now, end, a_day, over, {name: taken[name] for name in declared})


def _filters(conn: Connection, start: datetime, end: datetime) -> Mapping[str, Hour]:
    return hourly.totals(conn, "filter:", start, end)


def _pace(conn: Connection, sources: tuple[str, ...], now: datetime) -> tuple[float | None, timedelta]:
    """Posts a day, and over how long: the last 7 days, or less where the first count is younger."""
    hours = [hour for id in sources for hour in hourly.between(conn, f"source:{id}", now - PACE, now)]
    if not hours:
        return None, timedelta(0)
    over = min(PACE, max(now - min(hour.hour for hour in hours), _LEAST_PACE))
    return sum(hour.received for hour in hours) / (over / timedelta(days=1)), over
