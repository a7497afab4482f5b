"""Filters in the words of X, judged by the stand-in's own reading of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import tweepy

from config.settings import ROOT
from config.world import World
from listeners import x_queries, x_rules, x_wire
from listeners.standin import playback
from listeners.standin.query import parse
from listeners.standin.server import Options, StandIn
from listeners.standin.tweet import Tweet, User
from listeners.x_text import spellings
from store.records import Geo

HEAD = """
name: {fr: a, en: b}
default_lead: p
agencies: [{id: p, name: {fr: a, en: b}, kind: prefecture}]
areas:
  - {id: anjou, name: {fr: Anjou, en: Anjou}, departements: ["49"]}
  - {id: near, name: {fr: Près, en: Near}, circle: {lat: 47.06, lon: -0.88, radius_km: 12}}
  - {id: wide, name: {fr: Large, en: Wide}, circle: {lat: 47.6, lon: -0.2, radius_km: 100}}
  - {id: ouest, name: {fr: Ouest, en: West}, departements: ["49", "44", "85", "53", "72", "35", "56", "22", "29"]}
  - {id: all, name: {fr: Tout, en: All}, world: true}
filters:
  - id: one
    purpose: Try what a filter becomes at X
"""


def world(declared: str) -> World:
    return World.from_files("v", {"bundle.yaml": HEAD + "".join(f"    {line}\n" for line in declared.split("\n"))})


def rules(declared: str, **more: Any) -> list[str]:
    return list(x_rules.compiled(world(declared), **more).values.values())


@pytest.mark.parametrize(
    ("declared", "rule"),
    [
        ("keywords: [feu]", "feu -is:retweet"),
        ("keywords: [feu, flamme]", "(feu OR flamme) -is:retweet"),
        ("keywords: [fumée]", "(fumée OR fumee) -is:retweet"),
        ("keywords: [évacué]", "(évacué OR evacué OR evacue) -is:retweet"),
        ("keywords: [fuite de gaz]", '"fuite de gaz" -is:retweet'),
        ("keywords: [l’eau]", '"l\'eau" -is:retweet'),
        ("keywords: [or, AND]", '("or" OR "AND") -is:retweet'),
        ("keywords: ['#feu', feu]", "(#feu OR feu) -is:retweet"),
        ("keywords: [feu]\nwith: [usine, école]", "feu (usine OR école OR ecole) -is:retweet"),
        ("keywords: [feu]\nwithout: [feu vert, forêt]", 'feu -is:retweet -"feu vert" -forêt -foret'),
        ("keywords: [feu]\nlanguages: [fr]", "feu (lang:fr OR lang:und) -is:retweet"),
        ("keywords: [feu]\nareas: [near]\nwhere: tagged", "feu point_radius:[-0.8800 47.0600 12km] -is:retweet"),
        ("keywords: [feu]\nareas: [all]", "feu -is:retweet"),
        ("keywords: [feu]\nareas: [anjou]\nwhere: anywhere", "feu -is:retweet"),
        ("keywords: [feu]\nareas: [ouest]\nwhere: tagged", "feu place_country:FR -is:retweet"),
        ("keywords: [feu]\nstream: false", None),
    ],
)
def test_a_filter_becomes_this_rule(declared: str, rule: str | None) -> None:
    assert rules(declared) == ([rule] if rule else [])


def test_search_needs_one_spelling_and_may_be_left_out() -> None:
    queries, faults = x_queries.compiled(world("keywords: [fumée, feu]"))
    assert [query.text for query in queries] == ["(fumée OR feu)"]
    assert faults == ()
    assert x_queries.compiled(world("keywords: [fumée]\nsearch: false")) == ((), ())


def test_named_places_come_largest_first() -> None:
    rule = rules("keywords: [feu]\nareas: [near]\nwhere: named")[0]
    assert rule.startswith("feu (Près OR pres OR Near OR Cholet OR ")
    assert "point_radius" not in rule


def test_boxes_cover_a_departement_within_the_limits_of_x() -> None:
    found = rules("keywords: [feu]\nareas: [anjou]\nwhere: tagged")
    terms = [parse(rule) for rule in found]
    for lat, lon in ((47.47, -0.55), (47.06, -0.88), (47.26, -0.08), (47.69, -0.86), (47.56, 0.1)):
        post = Tweet("1", "au feu", datetime(2031, 5, 4, tzinfo=UTC), User("1", "a", "a"), point=(lat, lon))
        assert any(term.matches(post, accents=True) for term in terms), (lat, lon)


@pytest.mark.parametrize("longest", [1024, 512, 200])
def test_every_rule_is_short_enough_and_all_terms_meet_each_other(longest: int) -> None:
    keywords = [f"mot{number}" for number in range(90)]
    with_ = [f"autre{number}" for number in range(40)]
    found = rules(f"keywords: {keywords}\nwith: {with_}", longest=longest)
    assert max(map(len, found)) <= longest
    terms = [parse(rule) for rule in found]
    for text in ("mot0 autre39", "mot89 autre0", "mot44 autre17"):
        post = Tweet("1", text, datetime(2031, 5, 4, tzinfo=UTC), User("1", "a", "a"))
        assert sum(term.matches(post, accents=True) for term in terms) == 1


def test_exclusions_that_would_fill_a_rule_are_left_to_the_local_matcher() -> None:
    found = rules(f"keywords: [feu]\nwithout: {[f'autre{number}' for number in range(200)]}")
    assert len(found) == 1
    assert len(found[0]) <= 1024


def test_a_term_that_no_rule_can_hold_is_named_and_the_rest_goes_on() -> None:
    made = x_rules.compiled(world(f"keywords: [{'a' * 1100}]\n".rstrip()))
    assert made.values == {}
    assert "filter one" in made.faults[0]


def test_too_many_rules_say_which_filters_cost_most() -> None:
    keywords = [f"mot{number}" for number in range(400)]
    with pytest.raises(x_rules.TooManyRules, match=r"need \d+ rules and X allows 3: most go to one \(\d+\)"):
        x_rules.compiled(world(f"keywords: {keywords}"), at_most=3)


def test_fewer_places_are_named_before_rules_are_too_many() -> None:
    declared = "keywords: [feu]\nareas: [ouest]\nwhere: named"
    assert len(rules(declared, at_most=2)) <= 2 < len(rules(declared))


def test_tags_are_opaque_and_lead_back_to_the_filters() -> None:
    made = x_rules.compiled(world("keywords: [feu]"))
    (tag,) = made.values
    assert len(tag) == 16
    assert made.filters[tag] == ("one",)


def test_every_spelling_means_one_thing_in_both_cases() -> None:
    assert spellings("Évacuée", accents=True) == ["Évacuée", "evacuée", "evacuee"]
    assert spellings("Évacuée", accents=False) == ["Évacuée"]
    assert spellings('feu "nu"', accents=True) == ['"feu nu"']


def client(standin: StandIn) -> tweepy.StreamingClient:
    made = tweepy.StreamingClient("token", return_type=dict)
    x_wire.mount(made.session, x_wire.BaseUrl(standin.url))
    return made


def values(standin: StandIn) -> set[str]:
    return {rule["value"] for rule in standin.rules.listed()}


def test_only_differences_travel() -> None:
    first, second = (x_rules.compiled(world(f"keywords: [{word}]")) for word in ("feu", "crue"))
    with StandIn([], Options(port=0)) as standin:
        at_x = client(standin)
        assert x_rules.synchronise(at_x, first) == x_rules.Synced(1, 0, {})
        asked = standin.requests
        assert x_rules.synchronise(at_x, first) == x_rules.Synced(0, 0, {})
        assert standin.requests == asked + 1
        assert x_rules.synchronise(at_x, second) == x_rules.Synced(1, 1, {})
        assert values(standin) == {"crue -is:retweet"}


def test_a_rule_that_x_refuses_is_told_and_the_others_are_added() -> None:
    wanted = x_rules.RuleSet({"a": "feu", "b": "has:geo", "c": "crue"}, {})
    with StandIn([], Options(port=0)) as standin:
        done = x_rules.synchronise(client(standin), wanted)
        assert values(standin) == {"feu", "crue"}
    assert list(done.refused) == ["has:geo"]
    assert "stand-alone" in done.refused["has:geo"]


def test_the_limit_of_rules_is_kept_while_all_of_them_change() -> None:
    old = x_rules.RuleSet({str(number): f"ancien{number}" for number in range(3)}, {})
    new = x_rules.RuleSet({str(number): f"nouveau{number}" for number in range(3)}, {})
    with StandIn([], Options(port=0, rules=4)) as standin:
        x_rules.synchronise(client(standin), old, at_most=4)
        x_rules.synchronise(client(standin), new, at_most=4)
        assert values(standin) == set(new.values.values())


def test_the_shipped_bundle_hears_the_drill_at_x_nearly_as_well_as_at_home() -> None:
    shipped = World.load(ROOT / "config" / "default")
    made = x_rules.compiled(shipped)
    terms = [parse(value) for value in made.values.values()]
    drafts = playback.read(ROOT / "listeners" / "standin" / "drill.jsonl")
    played = playback.tweets(drafts, datetime(2031, 5, 4, tzinfo=UTC), 1)
    own = [post for post in played if post.retweet_of is None and not post.text.startswith("RT @")]
    wanted = [post for post in own if shipped.matcher.match(post.text, lang=post.lang, geo=_geo(post))]
    heard = [post for post in wanted if any(term.matches(post, accents=True) for term in terms)]
    assert len(wanted) > 150
    assert len(heard) / len(wanted) > 0.97
    assert max(map(len, made.values.values())) <= 1024


def _geo(post: Tweet) -> Geo | None:
    return Geo(*post.point) if post.point else None


def test_the_shipped_bundle_searches_within_the_limits() -> None:
    queries, faults = x_queries.compiled(World.load(Path(ROOT) / "config" / "default"))
    assert faults == ()
    assert 0 < len(queries) <= 150
    for query in queries:
        assert len(query.text) <= 512
        parse(query.text)


def test_the_institutions_of_the_drill_are_the_trusted_accounts_of_the_shipped_bundle() -> None:
    shipped = World.load(ROOT / "config" / "default")
    drafts = playback.read(ROOT / "listeners" / "standin" / "drill.jsonl")
    users = {post.user.username: post.user.id for post in playback.tweets(drafts, datetime(2031, 5, 4, tzinfo=UTC), 1)}
    accounts = {account.handle: account.id for account in shipped.bundle.accounts}
    assert accounts
    assert accounts.items() <= users.items()
