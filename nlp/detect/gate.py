"""The corroboration gate: how many independent voices make an incident of a cluster."""

from __future__ import annotations

from config.bundle import Gate
from nlp.detect.cluster import Cluster
from nlp.detect.member import Member

VAGUE = 2
SLOW = 6
SLOWLY = 2


def opens(cluster: Cluster, newest: Member, gate: Gate) -> tuple[str, ...]:
    """The reasons why ``newest`` opens an incident, empty while it does not.

    A trusted account opens alone. Others must be ``gate.min_voices`` within ``gate.window_minutes`` of the newest
    post, or ``SLOWLY`` times as many within ``SLOW`` times as long; an uncertain voice counts half. Where posts name
    neither hazard nor place, ``VAGUE`` times as many are needed, and uncertain ones do not count.
    """
    if not newest.telling or newest.repost:
        return ()
    if newest.trusted:
        return ("trusted account",)
    vague = not cluster.hazard and not cluster.place_votes
    needed = gate.min_voices * (VAGUE if vague else 1)
    for minutes, voices in ((gate.window_minutes, needed), (SLOW * gate.window_minutes, SLOWLY * needed)):
        heard = cluster.voices_between(newest.at - 60 * minutes, newest.at + 60 * minutes)
        if sum(weight for weight in heard.values() if weight == 1 or not vague) >= voices:
            return (f"{len(heard)} independent voices within {minutes} minutes",)
    return ()


def kept_s(gate: Gate) -> float:
    """Seconds for which a post can help to open an incident."""
    return 60.0 * SLOW * gate.window_minutes
