"""Column types: text from outside, times as integer microseconds, JSON as text."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Dialect, Text
from sqlalchemy.types import TypeDecorator

from store.codec import dumps, loads
from store.text import clean
from store.times import from_micros, to_micros


class FreeText(TypeDecorator[str]):
    """Text that people, platforms or other programs wrote: lone surrogates and NUL become U+FFFD."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy gives it
        """Text that the database can hold."""
        return None if value is None else clean(value)


class UtcMicros(TypeDecorator[datetime]):
    """An aware datetime, kept as microseconds since the epoch. Raises ValueError for one without a zone."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - the same
        """Microseconds since the epoch, for the database."""
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the same
        """The aware UTC datetime, for the rooms."""
        return None if value is None else from_micros(value)


class Json(TypeDecorator[Any]):
    """A JSON value, or a record through the codec, kept as text. None is the JSON ``null``."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:  # noqa: ARG002 - the same
        """JSON text, for the database."""
        return dumps(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002 - the same
        """The plain JSON value."""
        return None if value is None else loads(value)
