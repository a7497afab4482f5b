from __future__ import annotations

from dataclasses import replace

import pytest

from config.bundle import PublicOrder
from store.index.cluster import Cluster
from store.search.either import Either
from store.search.request import Found, Page

THREAT = ("public_order_threat",)


def allow(desk, *roles: str) -> None:
    basis = PublicOrder(legal_basis="an invented legal basis", roles=roles, keep_days=7)
    desk.world = replace(desk.world, bundle=desk.world.bundle.model_copy(update={"public_order": basis}))


@pytest.fixture
def threatened(desk):
    desk.incident(tags=THREAT)
    desk.post("x:1", "on va tout casser ce soir", "inc-1", labels=THREAT)
    return desk


def test_a_threat_is_not_shown_to_a_desk_that_the_legal_basis_does_not_name(threatened):
    allow(threatened, "police")
    page = threatened.text()
    assert "ce soir" not in page
    assert "1 post réservé" in page
    assert "ordre public</span>" not in page


def test_a_search_tells_nothing_of_threats_to_a_desk_that_the_legal_basis_does_not_name(threatened):
    allow(threatened, "police")
    page = threatened.text("/search?q=casser")
    assert "ce soir" not in page
    assert ">0 post<" in page
    assert "ni montrés ni comptés" in page
    assert threatened.client.get("/search?tag=public_order_threat").status_code == 400
    assert 'value="public_order_threat"' not in page


def test_a_threat_that_an_index_does_not_know_of_yet_is_not_shown(threatened):
    class Behind:
        name = "elasticsearch"

        def search(self, query, **_):
            return Page((Found("x:1"),), 1, None, self.name, 1)

        def histogram(self, query, step):
            return []

        def top(self, query, field, limit=10):
            return []

        def tiles(self, query, zoom):
            return []

    far = Cluster(("http://127.0.0.1:9",))
    search = Either(threatened.db, far, engine=lambda *_: Behind())
    threatened.app.state.desk = replace(threatened.app.state.desk, search=search)
    page = threatened.text("/search?q=casser")
    assert "Réponse d’Elasticsearch" in page
    assert "1 changement récent n’est pas encore dans l’index" in page
    assert "ce soir" not in page


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
