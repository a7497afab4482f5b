from __future__ import annotations

from dataclasses import replace

import pytest

from config.bundle import PublicOrder

THREAT = ("public_order_threat",)


def allow(desk, *roles: str) -> None:
    basis = PublicOrder(legal_basis="an invented legal basis", roles=roles, keep_days=7)
    desk.world = replace(desk.world, bundle=desk.world.bundle.model_copy(update={"public_order": basis}))


@pytest.fixture
def threatened(desk):
    desk.incident(tags=THREAT)
    desk.post("x:1", "on va tout casser ce soir", "inc-1", labels=THREAT)
    return desk


@pytest.mark.parametrize("path", ["/", "/search?q=casser"])
def test_a_threat_is_not_shown_to_a_desk_that_the_legal_basis_does_not_name(threatened, path: str):
    allow(threatened, "police")
    page = threatened.text(path)
    assert "ce soir" not in page
    assert "1 post réservé" in page
    assert "ordre public</span>" not in page


@pytest.mark.parametrize("path", ["/", "/search?q=casser"])
def test_a_threat_is_shown_to_a_desk_that_the_legal_basis_names(threatened, path: str):
    allow(threatened, "police", "desk")
    page = threatened.text(path)
    assert "ce soir" in page
    assert "ordre public</span>" in page


def test_without_legal_basis_nothing_tagged_a_threat_is_shown(threatened):
    assert "ce soir" not in threatened.text()


def test_other_posts_of_the_same_incident_are_shown(threatened):
    threatened.post("x:2", "vitrines brisées rue haute", "inc-1")
    assert "vitrines brisées" in threatened.text()
