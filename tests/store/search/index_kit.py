"""Brings the posts of a database into Elasticsearch as the feeder does, change by change."""

from dataclasses import replace

from store import changes, times
from store.database import Database
from store.index.cluster import Cluster, connect
from store.index.families import POSTS, PUBLIC_ORDER, STAGE
from store.index.feed import Feeder
from store.index.lag import lag

FAMILIES = (POSTS, PUBLIC_ORDER)
AT_ONCE = 200


def follow(db: Database, cluster: Cluster) -> None:
    """Feed every change that there is, from the first on, in small steps; then it can be searched."""
    with db.write() as conn:
        if changes.reached(conn, STAGE) is None:
            changes.set_cursor(conn, STAGE, 0)
    patient = replace(cluster, timeout_s=60.0)
    feeder = Feeder(db, patient, times.now, wait=lambda _: None, families=FAMILIES, at_once=AT_ONCE)
    while feeder.step():
        pass
    feeder.close()
    with db.read() as conn:
        stands = lag(conn)
    assert (stands.changes, stands.away, stands.building, stands.aside) == (0, None, (), 0)
    with connect(patient) as client:
        client.indices.refresh(index=f"{cluster.prefix}-*")
