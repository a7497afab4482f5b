"""The length of a date histogram's bars, as Kibana chooses it.

Follows ``data/common/search/aggs/buckets/lib/time_buckets/{time_buckets,calc_auto_interval,calc_es_interval}.ts`` and
``aggs/utils/parse_es_interval.ts``, with the settings as shipped (``histogram:barTarget`` 50, ``maxBars`` 1000).
"""

from __future__ import annotations

import re
from datetime import timedelta

from desk.kibana.panels.errors import Untested

BARS, MOST_BARS = 50, 1000
_UNITS = {
    "ms": timedelta(milliseconds=1), "s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1),
    "d": timedelta(days=1), "w": timedelta(weeks=1), "M": timedelta(days=30), "y": timedelta(days=365),
}  # fmt: skip
_PRETTY = (
    "1y", "1M", "1w", "1d", "12h", "3h", "1h", "30m", "10m", "5m", "1m", "30s", "10s", "5s", "1s", "100ms",
)  # fmt: skip
_CALENDAR = ("w", "M", "y")
_MIXED = ("m", "h", "d")


def interval(asked: str, span: timedelta | None) -> dict[str, str]:
    """``calendar_interval`` or ``fixed_interval`` for an interval as the panel has it: ``auto``, ``1h``, ``d``.

    ``span`` is the time looked at, None where the histogram's field is not the one that time is asked of. An interval
    that would make more than a thousand bars is made longer. Raises Untested.
    """
    length = _auto(span) if asked == "auto" else duration(asked)
    if span and length < (least := _least(span)):
        length, asked = least, "auto"
    text = _written(length, None if asked == "auto" else asked.lstrip("0123456789"))
    number, unit = int(text.rstrip("msdhwMy")), text.lstrip("0123456789")
    calendar = unit in _CALENDAR or (unit in _MIXED and number == 1)
    return {"calendar_interval" if calendar else "fixed_interval": text}


def duration(text: str) -> timedelta:
    """``3h`` as a length of time; a month counts 30 days and a year 365. Raises Untested."""
    found = re.fullmatch(r"(\d*)(ms|[smhdwMy])", text)
    if not found:
        raise Untested(f"the interval {text} is not translated")
    return _UNITS[found[2]] * int(found[1] or 1)


def _auto(span: timedelta | None) -> timedelta:
    """The pretty interval just above a fiftieth of the span."""
    if not span:
        raise Untested("an auto interval needs the time that is looked at")
    lengths = [duration(one) for one in _PRETTY]
    below = [place for place, one in enumerate(lengths) if one <= span / BARS]
    if not below:
        return max(span / BARS, _UNITS["ms"])
    return lengths[max(below[0] - 1, 0)]


def _least(span: timedelta) -> timedelta:
    return next((one for one in map(duration, _PRETTY) if one <= span / MOST_BARS), span / MOST_BARS)


def _written(length: timedelta, unit: str | None) -> str:
    """The length in whole units, the largest that fits; a length of one is told in the unit that was asked for."""
    for name in ("y", "M", "w", "d", "h", "m", "s", "ms"):
        number = length / _UNITS[name]
        if number < 1 or number != int(number) or (name in _CALENDAR and number != 1):
            continue
        if number == 1 and unit and name != unit:
            continue
        return f"{int(number)}{name}"
    return f"{max(1, int(length / _UNITS['ms']))}ms"
