"""The router over the shipped example bundle, from a table of questions."""

from pathlib import Path

import pytest
import yaml

from alerts import line
from alerts.router import decide
from alerts.rules.case import History
from config.settings import ROOT
from config.world import World

CASES = yaml.safe_load(Path(__file__).with_name("routing_cases.yaml").read_text(encoding="utf-8"))["cases"]


@pytest.fixture(scope="module")
def example():
    return World.load(ROOT / "config" / "default")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_the_router_answers(case, example):
    alerts, deliveries = [], []
    for one in (*case.get("before", []), case["line"]):
        event = line.event(one)
        alert, new, routing = decide(event, example, event.at, History.of(alerts, deliveries))
        alerts.append(alert)
        deliveries += new
    assert alert.lead == case["lead"]
    assert [one.contact for one in routing.recipients] == case["told"]
    assert alert.paged == bool(case["told"])
    for contact, piece in case.get("why", {}).items():
        assert [piece in one.reason for one in routing.recipients if one.contact == contact] == [True]
    for contact, piece in case.get("held", {}).items():
        assert any(piece in one.reason for one in routing.rejected if one.contact == contact)
