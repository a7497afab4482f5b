"""Annotating a flood of posts on every core: large batches are shared with other processes, small ones stay here."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context

from nlp.annotate import Annotator, Depth
from nlp.fast import Readable
from store.records import Annotation

log = logging.getLogger(__name__)
SHARED = 200
"""The least batch that is shared: below it the way to another process costs more than it saves."""


class Crew(Annotator):
    """An annotator with ``helpers`` processes beside this one (by default one for each other core).

    They start with the first large batch, which does not wait for them, and end with :meth:`close`. A helper that
    dies costs nothing but time: its posts are annotated here.
    """

    def __init__(self, helpers: int | None = None) -> None:
        super().__init__()
        self._helpers = (os.cpu_count() or 1) - 1 if helpers is None else helpers
        self._pool: ProcessPoolExecutor | None = None
        self._warm: list[Future[None]] = []

    def gather(self) -> Crew:
        """This crew with every helper there and its models loaded."""
        for loading in self._start():
            loading.result()
        return self

    def annotate(
        self,
        posts: Sequence[Readable],
        depth: Depth = "full",
        *,
        floor: float = 0.0,
        home: frozenset[str] = frozenset(),
    ) -> list[Annotation]:
        """As :meth:`Annotator.annotate`, with the same answers in the same order."""
        if len(posts) < SHARED or not self._helpers or not all(loading.done() for loading in self._start()):
            return super().annotate(posts, depth, floor=floor, home=home)
        size = -(-len(posts) // (self._helpers + 1))
        mine, *others = (posts[start : start + size] for start in range(0, len(posts), size))
        assert self._pool
        try:
            sent = [self._pool.submit(_annotate, part, depth, floor, home) for part in others]
            made = super().annotate(mine, depth, floor=floor, home=home)
            return made + [annotation for future in sent for annotation in future.result()]
        except BrokenExecutor:
            log.warning("a helper process died: its posts are annotated here")
            self.close()
            return super().annotate(posts, depth, floor=floor, home=home)

    def close(self) -> None:
        """End the helpers."""
        if self._pool:
            self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool, self._warm = None, []

    def _start(self) -> list[Future[None]]:
        if self._pool is None and self._helpers:
            self._pool = ProcessPoolExecutor(self._helpers, get_context("spawn"), _watch_parent, (os.getpid(),))
            self._warm = [self._pool.submit(_load) for _ in range(self._helpers)]
        return self._warm


def _watch_parent(parent: int) -> None:
    """End this helper when the process that it helps is gone, however that ended, also before the helper was ready."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()


@cache
def _annotator() -> Annotator:
    return Annotator().ready()


def _load() -> None:
    _annotator()


def _annotate(posts: Sequence[Readable], depth: Depth, floor: float, home: frozenset[str]) -> list[Annotation]:
    return _annotator().annotate(posts, depth, floor=floor, home=home)
