"""Brings the posts of a database into Elasticsearch, change by change."""

from store import changes
from store.database import Database
from store.index import bulk, setup
from store.index.cluster import Cluster, connect
from store.index.documents import affected, documents
from store.index.families import POSTS, PUBLIC_ORDER, Family
from store.index.generations import Generation

FAMILIES = (POSTS, PUBLIC_ORDER)
AT_ONCE = 200


def follow(db: Database, cluster: Cluster, after: int = 0) -> int:
    """Read the change log from ``after`` on in small steps, and bring what changed; gives where it ended."""
    client = connect(cluster)
    setup.install(client, cluster)
    while True:
        with db.read() as conn:
            some = changes.after(conn, after, {table for one in FAMILIES for table in one.tables}, AT_ONCE)
            version = changes.latest(conn)
            wanted = {one: affected(conn, one, some) for one in FAMILIES}
            found = {one: documents(conn, one, ids) for one, ids in wanted.items()}
        if not some:
            break
        after = some[-1].seq
        for one, ids in wanted.items():
            bring(client, cluster, one, ids, found[one], version)
    client.indices.refresh(index=f"{cluster.prefix}-*")
    client.close()
    return after


def bring(client, cluster: Cluster, family: Family, ids, found, version: int) -> None:
    """Put the documents that there are, delete the others wherever they may lie."""
    generation = Generation(family.version)
    at = {id: setup.index_of(cluster, family, one.at, generation) for id, one in found.items()}
    setup.ensure(client, cluster, family, generation, {family.period_of(one.at) for one in found.values()})
    actions = [bulk.Action(at[id], id, version, one.body) for id, one in found.items()]
    gone = [id for id in ids if id not in found]
    for index in setup.existing(client, cluster, family) if gone else ():
        actions += [bulk.Action(index, id, version, None) for id in gone]
    sent = bulk.send(client, actions)
    assert not sent.refused, sent.refused
