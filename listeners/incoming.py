"""What a platform gives, before Vigie decides whether to keep it; and the seam that every source is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from store.records import Geo, Status
from store.text import clean

MAX_TEXT = 25_000
"""Code points kept of one text, as many as the longest post of X; what is beyond is cut."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A raw post. ``created_at`` is UTC; ``author_id`` is the platform's own and never goes further than collect.

    ``location`` is what the account says about where it is; ``status`` is None where the source leaves it to the
    bundle; ``wanted`` says that a person chose this post, so that filters are not asked; ``rules`` are the tags of the
    platform's rules that let it through; ``received_at`` is UTC, None where it is being received just now.
    ``earlier`` are the ids that earlier versions of an edited post had, the first one first. ``sought`` are the
    filters whose rules or query made the platform send it: a post that is paid for counts for these.
    """

    platform: str
    native_id: str
    text: str
    created_at: datetime
    lang: str | None = None
    author_id: str | None = None
    geo: Geo | None = None
    repost_of: str | None = None
    location: str | None = None
    status: Status | None = None
    backfilled: bool = False
    wanted: bool = False
    rules: tuple[str, ...] = ()
    received_at: datetime | None = None
    earlier: tuple[str, ...] = ()
    superseded: bool = False
    sought: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gone:
    """A platform's notice that a post was deleted there; ``at`` is UTC."""

    platform: str
    native_id: str
    at: datetime


class Listener(Protocol):
    """A source of posts."""

    def posts(self, since: datetime | None = None) -> Iterator[Incoming | Gone]:
        """The posts that are there now, not older than ``since`` (UTC) where the platform can tell, and what it says
        of deleted ones.

        A live source waits a moment for the first post, gives what has come, and ends; it is called again and again.
        A recorded source ends once, when all is read.
        """
        ...

    def close(self) -> None:
        """Lets go of connections and threads, at once."""
        ...


def cleaned(text: str) -> str:
    """``text`` cut at MAX_TEXT, with NUL and lone surrogates as U+FFFD: one for one, so that offsets stay true."""
    return clean(text[:MAX_TEXT])
