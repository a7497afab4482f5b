"""Incidents that detection has let go of, when a source takes back a post that told of one."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from sqlalchemy import Connection

from config.bundle import Gate
from nlp.detect.case import evident
from nlp.detect.cluster import Cluster
from nlp.detect.member import member
from store import annotations as understood
from store import incidents, posts
from store.records import Incident, Withdrawal

MOST = 10_000


def corrected(conn: Connection, withdrawn: Iterable[Withdrawal], gate: Gate, tags: Collection[str]) -> list[Incident]:
    """The incidents of ``withdrawn`` without those posts: counts, evidence and words. What was decided stays.

    Voices are counted anew from the posts that are still here; where some were erased by age, they can only be bounded:
    no more voices than posts.
    """
    lost: dict[str, set[str]] = {}
    for one in withdrawn:
        if one.incident_id:
            lost.setdefault(one.incident_id, set()).add(one.post_id)
    found = (_without(conn, incident, ids, gate, tags) for incident, ids in lost.items())
    return [incident for incident in found if incident]


def _without(conn: Connection, id: str, ids: set[str], gate: Gate, tags: Collection[str]) -> Incident | None:
    told = incidents.get(conn, id)
    if told is None:
        return None
    linked = incidents.posts_of(conn, id, MOST, newest_first=False)
    there, read = posts.get(conn, linked), understood.get(conn, linked)
    cluster = Cluster(id, told.status)
    for post in sorted(there.values(), key=lambda post: (post.received_at, post.id)):
        if post.id in read:
            cluster.add(member(post, read[post.id], gate, tags))
    still = max(0, told.posts - len(ids - there.keys()))
    voices = len(cluster.voices) if len(cluster.members) == still else min(told.voices, still)
    fresh = evident(told, cluster, None)
    return replace(
        fresh,
        posts=still,
        voices=voices,
        authors_known=min(told.authors_known, voices),
        evidence=tuple(post for post in told.evidence if post in there) or fresh.evidence,
    )
