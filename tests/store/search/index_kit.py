"""Brings the posts of a database into Elasticsearch, change by change."""

from store import changes
from store.database import Database
from store.index.cluster import Cluster, connect
from store.index.families import POSTS, PUBLIC_ORDER
from store.index.feed import STAGE, Feeder
from store.times import now

AT_ONCE = 200


def follow(db: Database, cluster: Cluster) -> None:
    """Feed every change that the posts went through, in small steps, until the index has them all."""
    with db.write() as conn:
        changes.set_cursor(conn, STAGE, 0)
    feeder = Feeder(db, cluster, now, families=(POSTS, PUBLIC_ORDER), at_once=AT_ONCE)
    while feeder.step():
        pass
    feeder.close()
    with connect(cluster) as client:
        client.indices.refresh(index=f"{cluster.prefix}-*")
