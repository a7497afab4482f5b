"""Labels that contradict each other, and posts that are not what they should be to each other, are faults."""

import pytest
from written_kit import corpus, crisis, ordinary, told

from nlp.training.written import rules


def faults(read):
    return told(fault for rule in rules.RULES for fault in rule(read))


def test_a_pair_that_keeps_every_rule_has_no_fault(tmp_path):
    assert faults(corpus(tmp_path, crisis(), ordinary())) == []


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"when": "past", "tags": None}, "when"),
        ({"when": "hypothetical", "tags": None}, "when"),
        ({"when": None, "tags": None}, "when"),
        ({"relevance": None, "tags": None, "urgency": 0.75}, "urgency"),
        ({"moment": "anniversary"}, "moment"),
        ({"tags": ["rumour"], "stance": "asks"}, "tags"),
        ({"tags": ["rumour"], "stance": "denies"}, "tags"),
        ({"tags": None, "refuted": True}, "stance"),
        ({"voice": "denial", "tags": None}, "voice"),
        ({"voice": "doubt", "tags": None}, "voice"),
        ({"voice": "rumour"}, "voice"),
        ({"voice": "ordinary"}, "voice"),
        ({"register": "british"}, "register"),
    ],
)
def test_labels_of_a_crisis_post_agree(tmp_path, changed, key):
    read = corpus(tmp_path, crisis(**changed), ordinary(**{k: v for k, v in changed.items() if k == "register"}))
    assert read.posts[0].id == "r01-a-fr-0001"
    assert key in faults(read)


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"relevance": 1}, "relevance"),
        ({"hazard": "fire"}, "hazard"),
        ({"urgency": 0.25}, "urgency"),
        ({"need": "caution_and_advice"}, "need"),
        ({"tags": ["emerging_incident"]}, "tags"),
        ({"when": "now"}, "when"),
        ({"voice": "commenter"}, "voice"),
    ],
)
def test_a_post_about_no_harm_says_nothing_of_harm(tmp_path, changed, key):
    assert key in faults(corpus(tmp_path, crisis(), ordinary(**changed)))


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"id": "r01-a-fr-0009"}, "neighbour"),
        ({"neighbour": "r01-a-fr-0009"}, "neighbour"),
        ({"register": "sms"}, "register"),
        ({"text": crisis()["text"]}, "text"),
    ],
)
def test_neighbours_name_each_other_and_share_their_style(tmp_path, changed, key):
    assert key in faults(corpus(tmp_path, crisis(), ordinary(**changed)))


def test_two_of_a_pair_differ_in_meaning(tmp_path):
    twin = crisis(id="r01-a-fr-0002", neighbour="r01-a-fr-0001", text="ça flambe aussi derrière le garage")
    assert faults(corpus(tmp_path, crisis(), twin)) == ["neighbour"]


def test_a_rumour_beside_its_denial_is_a_pair(tmp_path):
    rumour = crisis(voice="rumour", tags=["rumour"], source="other")
    denial = crisis(
        id="r01-a-fr-0002", neighbour="r01-a-fr-0001", text="non, la mairie dément", voice="denial", tags=None,
        source="other", stance="denies", refuted=True,
    )  # fmt: skip
    assert faults(corpus(tmp_path, rumour, denial)) == []


def test_memories_are_at_most_one_ordinary_neighbour_in_five(tmp_path):
    memory = ordinary(about=1, hazard="fire", need="other_relevant_information", source="other", when="past")
    assert faults(corpus(tmp_path, crisis(), memory)) == ["neighbour"]


def test_a_post_of_a_story_says_when_and_by_whom(tmp_path):
    alone = crisis(neighbour=None, story="s1", author="a1")
    assert faults(corpus(tmp_path, alone)) == ["minute"]
