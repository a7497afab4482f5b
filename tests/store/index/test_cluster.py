from store.index.cluster import connect


def test_the_node_answers(cluster):
    with connect(cluster) as client:
        assert client.cluster.health()["status"] in ("green", "yellow")
