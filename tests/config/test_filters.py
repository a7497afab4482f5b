import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.load import load
from config.world import World
from store.records import Geo

HERE = Path(__file__).parent
CONFIG = HERE.parents[1] / "config"
BASE = (HERE / "good.yaml").read_text(encoding="utf-8")
ANGERS = Geo(47.474, -0.552)
PARIS = Geo(48.857, 2.352)


def world(**declared: Any) -> World:
    bundle = yaml.safe_load(BASE)
    bundle["filters"] = [{"id": "essai", "purpose": "Un essai du filtrage."} | declared]
    return World.from_files("0", {"a.yaml": yaml.safe_dump(bundle)})


def matches(text: str, *, lang: str | None = None, geo: Geo | None = None, **declared: Any) -> bool:
    return world(**declared).matcher.match(text, lang=lang, geo=geo) == ("essai",)


@pytest.mark.parametrize(
    "text",
    [
        "Énorme FUMÉE noire",
        "enorme fumee noire",
        "fumée\nnoire !",
        "la fumée-noire",
        "#FuméeNoire sur la ville",
        "de la #fumee noire",
        "fu\u200bmée noire",
    ],
)
def test_a_phrase_is_found_whatever_its_accents_case_and_signs(text: str) -> None:
    assert matches(text, keywords=["fumée noire"])


@pytest.mark.parametrize("text", ["parfumée noirement", "fumée très noire", "noire fumée", ""])
def test_a_phrase_is_not_found_inside_other_words_or_in_pieces(text: str) -> None:
    assert not matches(text, keywords=["fumée noire"])


def test_an_elided_article_does_not_hide_a_word() -> None:
    assert matches("l’incendie d'hier", keywords=["incendie"])


def test_one_of_the_second_words_is_required() -> None:
    assert matches("odeur d'essence", keywords=["odeur"], **{"with": ["essence", "gaz"]})
    assert not matches("odeur de pain", keywords=["odeur"], **{"with": ["essence", "gaz"]})


def test_an_exclusion_wins() -> None:
    assert not matches("incendie, feu d'artifice", keywords=["incendie"], without=["feu d’artifice"])


@pytest.mark.parametrize(("lang", "kept"), [("fr", True), ("en", False), ("und", True), (None, True), ("FR", True)])
def test_a_language_excludes_only_when_the_platform_names_another(lang: str | None, kept: bool) -> None:
    assert matches("incendie", lang=lang, keywords=["incendie"], languages=["fr"]) is kept


@pytest.mark.parametrize(
    ("where", "named", "there", "elsewhere"),
    [("named", True, False, False), ("tagged", False, True, False), ("either", True, True, False)],
)
def test_where_says_how_a_post_belongs_to_an_area(where: str, named: bool, there: bool, elsewhere: bool) -> None:
    declared = {"keywords": ["incendie"], "areas": ["angers"], "where": where}
    assert matches("incendie à Angers", **declared) is named
    assert matches("incendie ici", geo=ANGERS, **declared) is there
    assert matches("incendie ici", geo=PARIS, **declared) is elsewhere
    assert not matches("incendie ici", **declared)


def test_anywhere_asks_for_no_place() -> None:
    assert matches("incendie ici", keywords=["incendie"], areas=["angers"], where="anywhere")


def test_a_place_as_wide_as_a_region_does_not_place_a_post() -> None:
    wide = Geo(ANGERS.lat, ANGERS.lon, radius_m=80_000)
    assert not matches("incendie ici", geo=wide, keywords=["incendie"], areas=["angers"])


def test_every_filter_that_wants_a_post_is_named_in_the_order_of_the_bundle() -> None:
    found = World.load(CONFIG / "default").matcher.match("Incendie à Cholet, odeur de gaz dans le quartier")
    assert set(found) >= {"incendies", "gaz"}
    order = [declared.id for declared in load({"a.yaml": BASE}).filters]
    assert order == ["feu"]
    assert list(found) == sorted(found, key=[f.id for f in World.load(CONFIG / "default").bundle.filters].index)


@pytest.mark.parametrize(
    "text", ["\ud800 incendie", "\0incendie", "🔥" * 40 + " incendie", "incendie " + "a" * 100_000]
)
def test_hostile_text_is_matched_like_any_other(text: str) -> None:
    assert matches(text, keywords=["incendie"])


def test_the_default_filters_match_fifty_thousand_short_posts_in_a_second_of_one_core() -> None:
    matcher = World.load(CONFIG / "default").matcher
    posts = ["Belle journée au marché, à demain les amis", "Incendie à Cholet, énorme fumée #Cholet"] * 5_000
    best = min(_seconds(matcher.match, posts) for _ in range(3))
    assert len(posts) / best > 50_000 / 2  # a loaded machine is given half


def _seconds(match: Any, posts: list[str]) -> float:
    start = time.process_time()
    for text in posts:
        match(text)
    return time.process_time() - start
