from __future__ import annotations

from alerts.entries import KINDS
from desk.web.words import strings


def test_every_kind_of_ledger_line_about_alerts_has_words_on_the_page():
    assert {f"ledger.{kind}" for kind in KINDS} <= set(strings())
