from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.bundle import Bundle, Filter
from config.load import load
from config.policy import exemption, refuse

HERE = Path(__file__).parent
CASES = yaml.safe_load((HERE / "policy_cases.yaml").read_text(encoding="utf-8"))
ACCOUNT = 'accounts: [{platform: x, id: "1", handle: sdis_essai, name: Secours (essai)}]\n'
LEAVE = """
exemptions:
  - {filter: manif, author: Camille Martin, reason: risque de mouvement de foule, legal_basis: arrêté,
     until: 2027-03-01}
"""


@cache
def bundle(more: str = "") -> Bundle:
    return load({"a.yaml": (HERE / "good.yaml").read_text(encoding="utf-8"), "b.yaml": ACCOUNT + more})


def a_filter(case: Any) -> Filter:
    terms = {"keywords": case} if isinstance(case, list) else case
    return Filter.model_validate({"id": "essai", "purpose": "Un essai de la table des cas."} | terms)


@pytest.mark.parametrize("case", CASES["allowed"], ids=ascii)
def test_the_policy_gate_lets_pass(case: Any) -> None:
    assert refuse(a_filter(case), bundle()) == []


@pytest.mark.parametrize("case", CASES["refused"], ids=ascii)
def test_the_policy_gate_refuses(case: Any) -> None:
    assert refuse(a_filter(case), bundle())


def test_the_table_holds_forty_cases_of_each_kind_or_more() -> None:
    assert min(len(CASES["allowed"]), len(CASES["refused"])) >= 40


def test_an_exemption_holds_to_its_last_day_and_no_longer() -> None:
    declared = a_filter(["manifestation"]).model_copy(update={"id": "manif"})
    assert exemption(declared, bundle(LEAVE), date(2027, 3, 1))
    assert exemption(declared, bundle(LEAVE), date(2027, 3, 2)) is None


def test_the_reason_quotes_the_keyword_that_is_at_fault() -> None:
    (reason,) = refuse(a_filter(["incendie", "Jean Dupont"]), bundle())
    assert '"Jean Dupont"' in reason
