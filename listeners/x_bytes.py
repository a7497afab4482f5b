"""The bytes of X's answers within bounds: whole lines of the stream as they come, short answers not too long."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from urllib3.exceptions import ProtocolError

LONGEST_LINE = 1_000_000
"""Bytes; the longest post of X, every character escaped, with what it refers to, takes less than a third."""
LONGEST_ANSWER = 16_000_000
SECONDS = 60.0
_PIECE = 65_536


class Bounded:
    """Stands before the raw body that urllib3 gives, for requests and tweepy to read. The rest is as urllib3 has it.

    Reads what there is, without waiting for a number of bytes. ``closed`` once all is read, so that tweepy never
    connects again by itself.
    """

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._ended = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    @property
    def closed(self) -> bool:
        """Whether nothing more can come."""
        return self._ended or bool(self._raw.closed)

    def stream(self, amt: int | None = None, decode_content: bool | None = None) -> Iterator[bytes]:  # noqa: ARG002 -- urllib3's signature
        """The body, in pieces. Raises urllib3's exceptions."""
        try:
            yield from self._bounded(iter(lambda: self._raw.read1(_PIECE, decode_content=True), b""))
        finally:
            self._ended = True

    def _bounded(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """A short answer: raises ProtocolError where it goes on for too long."""
        end, size = time.monotonic() + SECONDS, 0
        for piece in pieces:
            size += len(piece)
            if size > LONGEST_ANSWER or time.monotonic() > end:
                raise ProtocolError(f"the answer is longer than {LONGEST_ANSWER:,} bytes or {SECONDS:g} seconds")
            yield piece


class Lines(Bounded):
    """A body without end, given line by line. A line that is too long is left out: ``dropped`` is told its bytes."""

    def __init__(self, raw: Any, dropped: Callable[[int], None]) -> None:
        super().__init__(raw)
        self._dropped = dropped

    def _bounded(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        line, size = bytearray(), 0
        for piece in pieces:
            for part in piece.splitlines(keepends=True):
                size += len(part)
                if size <= LONGEST_LINE:
                    line += part
                if not part.endswith(b"\n"):
                    continue
                if size <= LONGEST_LINE:
                    yield bytes(line)
                else:
                    self._dropped(size)
                line.clear()
                size = 0
