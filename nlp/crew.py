"""Annotating a flood of posts on every core: large batches are shared with other processes, small ones stay here."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import closing
from functools import cache
from multiprocessing import active_children, get_context
from multiprocessing.process import BaseProcess

from nlp.alone import Alone
from nlp.annotate import TOGETHER, Annotator, Depth
from nlp.context import NOWHERE, Context
from nlp.fast import Readable
from nlp.helper import end_with
from store.records import Annotation

log = logging.getLogger(__name__)
_Sent = Future[list[Annotation]]
SHARED = 200
"""The least batch that is shared: below it the way to another process costs more than it saves."""


class Crew(Annotator):
    """An annotator with ``helpers`` processes beside this one (by default one for each other core).

    They start with the first large batch, which does not wait for them, and end with :meth:`close`. Where a helper
    dies, the posts that it may have died of are read alone.
    """

    def __init__(self, helpers: int | None = None) -> None:
        super().__init__()
        self._helpers = (os.cpu_count() or 1) - 1 if helpers is None else helpers
        self._pool: ProcessPoolExecutor | None = None
        self._warm: list[Future[None]] = []
        self._processes: list[BaseProcess] = []

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
        context: Context = NOWHERE,
    ) -> list[Annotation]:
        """As :meth:`Annotator.annotate`, with the same answers in the same order."""
        if len(posts) < SHARED or not self._helpers or not all(loading.done() for loading in self._start()):
            return super().annotate(posts, depth, floor=floor, context=context)
        step = 1 if floor else TOGETHER  # where not all are looked at again, who is does not change
        size = -(-len(posts) // (self._helpers + 1) // step) * step
        mine, *others = (posts[start : start + size] for start in range(0, len(posts), size))
        sent = [self._send(part, depth, floor, context) for part in others]
        made = super().annotate(mine, depth, floor=floor, context=context)
        for part, future in zip(others, sent, strict=True):
            try:
                made += future.result()
            except BrokenExecutor:
                made += self._alone(part, depth, floor, context)
        return made

    def _send(self, part: Sequence[Readable], depth: Depth, floor: float, context: Context) -> _Sent:
        assert self._pool
        try:
            return self._pool.submit(_annotate, part, depth, floor, context)
        except BrokenExecutor as error:
            broken: _Sent = Future()
            broken.set_exception(error)
            return broken

    def _alone(self, part: Sequence[Readable], depth: Depth, floor: float, context: Context) -> list[Annotation]:
        log.warning("a helper process died: its %d posts are read one by one", len(part))
        self.close()
        with closing(Alone()) as alone:
            return alone.annotate(part, depth, floor=floor, context=context)

    def close(self) -> None:
        """End the helpers at once, also one that is still loading: whoever lost its lease must not wait to end."""
        for process in self._processes:
            process.kill()
        if self._pool:
            self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool, self._warm, self._processes = None, [], []

    def _start(self) -> list[Future[None]]:
        if self._pool is None and self._helpers:
            self._pool = ProcessPoolExecutor(self._helpers, get_context("spawn"), end_with, (os.getpid(),))
            others = set(active_children())
            self._warm = [self._pool.submit(_load) for _ in range(self._helpers)]
            self._processes = [process for process in active_children() if process not in others]
        return self._warm


@cache
def _annotator() -> Annotator:
    return Annotator().ready()


def _load() -> None:
    _annotator()


def _annotate(posts: Sequence[Readable], depth: Depth, floor: float, context: Context) -> list[Annotation]:
    return _annotator().annotate(posts, depth, floor=floor, context=context)
