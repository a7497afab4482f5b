"""A trial of the stream: what was missed is there once search has filled the hole."""

from pathlib import Path
from random import Random

from desk.trials.stream import Fault, run


def test_a_closed_stream_loses_nothing_once_its_hole_is_filled(tmp_path: Path) -> None:
    outcome = run(Fault("close", "X closes the stream", tries=1), Random(7), tmp_path)
    assert (outcome.good, outcome.tried, outcome.lost, outcome.doubled) == (True, 1, 0, 0)
    assert outcome.longest_recovery_s
    assert "0 posts filled in" not in outcome.said
