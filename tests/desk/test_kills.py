"""The kill tests: nothing lost, nothing doubled, whoever is killed when; and the harness notices what is."""

from random import Random

import pytest

from desk.bench import faults
from desk.trials import kills, pairs
from desk.trials.compare import received
from desk.trials.play import Harm, judged, play
from desk.trials.receivers import Receipt
from desk.trials.trial import Outcome, Trial


def test_five_kills_at_random_instants_lose_and_double_nothing(tmp_path):
    outcome = kills.on_a_file(Random("five kills"), tmp_path, kills=5, number=500, burning=5)
    assert outcome.good, outcome
    assert outcome.tried == 5


def test_a_stopped_holder_commits_nothing_once_another_took_over(tmp_path):
    outcome = pairs.stopped_holder(Random("stopped"), tmp_path, number=500, burning=4)
    assert outcome.good, outcome
    assert outcome.tried == 3


@pytest.fixture(scope="module")
def a_play(tmp_path_factory):
    """What an undisturbed run on a few posts made, and what its receivers took."""
    with play(Random("small"), tmp_path_factory.mktemp("play"), 60, 2) as each:
        made, receipts = each.run("small", Harm())
    assert made["alerts"]
    assert receipts
    return made, receipts


def without(made, table):
    """The same, but for the first record of a table."""
    return {**made, table: dict(list(made[table].items())[1:])}


@pytest.mark.parametrize("table", ["posts", "annotations", "incident_events", "alerts"])
def test_a_lost_record_is_noticed(a_play, table):
    made, receipts = a_play
    wrong = judged(made, without(made, table), receipts, Harm())
    assert (len(wrong.lost), len(wrong.doubled)) == (1, 0)


@pytest.mark.parametrize("table", ["posts", "alerts"])
def test_a_record_too_many_is_noticed(a_play, table):
    made, receipts = a_play
    wrong = judged(without(made, table), made, receipts, Harm())
    assert (len(wrong.lost), len(wrong.doubled)) == (0, 1)


def test_a_decision_that_came_out_otherwise_is_noticed(a_play):
    made, receipts = a_play
    key, row = next(iter(made["incidents"].items()))
    wrong = judged(made, {**made, "incidents": {**made["incidents"], key: (*row, "otherwise")}}, receipts, Harm())
    assert wrong.lost == (f"incidents {key}",)


def test_the_table_shows_what_a_dispatcher_lost_that_marks_as_sent_what_it_never_sent(a_play):
    made, receipts = a_play

    def broken(draw, work):
        wrong = judged(made, made, [one for one in receipts if one.key != receipts[0].key], Harm())
        return Outcome("broken dispatcher", 1, 1 if wrong.none else 0, len(wrong.lost), len(wrong.doubled))

    [(_, outcome)] = faults.measured([Trial("broken", broken)], 1)
    assert not outcome.good
    assert faults.row(outcome).split()[-5:-1] == ["1", "0", "1", "0"]


SENT = {"deliveries": {"d-1": ("al-1", "inc-1", "new", "fire", "lead", "duty", "mail", 0, "sent")}}


def test_a_message_that_comes_twice_is_doubled_unless_its_sender_was_killed_in_between():
    twice = [Receipt("d-1", "mail", 1.0), Receipt("d-1", "mail", 3.0)]
    assert received(SENT, twice, [2.0]).none
    assert received(SENT, twice, [0.5]).none, "noted a little after it was killed"
    assert received(SENT, twice, [-0.5, 4.0]).doubled == ("message d-1",)


def test_a_message_that_nobody_decided_on_is_doubled():
    taken = [Receipt("d-1", "mail", 1.0), Receipt("d-2", "mail", 1.0)]
    assert received(SENT, taken, []).doubled == ("message d-2",)
