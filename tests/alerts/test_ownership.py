"""The order of the ownership rules, one tie after the other."""

from dataclasses import replace

import pytest
from alerts_kit import incident, world

from alerts.rules.ownership import owner
from config.bundle import OwnershipRule
from store.records import Place


def rule(id, topics=("fire",), areas=("county",), lead="rescue", **more):
    return OwnershipRule(id=id, topics=topics, areas=areas, lead=lead, **more)


def chosen(*rules, **more):
    there = world()
    there = replace(there, bundle=there.bundle.model_copy(update={"ownership": rules}))
    return owner(incident(**({"hazard": "fire"} | more)), there)


@pytest.mark.parametrize(
    ("loser", "winner"),
    [
        (rule("star", topics=("*",), areas=("cholet",)), rule("named", areas=("*",))),
        (rule("large"), rule("small", areas=("cholet",))),
        (rule("anywhere", areas=("*",)), rule("somewhere")),
        (rule("any-severity"), rule("severe-only", min_severity="Severe")),
    ],
    ids=["named before star", "small before large", "area before star", "higher severity before lower"],
)
def test_the_more_specific_rule_wins_wherever_it_stands(loser, winner):
    assert chosen(loser, winner).rules == (winner.id,)
    assert chosen(winner, loser).rules == (winner.id,)


def test_between_equals_the_first_written_wins():
    assert chosen(rule("one"), rule("two")).rules == ("one",)


def test_a_rule_for_graver_incidents_leaves_milder_ones_alone():
    found = chosen(rule("severe-only", min_severity="Severe"), severity="Moderate")
    assert found.lead == "prefecture"
    assert found.reason == (
        "default lead: no rule owns fire, emerging_incident at severity Moderate in cholet, county",
    )


def test_nobody_supports_what_they_lead():
    found = chosen(
        rule("a", support=("police", "rescue")), rule("b", topics=("rumour",), lead="rescue"), tags=("rumour",)
    )
    assert (found.lead, found.support) == ("rescue", ("police",))


def test_a_code_places_an_incident_that_has_no_position():
    place = Place("Cholet", insee="49099", confidence=0.9)
    assert chosen(rule("small", areas=("cholet",)), place=place).rules == ("small",)


def test_a_position_places_an_incident_that_has_no_code():
    place = Place("47.06, -0.88", 47.06, -0.88, confidence=0.9)
    assert chosen(rule("small", areas=("cholet",)), place=place).rules == ("small",)


def test_a_name_alone_places_nothing():
    found = chosen(rule("any", areas=("*",)), place=Place("le rond-point", confidence=0.9))
    assert found.reason == ("default lead: place outside the areas: le rond-point",)
