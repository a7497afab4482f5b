from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from desk.web.words import Lang, Words, strings

NOW = datetime(2027, 2, 11, 2, 12, 40, tzinfo=UTC)
WEB = Path(__file__).parents[2] / "desk" / "web"


def words(lang: str = "fr") -> Words:
    return Words(lang, ZoneInfo("Europe/Paris"), NOW)


@pytest.mark.parametrize("key", sorted(strings()))
def test_every_text_is_there_in_both_languages_with_the_same_holes(key: str):
    texts = strings()[key]
    assert sorted(texts) == sorted(get_args(Lang))
    assert all(text.strip() for text in texts.values())
    assert set(re.findall(r"{\w+}", texts["fr"])) == set(re.findall(r"{\w+}", texts["en"]))


def used() -> set[str]:
    sources = [*(WEB / "templates").glob("*.html"), *WEB.glob("*.py")]
    calls = "\n".join(source.read_text(encoding="utf-8") for source in sources)
    said = set(re.findall(r"say\(\s*['\"]([\w.]+)['\"][,)]", calls))
    counted = re.findall(r"count\(\s*['\"]([\w.]+)['\"],", calls)
    return said | {f"{key}.{form}" for key in counted for form in ("one", "many")}


def test_every_text_that_the_page_asks_for_is_there():
    assert len(used()) > 60
    assert used() - set(strings()) == set()


def test_times_are_local():
    assert words().clock(NOW) == "03:12"


def test_a_time_of_another_day_names_the_day():
    assert words().clock(NOW - timedelta(days=1)) == "10 févr. 03:12"


def test_a_time_of_another_year_names_the_year():
    assert words("en").clock(NOW - timedelta(days=365)) == "11 Feb 2026 03:12"


LENGTHS = {12: "12 s", 240: "4 min", 7500: "2 h 05", 3 * 86400: "3 j", -5: "0 s"}


@pytest.mark.parametrize("seconds", LENGTHS)
def test_lengths_of_time_are_said_in_two_figures_at_most(seconds: int):
    assert words().span(timedelta(seconds=seconds)) == LENGTHS[seconds]


def test_french_groups_thousands_with_a_thin_space_and_decimals_with_a_comma():
    assert (words().number(4210), words().number(1.25)) == ("4\u202f210", "1,2")


def test_none_is_singular_in_french_and_plural_in_english():
    assert (words("fr").count("posts", 0), words("en").count("posts", 0)) == ("0 post", "0 posts")
