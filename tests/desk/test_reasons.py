"""Reasons of other rooms stand in French on the French page, and as they came on the English one."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from string import Formatter

import pytest
import yaml

from alerts import line
from alerts.router import route
from config.settings import ROOT
from config.world import World
from desk.web.reasons import FILE, in_french
from listeners.hand import NotUsable, entered

NOW = datetime(2027, 2, 11, 2, 12, 40, tzinfo=UTC)
KNOWN = yaml.safe_load(FILE.read_text(encoding="utf-8"))


def bare(_kind: str, code: str) -> str:
    return code


def holes(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("english", KNOWN)
def test_both_languages_have_the_same_holes(english: str) -> None:
    assert holes(english) == holes(KNOWN[english])


@pytest.mark.parametrize(
    "entry",
    [
        {"text": " "},
        {"text": "feu " * 10_000},
        {"text": "feu", "author": "x" * 300},
        {"text": "feu", "place": "Nullepartville"},
    ],
)
def test_why_a_report_is_refused_is_said_in_french(entry: dict[str, str]) -> None:
    with pytest.raises(NotUsable) as refused:
        entered(entry.pop("text"), now=NOW, **entry)
    assert in_french(str(refused.value), bare) != str(refused.value)


@pytest.mark.parametrize("place", ["Cholet", None])
def test_why_somebody_is_told_is_said_in_french(place: str | None) -> None:
    told = {
        "at": "2027-02-11T02:12:40Z", "event": "new", "alert": "a", "incident": "i", "status": "Exercise",
        "hazard": "industrial_fire", "severity": "Severe", "tags": [], "posts": 9, "voices": 9,
        "place": {"name": place, "insee": "49099", "lat": 47.06, "lon": -0.88, "level": "commune"} if place else None,
        "reason": ["5 independent voices within 30 minutes"],
    }  # fmt: skip
    event = line.event(told, None)
    said = (*route(event, World.load(ROOT / "config" / "default"), event.at).reason, *event.reason)
    assert said
    assert [one for one in said if in_french(one, bare) == one] == []
    assert place or "pilote par défaut : lieu inconnu" in [in_french(one, bare) for one in said]


def test_a_reason_that_nobody_translated_stays_as_it_is() -> None:
    assert in_french("the moon is full", bare) == "the moon is full"


def test_the_page_names_agencies_and_hazards_as_its_language_does(desk) -> None:
    incident = desk.incident()
    desk.alert(incident, reason=("rule r1: fire leads for industrial_fire in cholet", "severity Minor to Severe"))
    french, english = desk.text("/?lang=fr"), desk.text("/?lang=en")
    assert re.search(r"règle r1 : [^<]+ pilote pour [^<_]+ à cholet · gravité : de [^<]+ à", french)
    assert "rule r1: fire leads for industrial_fire in cholet" in english


def test_a_source_off_says_why_in_french(desk) -> None:
    desk.source(
        "x", state="off", reason="X rejected the credential (401): check X_BEARER_TOKEN, or the project it belongs to"
    )
    assert "X a refusé la clé d’accès (401) : vérifier X_BEARER_TOKEN" in desk.text()
