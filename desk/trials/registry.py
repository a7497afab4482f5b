"""The list of trials, in the order in which ``vigie bench faults`` goes through them.

To add one: a function ``(Random, Path) -> Outcome`` in a module of this room, and a line here.
"""

from __future__ import annotations

from functools import partial

from desk.trials import back, cluster, deaf, faulty, kills, pairs, standstill, stream, world, writers
from desk.trials.trial import Trial


def trials(number: int) -> tuple[Trial, ...]:
    """Every trial; ``number`` is how often those kill that kill at random."""
    return (
        Trial("kills", partial(kills.on_a_file, kills=number), slow=number > 20),
        Trial("kills-stream", partial(deaf.on_a_stream, kills=max(5, number // 5)), slow=number > 25),
        Trial("pairs", pairs.two_of_each),
        Trial("stopped", pairs.stopped_holder),
        Trial("back-watch", back.without_airflow, slow=True),
        Trial("back-airflow", back.with_airflow, slow=True),
        Trial("read-then-update", writers.read_then_update),
        Trial("writers", partial(writers.flood, seconds=10.0)),
        Trial("deaf-stream", standstill.silent_stream, slow=True),
        Trial("stopped-stage", standstill.stopped_annotator, slow=True),
        *stream.trials(),
        *faulty.trials(),
        *world.trials(),
        *cluster.trials(),
    )
