"""A trial of the stream: what was missed is there once search has filled the hole."""

from pathlib import Path
from random import Random

import pytest

from desk.trials.stream import FAULTS, Fault, run
from listeners.standin.script import KINDS


def test_a_closed_stream_loses_nothing_once_its_hole_is_filled(tmp_path: Path) -> None:
    outcome = run(Fault("close", "X closes the stream", tries=1), Random(7), tmp_path)
    assert (outcome.good, outcome.tried, outcome.lost, outcome.doubled) == (True, 1, 0, 0)
    assert outcome.longest_recovery_s
    assert "0 posts filled in" not in outcome.said


@pytest.mark.parametrize(("what", "left"), [("edit", 40), ("delete", 39)])
def test_what_x_does_to_a_post_leaves_each_once_as_it_was_last_given(what: str, left: int, tmp_path: Path) -> None:
    outcome = run(Fault(what, "X does it", what, tries=1, deaf_s=0), Random(7), tmp_path)
    assert (outcome.good, outcome.tried, outcome.lost, outcome.doubled) == (True, 1, 0, 0)
    assert outcome.said == f"{left} posts, as X last gave them"


def test_everything_that_the_stand_in_can_do_to_the_stream_has_its_row() -> None:
    assert {fault.answer or fault.cut for fault in FAULTS} == KINDS - {"hang", "refuse"}
