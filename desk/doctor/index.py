"""The search index: does its cluster answer, is it fed, and how far is it behind."""

from __future__ import annotations

from collections.abc import Iterator

from desk.doctor.finding import Finding, Level, Patient
from store import leases
from store.index.cluster import connect
from store.index.families import STAGE as INDEX
from store.index.lag import Lag, lag

TIMEOUT_S = 5.0
LATE_S = 60.0


def cluster(patient: Patient) -> Iterator[Finding]:
    """Its version and health, whether it has Vigie's templates."""
    where = patient.settings.cluster
    if where is None:
        yield Finding("elasticsearch", "ok", "none is set: the embedded search is all there is")
        return
    from store.index.reasons import FAULTS, reason
    from store.index.sight import sight

    hosts = ", ".join(where.hosts)
    with connect(where, timeout_s=TIMEOUT_S) as client:
        try:
            seen = sight(client, where)
        except FAULTS as error:
            do = "put it right: searches go on in the database, no alert waits for it, and nothing is lost"
            yield Finding("elasticsearch", "warn", f"{hosts}: {reason(error)}", do)
            return
    said = f"{', '.join(seen.versions)} at {hosts}: {seen.nodes} nodes, {seen.health}"
    if seen.health == "red":
        yield Finding("elasticsearch", "warn", said, "some of its shards are on no node: bring the nodes back")
    elif seen.templates:
        lacking = f"{said}; templates lack or are of another Vigie: {', '.join(seen.templates)}"
        yield Finding("elasticsearch", "warn", lacking, "start `vigie run` or `vigie watch`: it puts them in place")
    else:
        yield Finding("elasticsearch", "ok", f"{said}; its templates are in place")


def index(patient: Patient) -> Iterator[Finding]:
    """Who feeds the index, how far it is behind, what it did not take."""
    if patient.db is None or patient.settings.cluster is None:
        return
    with patient.db.read() as conn:
        found, lease = lag(conn), leases.holder(conn, INDEX)
    held = lease is not None and leases.alive(lease, patient.now)
    said = f"{found.changes:,} changes behind, {found.seconds(patient.now):.0f} s; {found.aside:,} documents set aside"
    level, why, do = _judged(found, held, found.seconds(patient.now))
    yield Finding("index", level, f"{why}; {said}" if why else f"fed; {said}", do)


def _judged(found: Lag, held: bool, seconds: float) -> tuple[Level, str, str]:
    """How grave it is (an index never fails Vigie), what, and what to do."""
    if not held:
        return "warn", "nobody feeds it", "start it: `vigie run` or `vigie watch`"
    if found.away:
        return "warn", f"the cluster takes nothing: {found.away.reason}", "nothing is lost: it is fed once it is back"
    if found.building:
        names = ", ".join(f"{one.family} ({one.done:,} of {one.total:,})" for one in found.building)
        return "warn", f"being rebuilt: {names}", "wait: what was there is found meanwhile; see `vigie index status`"
    if seconds > LATE_S:
        return "warn", "it is late", "look at the load of the cluster and of this machine"
    return "ok", "", ""
