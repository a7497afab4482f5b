"""The annotate stage with a reader that dies of some posts: run as a program by :mod:`desk.trials.world`.

Argument: the home. Exits with 0 once everything is read.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from nlp.alone import Alone
from nlp.context import NOWHERE, Context
from store.records import TAGS, Annotation

if TYPE_CHECKING:
    from nlp.annotate import Depth
    from nlp.fast import Readable

HANG_S = 30.0
ALONE_S = 1.0
ROOM = 1 << 28


class Fragile:
    """Reads in no time, but for posts that tell it what to die of."""

    def annotate(
        self,
        posts: Sequence[Readable],
        depth: Depth = "full",  # noqa: ARG002 - as every reader takes it
        *,
        floor: float = 0.0,  # noqa: ARG002 - as every reader takes it
        context: Context = NOWHERE,  # noqa: ARG002 - as every reader takes it
    ) -> list[Annotation]:
        """An annotation of each post, in order."""
        return [self._read(post) for post in posts]

    def _read(self, post: Readable) -> Annotation:
        match post.text:
            case "segfault":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "hang":
                while True:
                    pass
            case "greedy":
                bytearray(2 * ROOM)
        return Annotation(post.id, "fr", "fast", 0.5, 0.5, dict.fromkeys(TAGS, 0.5))


def main(home: Path) -> None:
    """Read everything."""
    from config.world import World
    from desk.trials.drip import BUNDLE
    from nlp.annotate import annotate_stage
    from nlp.wary import wary
    from store import times
    from store.database import Database

    db = Database.open(f"sqlite:///{home / 'vigie.db'}")
    world = World.from_files("trial", {"b.yaml": BUNDLE})
    alone = Alone(Fragile, seconds=ALONE_S, room=ROOM)
    with closing(alone), wary(db, Fragile(), alone, hang=HANG_S) as reader:
        while annotate_stage(db, world, annotator=reader, clock=times.now):
            pass
    db.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
