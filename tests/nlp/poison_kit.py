"""A run of the annotate stage whose reader dies of some posts: started as a program, again and again, as Airflow does.

Arguments: the home, and how many seconds a batch may take. Exits with 0 once everything is read.
"""

import os
import signal
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from nlp.alone import Alone
from store.records import TAGS, Annotation


class Fragile:
    """Reads in no time, but for posts that tell it what to die of."""

    def annotate(self, posts, depth="full", *, floor=0.0, context=None):
        return [self._read(post) for post in posts]

    def _read(self, post):
        match post.text:
            case "segfault":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "hang":
                while True:
                    pass
            case "greedy":
                bytearray(1 << 29)
        return Annotation(post.id, "fr", "fast", 0.5, 0.5, dict.fromkeys(TAGS, 0.5))


def main(home: Path, hang: float) -> None:
    from config.world import World
    from nlp.annotate import annotate_stage
    from nlp.wary import wary
    from store.database import Database

    db = Database.open(f"sqlite:///{home / 'vigie.db'}")
    world = World.from_files("v1", {"b.yaml": (home / "b.yaml").read_text()})
    alone = Alone(Fragile, seconds=1.0, room=1 << 28)
    with closing(alone), wary(db, Fragile(), alone, hang=hang) as reader:
        while annotate_stage(db, world, annotator=reader, clock=lambda: datetime.now(UTC), limit=20):
            pass
    db.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
