"""The corroboration gate: how many independent voices make an incident of a cluster."""

from __future__ import annotations

from config.bundle import Gate
from nlp.detect.cluster import Cluster
from nlp.detect.member import Member

VAGUE = 2


def opens(cluster: Cluster, newest: Member, gate: Gate) -> tuple[str, ...]:
    """The reasons why ``newest`` opens an incident, empty while it does not.

    A trusted account opens alone. Others must be ``gate.min_voices`` within ``gate.window_minutes`` of the newest
    post; twice as many where the posts name neither a hazard nor a place.
    """
    if not newest.telling or newest.repost:
        return ()
    if newest.trusted:
        return ("trusted account",)
    window = 60.0 * gate.window_minutes
    voices = len(cluster.voices_between(newest.at - window, newest.at + window))
    needed = gate.min_voices * (1 if cluster.hazard or cluster.place_votes else VAGUE)
    if voices < needed:
        return ()
    return (f"{voices} independent voices within {gate.window_minutes} minutes",)
