"""Recorded posts: JSON lines, plain or gzip, several files as one stream in the order of their times.

A file in the order of its times (most are) is read line by line; one that is not is read whole and sorted in memory.
Posts of equal times come in the order of files, then of lines.
"""

from __future__ import annotations

import gzip
import heapq
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from listeners.incoming import Incoming
from store.codec import read
from store.records import Geo, Status

PLATFORM = "file"
MAX_LINE = 16_000_000
MAX_ID = 200
_DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile)
_STATUSES: dict[Any, Status] = {"Actual": "Actual", "Exercise": "Exercise", "Test": "Test"}


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that holds no post: the file, the line's number from 1, and why."""

    file: Path
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.reason}"


class NotAPost(ValueError):
    """What a line holds is no post; the message says why."""


class Replay:
    """The listener on files. Each bad line is handed to ``report`` once, and the rest goes on."""

    def __init__(self, files: Sequence[Path], *, report: Callable[[BadLine], None], platform: str = PLATFORM) -> None:
        self.files, self.report, self.platform = list(files), report, platform

    def posts(self, since: datetime | None = None) -> Iterator[Incoming]:
        """Every post, not older than ``since`` (UTC). Raises OSError where a file cannot be read."""
        streams = [self._file(number, path) for number, path in enumerate(self.files)]
        for moment, _, _, post in heapq.merge(*streams, key=lambda item: item[:3]):
            if since is None or moment >= since:
                yield post

    def close(self) -> None:
        """Nothing stays open."""

    def _file(self, number: int, path: Path) -> Iterator[tuple[datetime, int, int, Incoming]]:
        items = ((post.created_at, number, line, post) for line, post in self._lines(path))
        yield from items if in_order(path) else sorted(items, key=lambda item: item[:3])

    def _lines(self, path: Path) -> Iterator[tuple[int, Incoming]]:
        line = 0
        try:
            for line, raw in numbered(path):
                try:
                    yield line, parse(raw, self.platform)
                except NotAPost as error:
                    self.report(BadLine(path, line, str(error)))
        except _DAMAGED as error:
            self.report(BadLine(path, line + 1, f"the packed file is damaged from here on: {error}"))


def opened(path: Path) -> IO[bytes]:
    """The file, unpacked where its first bytes say gzip. Raises OSError."""
    file = path.open("rb")
    packed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    return gzip.GzipFile(fileobj=file) if packed else file  # type: ignore[return-value]


def numbered(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, with their numbers. Raises OSError, and what gzip raises for a damaged file."""
    with opened(path) as file:
        yield from ((number, raw) for number, raw in enumerate(file, 1) if not raw.isspace())


def in_order(path: Path) -> bool:
    """Whether the times in a file never go back, as far as it can be read; lines without one do not count."""
    last = datetime.min.replace(tzinfo=UTC)
    with suppress(*_DAMAGED):
        for _, raw in numbered(path):
            moment = _time_of(raw) or last
            if moment < last:
                return False
            last = moment
    return True


def _time_of(raw: bytes) -> datetime | None:
    try:
        return _moment(_object(raw))
    except NotAPost:
        return None


def parse(raw: bytes, platform: str = PLATFORM) -> Incoming:
    """The post that one line holds. Raises NotAPost."""
    line = _object(raw)
    text = line.get("text")
    if not isinstance(text, str):
        raise NotAPost('it has no "text"' if text is None else '"text" is not a string')
    return Incoming(
        platform=platform,
        native_id=_id(line),
        text=text,
        created_at=_moment(line),
        lang=_optional(line, "lang"),
        author_id=_optional(line, "author"),
        geo=_geo(line.get("geo")),
        repost_of=_optional(line, "retweet_of"),
        location=_optional(line, "location"),
        status=_status(line.get("status")),
    )


def _object(raw: bytes) -> dict[str, Any]:
    if len(raw) > MAX_LINE:
        raise NotAPost(f"it is longer than {MAX_LINE:,} bytes")
    try:
        line = read(raw)
    except ValueError as error:
        raise NotAPost(f"it is not JSON: {error}") from error
    if not isinstance(line, dict):
        raise NotAPost("it is JSON but not an object")
    return line


def _id(line: dict[str, Any]) -> str:
    value = line.get("id")
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise NotAPost('it has no "id"' if value in (None, "") else '"id" is neither a string nor a whole number')
    if len(str(value)) > MAX_ID:
        raise NotAPost(f'"id" is longer than {MAX_ID} characters')
    return str(value)


def _moment(line: dict[str, Any]) -> datetime:
    value = line.get("created_at")
    if not isinstance(value, str):
        raise NotAPost('it has no "created_at"' if value is None else '"created_at" is not a string')
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise NotAPost(f'"created_at" is not an ISO 8601 time: {value[:40]!r}') from error


def _optional(line: dict[str, Any], key: str) -> str | None:
    value = line.get(key)
    return str(value) if isinstance(value, str | int) and value != "" else None


def _status(value: Any) -> Status | None:
    return _STATUSES.get(value) if isinstance(value, str) else None


def _geo(value: Any) -> Geo | None:
    """A position, or None where there is none or it is not on the globe: the text still counts."""
    if not isinstance(value, dict):
        return None
    lat, lon, radius, place = (value.get(name) for name in ("lat", "lon", "radius_m", "place"))
    if not isinstance(lat, int | float) or not isinstance(lon, int | float):
        return None
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        return None
    metres = float(radius) if isinstance(radius, int | float) else None
    return Geo(float(lat), float(lon), metres, place if isinstance(place, str) else None)
