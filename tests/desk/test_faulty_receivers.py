"""The trials of receivers that fail: nobody is lost, and who is told twice is told with the same key."""

from random import Random

import pytest

from desk.trials.faulty import FAULTS, run

BY_NAME = {fault.name: fault for fault in FAULTS}


@pytest.mark.parametrize("name", ["SMTP breaks off after the message", "webhook drips headers for ever"])
def test_everybody_is_told_and_nobody_waits_for_another(name, tmp_path):
    outcome = run(BY_NAME[name], Random(1), tmp_path)
    assert outcome.good, outcome
    assert (outcome.tried, outcome.lost, outcome.doubled) == (12, 0, 0)
    assert "the others were told in" in outcome.said


def test_what_was_cut_off_goes_again_with_the_same_key(tmp_path):
    outcome = run(BY_NAME["webhook breaks off"], Random(2), tmp_path)
    assert "6 sent again with the same key" in outcome.said
    assert outcome.good, outcome
