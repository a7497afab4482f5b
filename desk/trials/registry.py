"""The list of trials, in the order in which ``vigie bench faults`` goes through them.

To add one: a function ``(Random, Path) -> Outcome`` in a module of this room, and a line here.
"""

from __future__ import annotations

from functools import partial

from desk.trials import stream, writers
from desk.trials.trial import Trial


def trials(kills: int) -> tuple[Trial, ...]:
    """Every trial; ``kills`` is how often those kill that kill at random."""
    del kills
    return (
        Trial("read-then-update", writers.read_then_update),
        Trial("writers", partial(writers.flood, seconds=10.0)),
        *stream.trials(),
    )
