import json
import re
import urllib.parse
import urllib.request
from email import message_from_bytes, policy

import pytest
from elasticsearch import Elasticsearch

from store.index.cluster import Cluster


def link_in(mail):
    body = message_from_bytes(mail.read_bytes(), policy=policy.default).get_body(("plain",)).get_content()
    return re.search(r"http://127\.0\.0\.1:\d+/\S+", body).group()


def acknowledged(cluster: Cluster) -> bool:
    """Whether the index tells of an incident that somebody took on."""
    with Elasticsearch(cluster.hosts[0]) as client:
        wanted = {"term": {"acknowledged": True}}
        found = client.search(index=f"{cluster.prefix}-incidents", query=wanted, ignore_unavailable=True)
    return found["hits"]["total"]["value"] > 0


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("arguments", [["--airflow"], ["--no-airflow"]], ids=["airflow", "watch"])
def test_from_the_wire_format_of_x_to_an_acknowledged_alert_in_the_index(start_house, arguments, cluster):
    index = {"VIGIE_ELASTICSEARCH": cluster.hosts[0], "VIGIE_ELASTICSEARCH_PREFIX": cluster.prefix}
    house = start_house(*arguments, **index)
    desk = f"http://127.0.0.1:{house.ports['DESK']}/"
    house.eventually(lambda: house.answers(desk), 60, "the desk")

    mail = house.eventually(lambda: house.received(".eml"), 180, "a mail")[0]
    webhook = house.eventually(lambda: house.received(".json"), 30, "a webhook")[0]
    assert "EXERCI" in message_from_bytes(mail.read_bytes(), policy=policy.default)["subject"]
    assert json.loads(webhook.read_bytes())["status"] == "Exercise"

    link = link_in(mail)
    assert house.answers(link)
    assert "acknowledged" not in {entry["kind"] for entry in house.json("ledger")}, "looking does not acknowledge"
    with urllib.request.urlopen(link, data=urllib.parse.urlencode({"name": "Nadia"}).encode(), timeout=10) as answer:
        assert answer.status == 200

    kinds = {entry["kind"] for entry in house.json("ledger")}
    assert {"routed", "delivery.sent", "acknowledged"} <= kinds
    assert house.json("ledger", "verify")["intact"]
    assert "Cholet" in house.answers(desk)
    house.eventually(lambda: acknowledged(cluster), 30, "the acknowledgement in the index")
