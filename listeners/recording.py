"""A declared file of posts, read once, a part at a time; its place in the file is kept with the posts it gave."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from config.bundle import Source
from listeners import health
from listeners.collect import BATCH
from listeners.incoming import Incoming
from listeners.replay import BadLine, Replay
from store import state
from store.database import Database
from store.records import SourceState

log = logging.getLogger(__name__)
MEMORY = "collect/files"


class Recording:
    """The listener on a declared file; how that goes is told under the source's id.

    A restart goes on behind the last post that was taken in; a file that changed meanwhile is read from its beginning.
    With ``recorded``, a post counts as received when it was written.
    """

    def __init__(self, source: Source, db: Database, clock: Callable[[], datetime], *, recorded: bool = False) -> None:
        self._id, self._db, self._clock, self._recorded = source.id, db, clock, recorded
        self._given, self._file = 0, ""
        self._posts: Iterator[Incoming] | None = None
        self._path = str(source.settings.get("path", ""))
        if self._path:
            self.again()
        else:
            self._say("off", "settings.path does not say which file to read")

    def posts(self, since: datetime | None = None) -> Iterator[Incoming]:  # noqa: ARG002 -- all of the file is wanted
        """The next posts of the file, at most 500."""
        if self._posts is None:
            return
        some = False
        try:
            for post in islice(self._posts, BATCH):
                some, self._given = True, self._given + 1
                yield replace(post, received_at=post.created_at) if self._recorded else post
        except OSError as error:
            self._end("off", f"the file cannot be read: {error}")
        if not some:
            self._end("off", "read to its end")

    def keep_place(self, conn: Connection) -> None:
        """Remember how many posts were given, in the transaction in which they are taken in."""
        if self._file:
            state.put(conn, MEMORY, {self._id: {"file": self._file, "posts": self._given}})

    def again(self) -> None:
        """Go back to the place that was kept last: what was given since is not in the database."""
        self._posts = self._read(Path(self._path))

    def close(self) -> None:
        """Nothing is held open between calls but the file, which goes with its reader."""

    def _read(self, path: Path) -> Iterator[Incoming]:
        """Every post that was not given before a restart. Raises OSError."""
        about = path.stat()
        self._file = f"{path}, {about.st_size} bytes, changed {about.st_mtime_ns}"
        with self._db.read() as conn:
            known: dict[str, Any] = state.get(conn, MEMORY).get(self._id, {})
        done = int(known["posts"]) if known.get("file") == self._file else 0
        self._given = done
        yield from islice(Replay([path], report=_report).posts(), done, None)

    def _end(self, kind: SourceState, reason: str) -> None:
        if self._posts is not None:
            self._posts = None
            self._say(kind, reason)

    def _say(self, kind: SourceState, reason: str) -> None:
        with self._db.write() as conn:
            health.set_state(conn, self._id, kind, reason, self._clock())


def _report(line: BadLine) -> None:
    log.warning("%s", line)
