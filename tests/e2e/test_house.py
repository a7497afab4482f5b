import json
import re
import urllib.parse
import urllib.request
from email import message_from_bytes, policy

import pytest


def link_in(mail):
    body = message_from_bytes(mail.read_bytes(), policy=policy.default).get_body(("plain",)).get_content()
    return re.search(r"http://127\.0\.0\.1:\d+/\S+", body).group()


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["--airflow"], ["--no-airflow"]], ids=["airflow", "watch"])
def test_from_the_wire_format_of_x_to_an_acknowledged_alert(start_house, arguments):
    house = start_house(*arguments)
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
