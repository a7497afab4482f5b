"""What ails a disk, done for real: run as a program by :mod:`desk.trials.world`, on a disk of its own to fill.

Arguments: full or read_only, a folder, a seed. Prints the outcome without its name as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from random import Random

from desk.pulse.storage import look
from desk.trials.drip import Drip

POSTS = 400
SMALL = "64m"
AILS_S = 4.0


def fill(folder: Path) -> Callable[[], None]:
    """Take all the room of the disk that ``folder`` is on; gives what frees it."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as out, suppress(OSError):  # what ends it is that there is no room left
        while out.write(b"x" * 65536):
            continue
    return filler.unlink


def forbid(folder: Path) -> Callable[[], None]:
    """Take the right to write the database; gives what gives it back."""

    def rights(mode: int) -> None:
        for path in folder.glob("vigie.db*"):
            path.chmod(mode)

    rights(0o400)
    return lambda: rights(0o600)


def main(what: str, folder: Path, seed: int) -> None:
    """Run a stage while the disk ails, and print what became of its posts."""
    draw = Random(seed)
    if what == "full":
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", str(folder)], check=True)
    drip = Drip(folder, POSTS)
    with drip.running("holder"):
        time.sleep(draw.uniform(0.2, 1.0))
        if what != "full":
            drip.db.close()  # connections that are open keep their right
        heal = fill(folder) if what == "full" else forbid(folder)
        time.sleep(AILS_S)
        seen = look(drip.db).ailment
        heal()
        over = time.monotonic()
    made = asdict(drip.outcome("", 1, [drip.recovery(over)], f"the desk saw: {seen}; the stage waited and went on"))
    del made["fault"]
    print(json.dumps(made))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
