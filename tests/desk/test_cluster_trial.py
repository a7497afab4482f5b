"""A trial of the cluster: what is lost there is built anew while somebody writes, and nothing is lost or doubled."""

from functools import partial
from random import Random

from desk.trials.cluster import FAULTS, Fault, index_lost, on
from desk.trials.registry import trials


def test_indices_that_are_deleted_under_the_feeder_come_back_while_posts_come_in(tmp_path, cluster):
    fault = Fault("lost", "indices deleted", partial(index_lost, which=["*"]))
    outcome = on(cluster, [], fault, Random(7), tmp_path, every_s=1.0)
    assert (outcome.tried, outcome.survived, outcome.lost, outcome.doubled) == (1, 1, 0, 0), outcome.said
    assert outcome.longest_recovery_s > 0
    assert "posts (lost)" in outcome.said


def test_every_fault_of_the_cluster_is_a_trial_and_none_of_a_quick_look():
    names = {trial.name: trial.slow for trial in trials(5) if trial.name.startswith("cluster-")}
    assert names == {fault.name: True for fault in FAULTS}
