"""Quiet or blind: how much a source or a filter gives at such an hour at least, and what is too little to be calm.

**Expected.** For each hour of the day, working days and weekends apart: the rate (received per second listened) that
nine in ten of such hours exceeded in the last 28 days. Where that is 0, the same of whole days, spread as the day
usually goes. It takes seven hours with half an hour of listening each, or there is no baseline. Posts come in bursts,
so counts and expectation are divided by phi = variance / mean (quasi-Poisson, Wedderburn 1974): the median over the
hours of the day, each from its median and median absolute deviation, kept between 1 and 5.

**Silence.** Of arrivals at rate r, a silence in which m were expected has probability exp(-m), and r * month silences
begin in a month. So silence is deafness from m >= ln(2 * r * month) on: false less than once in two months.

**Too little.** Over 2, 6 and 24 hours: less than a quarter of what is expected, where Poisson gives that at most one
chance in 10,000 (720 * 3 looks a month: false less than once in four months).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import takewhile
from statistics import fmean, median
from typing import Literal
from zoneinfo import ZoneInfo

from scipy.special import pdtr

from store.records import Hour

BACK = timedelta(days=28)
HOUR = timedelta(hours=1)
LEAST_HOURS = 7
LEAST_LISTENED_S = 1800.0
MONTH_S = 30 * 86400.0
LOW = 0.1
WIDEST = 5.0
WINDOWS_H = (2, 6, 24)
PART = 0.25
CHANCE = 1e-4
CANNOT_BE_CALM = 20.0

Cell = tuple[bool, int]
"""Weekend or not, and the local hour of the day."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``unknown``: no baseline yet; ``rare``: too little is expected to conclude; ``heard``; ``deaf`` since ``since``.

    Where deaf, ``received`` came since then, and at least ``expected`` should have. ``known_hours`` is how many hours
    of the last 28 days, at this hour of the day, the verdict stands on.
    """

    state: Literal["unknown", "rare", "heard", "deaf"]
    since: datetime | None = None
    expected: float = 0.0
    received: int = 0
    known_hours: int = 0


@dataclass(frozen=True, slots=True)
class Baseline:
    """The least that one subject gives: ``rates`` a second by hour (one without baseline is missing), in bursts."""

    rates: Mapping[Cell, float]
    burst: float
    known: Mapping[int, int]
    zone: ZoneInfo

    @classmethod
    def of(cls, hours: Sequence[Hour], zone: ZoneInfo, drills: Collection[datetime] = ()) -> Baseline:
        """From the hours of the last 28 days; ``drills`` are the hours in which Vigie did not listen to real life."""
        usable = [one for one in hours if one.listened_s >= LEAST_LISTENED_S and one.hour not in drills]
        by_hour: dict[int, list[Hour]] = defaultdict(list)
        for one in usable:
            by_hour[one.hour.astimezone(zone).hour].append(one)
        spread = _spread_of_days(usable, by_hour, zone)
        seen = dict(_cells(by_hour, zone))
        least = {cell: _low(rates) or spread.get(cell[1], 0.0) for cell, rates in seen.items()}
        burst = median(_burst(rates) for rates in seen.values()) if seen else 1.0
        return cls(least, burst, {hour: len(some) for hour, some in by_hour.items()}, zone)

    def at(self, hour: datetime) -> float | None:
        """The least rate, a second, in the hour that begins at ``hour`` (UTC)."""
        return self.rates.get(_cell(hour, self.zone))

    @property
    def arrivals_a_month(self) -> float:
        """Bursts a month, at least."""
        shares = [(2 if weekend else 5, rate) for (weekend, _), rate in self.rates.items()]
        weight = sum(share for share, _ in shares)
        return MONTH_S / self.burst * sum(share * rate for share, rate in shares) / weight if weight else 0.0

    def judge(self, hours: Sequence[Hour], now: datetime, drills: Collection[datetime] = ()) -> Verdict:
        """The verdict at ``now`` (UTC) on the hours of the last 28 days, the present one last."""
        current = now.replace(minute=0, second=0, microsecond=0)
        known = self.known.get(current.astimezone(self.zone).hour, 0)
        if self.at(current) is None:
            return Verdict("unknown", known_hours=known)
        real = [one for one in hours if one.hour not in drills] if drills else hours
        found = self._silence(real, now) or self._too_little(real, current)
        if found:
            return Verdict("deaf", *found, known_hours=known)
        return Verdict("heard" if self.arrivals_a_month else "rare", known_hours=known)

    def _silence(self, hours: Sequence[Hour], now: datetime) -> tuple[datetime, float, int] | None:
        since = next((one for one in reversed(hours) if one.last_at), None)
        if since is None or since.last_at is None:
            return None
        last = since.last_at
        recent = takewhile(lambda one: one.hour >= since.hour, reversed(hours))
        missed = sum(_silent_s(one, last, now) * (self.at(one.hour) or 0.0) for one in recent)
        enough = math.log(2 * max(1.0, self.arrivals_a_month))
        return (last, missed, 0) if missed / self.burst >= max(1.0, enough) else None

    def _too_little(self, hours: Sequence[Hour], current: datetime) -> tuple[datetime, float, int] | None:
        for length in WINDOWS_H:
            since = current - (length - 1) * HOUR
            some = [one for one in hours[-length:] if one.hour >= since and self.at(one.hour)]
            wanted = sum((self.at(one.hour) or 0.0) * one.listened_s for one in some)
            came = sum(one.received for one in some)
            if came < PART * wanted and pdtr(came // self.burst, wanted / self.burst) <= CHANCE:
                return since, wanted, came
        return None


def _silent_s(hour: Hour, last: datetime, now: datetime) -> float:
    """For how many seconds of the hour the subject was listened to after ``last``; they are noted in lots."""
    counted = hour.silent_s if hour.last_at == last else hour.listened_s if hour.hour > last else 0.0
    return max(0.0, min(counted, (now - last).total_seconds()))


def _cell(hour: datetime, zone: ZoneInfo) -> Cell:
    local = hour.astimezone(zone)
    return local.weekday() >= 5, local.hour


def _cells(by_hour: Mapping[int, Sequence[Hour]], zone: ZoneInfo) -> Iterator[tuple[Cell, list[float]]]:
    """Each hour with a baseline, and the rates seen there: of its own kind of day, else of all days."""
    for number, every in by_hour.items():
        for weekend in (False, True):
            own = [one for one in every if _cell(one.hour, zone)[0] == weekend]
            some = own if len(own) >= LEAST_HOURS else every
            if len(some) >= LEAST_HOURS:
                yield (weekend, number), _calm([one.received / one.listened_s for one in some])


def _calm(rates: Sequence[float]) -> list[float]:
    """Without the hours in which nothing came where much always does: those were deaf, and must not become normal."""
    usual = median(rates) * 3600
    return [rate for rate in rates if rate or usual < CANNOT_BE_CALM]


def _low(values: Sequence[float]) -> float:
    return sorted(values)[int(LOW * len(values))]


def _burst(rates: Sequence[float]) -> float:
    """Variance over mean of the counts of an hour, from robust statistics."""
    counts = [rate * 3600 for rate in rates]
    middle = median(counts)
    spread = 1.4826 * median(abs(count - middle) for count in counts)
    return min(WIDEST, max(1.0, spread**2 / middle)) if middle else 1.0


def _spread_of_days(usable: Sequence[Hour], by_hour: Mapping[int, Sequence[Hour]], zone: ZoneInfo) -> dict[int, float]:
    """Local hour → rate a second, where a poor day's total is spread over the day as it usually goes."""
    days: dict[date, list[float]] = defaultdict(list)
    for one in usable:
        days[one.hour.astimezone(zone).date()].append(one.received / one.listened_s)
    means = [fmean(rates) for rates in days.values() if len(rates) >= 12]
    if len(means) < LEAST_HOURS or not any(means):
        return {}
    poor = _low(means) / fmean(means)
    return {hour: poor * fmean(one.received / one.listened_s for one in some) for hour, some in by_hour.items()}
