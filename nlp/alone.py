"""One post at a time, read in a process of its own: one that kills it, hangs it or fills its memory harms nothing else.

Far slower than reading here, so it is for posts under suspicion only.
"""

from __future__ import annotations

import logging
import os
import resource
import signal
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlp.context import NOWHERE, Context
from nlp.helper import end_with
from store.records import TAGS, Annotation

if TYPE_CHECKING:
    from nlp.annotate import Depth, Reader
    from nlp.fast import Readable

log = logging.getLogger(__name__)
SECONDS = 10.0
ROOM = 1 << 30
START_S = 300.0
FAULTS = (ValueError, ArithmeticError, LookupError, TypeError, RecursionError, MemoryError)


class NoHelper(RuntimeError):
    """The process that reads posts alone does not start."""


def _ready() -> Reader:
    from nlp.annotate import Annotator  # the models, in the process that reads

    return Annotator().ready()


class Alone:
    """Reads like :class:`nlp.annotate.Annotator`; a post that cannot be read gets an annotation with ``error``.

    ``make`` builds what reads, in the other process, which can import it; it may take ``room`` bytes beyond its
    models, and ``seconds`` for a post.
    """

    def __init__(self, make: Callable[[], Reader] = _ready, *, seconds: float = SECONDS, room: int = ROOM) -> None:
        self._make, self._seconds, self._room = make, seconds, room
        self._process: SpawnProcess | None = None
        self._line: Connection[Any, Any] | None = None

    def annotate(
        self,
        posts: Sequence[Readable],
        depth: Depth = "full",
        *,
        floor: float = 0.0,
        context: Context = NOWHERE,
    ) -> list[Annotation]:
        """An annotation of each post, in order. Raises NoHelper where the other process does not start."""
        return [self._read(post, depth, floor, context) for post in posts]

    def close(self) -> None:
        """End the other process."""
        if self._process:
            self._process.kill()
            self._process.join()
        if self._line:
            self._line.close()
        self._process = self._line = None

    def _read(self, post: Readable, depth: Depth, floor: float, context: Context) -> Annotation:
        line = self._line or self._start()
        try:
            line.send((post, depth, floor, context))
            if line.poll(self._seconds):
                answer = line.recv()
                return answer if isinstance(answer, Annotation) else set_aside(post.id, answer)
            reason = f"Hang: no answer within {self._seconds:g} s"
        except (EOFError, OSError):
            reason = f"Crash: {self._ending()}"
        self.close()
        return set_aside(post.id, reason)

    def _start(self) -> Connection[Any, Any]:
        context = get_context("spawn")
        self._line, theirs = context.Pipe()
        given = (theirs, self._make, self._room, os.getpid())
        self._process = context.Process(target=_serve, args=given, name="alone", daemon=True)
        self._process.start()
        theirs.close()
        try:
            if self._line.poll(START_S) and self._line.recv() == "ready":
                return self._line
        except (EOFError, OSError) as error:
            raise NoHelper(f"the process that reads posts alone does not start: {self._ending()}") from error
        raise NoHelper(f"the process that reads posts alone did not start within {START_S:g} s")

    def _ending(self) -> str:
        assert self._process
        self._process.join(5)
        code = self._process.exitcode
        return f"signal {signal.Signals(-code).name}" if code and code < 0 else f"exit status {code}"


def set_aside(id: str, reason: str) -> Annotation:
    """The annotation of a post that cannot be read: without scores, and saying why."""
    log.error("post %s cannot be annotated and is set aside: %s", id, reason)
    return Annotation(id, None, "fast", None, None, dict.fromkeys(TAGS), error=reason)


def _serve(line: Connection[Any, Any], make: Callable[[], Reader], room: int, parent: int) -> None:
    """What the other process does: answer each post with its annotation, or with the reason why there is none."""
    end_with(parent)
    reader = make()
    most = _data_bytes() + room
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    line.send("ready")
    while True:
        try:
            post, depth, floor, context = line.recv()
        except EOFError:
            return
        try:
            answer: Annotation | str = reader.annotate([post], depth, floor=floor, context=context)[0]
        except FAULTS as error:
            answer = f"{type(error).__name__}: {error}"
        line.send(answer)


def _data_bytes() -> int:
    """The private memory of this process, as RLIMIT_DATA counts it (Linux)."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmData:"))
    return int(line.split()[1]) * 1024
