"""What docs/alerts.md says is what happens."""

import re

from alerts_kit import KEY, NIGHT, event, invented_posts, world

from alerts.channels import senders, webhook
from alerts.entries import KINDS
from alerts.messages.message import Facts, write
from alerts.router import STEPS, decide
from alerts.rules.case import History
from config.settings import ROOT

TEXT = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")


def block(language):
    return re.search(rf"```{language}\n(.*?)```", TEXT, re.S)[1]


def test_every_step_has_its_line_in_its_order():
    assert re.findall(r"^\| `(\w+)` \| (?=\w)", TEXT, re.M)[: len(STEPS)] == [step.__name__ for step in STEPS]


def test_every_kind_of_the_ledger_and_every_channel_has_its_line():
    for name in (*KINDS, *senders()):
        assert f"| `{name}` |" in TEXT


def test_every_setting_that_a_channel_reads_is_told():
    for kind in senders():
        source = (ROOT / "alerts" / "channels" / f"{kind}.py").read_text(encoding="utf-8")
        for name in re.findall(r"(?:settings|secrets)(?:\.get\(|\[)\"(\w+)\"", source):
            assert f"`{name}`" in TEXT


def test_the_example_message_is_the_one_that_is_sent():
    alert, deliveries, _ = decide(event(), world(), NIGHT, History())
    later = NIGHT.replace(minute=13)
    told = ("rescue", "prefecture", "police")
    one = write(Facts(alert, deliveries[0], told, tuple(invented_posts()), world(), later), "x", KEY)
    example = block("text").strip().removesuffix("…")
    assert one.text.startswith(example)


def test_the_receivers_code_accepts_what_is_sent_and_nothing_else():
    names = {}
    exec(block("python"), names)
    headers = webhook.signature("shared", 1772417520, b"{}")
    assert names["genuine"]("shared", headers, b"{}")
    assert not names["genuine"]("shared", headers, b"{ }")
    assert not names["genuine"]("other", headers, b"{}")
    assert not names["genuine"]("shared", headers | {"Vigie-Timestamp": "1772417521"}, b"{}")
