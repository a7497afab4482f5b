"""The shipped drills are well formed, plainly exercises, and hold nothing that could be taken for the real thing."""

import json
import re
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import listeners

FOLDER = Path(listeners.__file__).parent / "standin"
STORIES = {"fire", "flood", "collapse", "smoke", "rumour", "denial", "threat", "thanks", "road", "ordinary", "official"}
PLANS = {"drill.jsonl": (600, 300, 45), "drill_en.jsonl": (110, 70, 15)}
LINK = re.compile(r"https?://|www\.|\b[\w-]+\.(?:com|net|org|fr|uk|info)\b", re.IGNORECASE)
DIGITS = re.compile(r"(?:\+|\b)\d(?:[ .\-]?\d){7,}")

Drill = tuple[str, list[dict[str, Any]]]


@pytest.fixture(params=list(PLANS))
def drill(request: pytest.FixtureRequest) -> Drill:
    lines = (FOLDER / request.param).read_text(encoding="utf-8").splitlines()
    return request.param, [json.loads(line) for line in lines]


def own_words(posts: list[dict[str, Any]]) -> list[frozenset[str]]:
    """The words of each post that is not a labelled repost or copy."""
    written = [post["text"] for post in posts if "retweet_of" not in post and "copy_of" not in post]
    return [frozenset(re.findall(r"\w+", text.lower())) for text in written]


def test_a_drill_has_the_posts_and_the_authors_it_announces(drill: Drill) -> None:
    name, posts = drill
    least_posts, least_authors, _ = PLANS[name]
    assert len(posts) >= least_posts
    assert len({post["author"] for post in posts}) >= least_authors


def test_every_post_says_exercise_and_carries_a_known_truth_label(drill: Drill) -> None:
    assert {post["status"] for post in drill[1]} == {"Exercise"}
    assert {post["story"] for post in drill[1]} <= STORIES


def test_posts_follow_each_other_and_fill_the_announced_minutes(drill: Drill) -> None:
    name, posts = drill
    minutes = PLANS[name][2]
    times = [post["at"] for post in posts]
    assert all(before < after for before, after in pairwise(times))
    assert {int(at // 60) for at in times} == set(range(minutes))


def test_created_at_agrees_with_the_seconds_from_the_start(drill: Drill) -> None:
    posts = drill[1]
    start = datetime.fromisoformat(posts[0]["created_at"]) - timedelta(seconds=int(posts[0]["at"]))
    assert start.utcoffset() == timedelta(0)
    for post in posts:
        assert datetime.fromisoformat(post["created_at"]) == start + timedelta(seconds=int(post["at"]))


def test_ids_are_unique_and_reposts_replies_and_copies_point_to_earlier_posts(drill: Drill) -> None:
    earlier: set[str] = set()
    for post in drill[1]:
        assert post["id"] not in earlier
        assert {post[key] for key in ("retweet_of", "reply_to", "copy_of") if key in post} <= earlier
        earlier.add(post["id"])


def test_a_repost_carries_the_words_of_what_it_reposts(drill: Drill) -> None:
    texts = {post["id"]: post["text"] for post in drill[1]}
    reposts = [post for post in drill[1] if "retweet_of" in post]
    assert reposts
    assert all(post["text"].endswith(texts[post["retweet_of"]]) for post in reposts)


def test_beyond_labelled_copies_the_posts_are_written_one_by_one(drill: Drill) -> None:
    words = own_words(drill[1])
    near = sum(
        any(len(mine & other) > 0.7 * len(mine | other) for other in words[:index]) for index, mine in enumerate(words)
    )
    assert near < 0.04 * len(words)


def test_posts_link_nowhere_but_to_example_org(drill: Drill) -> None:
    links = [found for post in drill[1] for found in LINK.findall(post["text"])]
    assert set(links) <= {"example.org"}


def test_posts_hold_nothing_like_a_telephone_number(drill: Drill) -> None:
    assert [post["text"] for post in drill[1] if DIGITS.search(post["text"])] == []


def test_what_an_institution_publishes_begins_with_the_word_exercise(drill: Drill) -> None:
    institutions = [post for post in drill[1] if post["author"].endswith("_exo") and "retweet_of" not in post]
    assert institutions
    assert all(post["text"].startswith(("EXERCICE", "EXERCISE")) for post in institutions)


def test_eight_people_name_cholet_within_ninety_seconds_of_the_first_eyewitness() -> None:
    posts = [json.loads(line) for line in (FOLDER / "drill.jsonl").read_text(encoding="utf-8").splitlines()]
    first = next(post["at"] for post in posts if post["story"] == "fire")
    early = [post for post in posts if first <= post["at"] <= first + 90 and post["story"] in {"fire", "smoke"}]
    assert len({post["author"] for post in early if "cholet" in post["text"].lower()}) >= 8
