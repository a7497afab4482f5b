from pathlib import Path

import pytest

from config.check import check_folder
from config.world import World

CONFIG = Path(__file__).parents[2] / "config"


@pytest.mark.parametrize("name", ["default", "catch-all"])
def test_a_shipped_bundle_has_no_fault(name: str) -> None:
    assert check_folder(CONFIG / name) == []


def test_the_catch_all_bundle_keeps_every_post() -> None:
    assert World.load(CONFIG / "catch-all").bundle.policy == "keep_all"


def test_the_default_bundle_hears_a_fire_told_without_accents_or_capitals() -> None:
    found = World.load(CONFIG / "default").matcher.match("enorme fumee au dessus de l entrepot a cholet")
    assert "industriel" in found
