"""Reading posts so that none of them stops the rest for good.

A post may kill this process, or hang it, before anything can be written down. So the store knows where each run began
and whether it ended in order: after two runs that died with the cursor at the same place, what lies there is read
alone, and the post that did it is set aside.
"""

from __future__ import annotations

import faulthandler
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from nlp.alone import Alone
from nlp.annotate import STAGE, Depth, Reader
from nlp.context import NOWHERE, Context
from nlp.fast import Readable
from store import changes, state
from store.database import Database
from store.records import Annotation
from store.trouble import FAULTS, ailment

log = logging.getLogger(__name__)
MEMORY = "annotate/runs"
TRIES = 2
HANG_S = 60.0


@contextmanager
def wary(db: Database, reader: Reader, alone: Alone, *, hang: float = HANG_S) -> Iterator[Reader]:
    """``reader``, but that the first batch is read ``alone`` after :data:`TRIES` runs that died before it.

    A batch that takes longer than ``hang`` seconds ends the process, with a trace in its log: nothing else can stop a
    reading that holds Python's lock. To be entered once a run, by the holder of the stage's lease.
    """
    died = _begin(db)
    if died >= TRIES:
        log.warning("annotation died %d times with the same posts before it: they are read one by one", died)
    try:
        yield _Wary(reader, alone if died >= TRIES else None, hang)
    finally:
        _end(db)


def _begin(db: Database) -> int:
    """Note that a run begins; gives how many before it died with the cursor at the same place and posts waiting."""
    with db.write() as conn:
        cursor = changes.cursor(conn, STAGE)
        before = state.get(conn, MEMORY).get("run") or {}
        same = before.get("cursor") == cursor and bool(changes.after(conn, cursor, ("posts",), 1))
        died = before["died"] + 1 if same else 0
        state.put(conn, MEMORY, {"run": {"cursor": cursor, "died": died}})
    return died


def _end(db: Database) -> None:
    """Note that the run ended in order."""
    try:
        with db.write() as conn:
            state.put(conn, MEMORY, {"run": None})
    except FAULTS as error:
        if ailment(error) is None:
            raise
        log.warning("that annotation ended in order could not be written down: %s", error)


class _Wary:
    """A reader that has its first batch read by another, where there is one."""

    def __init__(self, reader: Reader, first: Alone | None, hang: float) -> None:
        self._reader, self._first, self._hang = reader, first, hang

    def annotate(
        self,
        posts: Sequence[Readable],
        depth: Depth = "full",
        *,
        floor: float = 0.0,
        context: Context = NOWHERE,
    ) -> list[Annotation]:
        """An annotation of each post, in order."""
        if self._first and posts:
            made = self._first.annotate(posts, depth, floor=floor, context=context)
            self._first.close()
            self._first = None
            return made
        faulthandler.dump_traceback_later(self._hang, exit=True, file=sys.__stderr__ or sys.stderr)
        try:
            return self._reader.annotate(posts, depth, floor=floor, context=context)
        finally:
            faulthandler.cancel_dump_traceback_later()
