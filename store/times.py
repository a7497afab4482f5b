"""Times: aware datetimes in UTC for the rooms, microseconds since the epoch in the database, ISO 8601 in JSON."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def now() -> datetime:
    """The present moment, aware, in UTC: the clock that stages are given outside replay and tests."""
    return datetime.now(UTC)


def to_micros(value: datetime) -> int:
    """Microseconds since 1970-01-01T00:00Z. Raises ValueError for a time without a zone."""
    if value.tzinfo is None:
        raise ValueError(f"a time needs its zone, this one has none: {value!r}; give an aware datetime in UTC")
    return (value - EPOCH) // _MICROSECOND


def from_micros(value: int) -> datetime:
    """The aware UTC datetime of a number of microseconds since 1970-01-01T00:00Z."""
    return EPOCH + timedelta(microseconds=value)


def to_iso(value: datetime) -> str:
    """ISO 8601 in UTC with a final Z, microseconds kept where there are any. Raises ValueError without a zone."""
    if value.tzinfo is None:
        raise ValueError(f"a time needs its zone, this one has none: {value!r}; give an aware datetime in UTC")
    return (value if value.tzinfo is UTC else value.astimezone(UTC)).isoformat()[:-6] + "Z"


def from_iso(value: str) -> datetime:
    """The aware UTC datetime that ISO 8601 text names. Raises ValueError for other text, or a time without a zone."""
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(f"a time needs its zone, this one has none: {value!r}; end it with Z or an offset")
    return moment.astimezone(UTC)
