"""Holes and budgets on the desk, and on the command line."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from config.bundle import Bundle
from config.settings import settings
from desk.cli import main
from store import gaps, hourly
from store.database import Database
from store.records import Gap

NOW = datetime(2027, 2, 11, 2, 12, 40, tzinfo=UTC)
SOURCES = [
    {"id": "x-flux", "kind": "x_stream", "budget": {"posts_a_month": 10_000}},
    {"id": "x-recherche", "kind": "x_search"},
]
FILTER = {"id": "incendies", "purpose": "Hear of fires early", "keywords": ["feu"], "where": "anywhere"}


def section(html: str, id: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html.partition(f'id="{id}"')[2].partition("</section>")[0]).split())


def hole(desk, id: str = "a", *, before: float = 30, lasted: float | None = 5, **changed: object) -> None:
    start = NOW - timedelta(minutes=before)
    end = None if lasted is None else start + timedelta(minutes=lasted)
    made = Gap(
        id, "x-flux", start, end, "X closed the stream", ("incendies", "crues"), "open" if end is None else "waiting"
    )
    with desk.db.write() as conn:
        gaps.put(conn, replace(made, **changed))


def paid(desk, **read: int) -> None:
    """The month's budget, with so many posts read for each subject four days ago."""
    bundle = Bundle.model_validate(
        desk.world.bundle.model_dump(by_alias=True) | {"sources": SOURCES, "filters": [FILTER]}
    )
    desk.world = replace(desk.world, bundle=bundle)
    with desk.db.write() as conn:
        counts = {name.replace("__", ":").replace("_", "-"): (count, 0, 0.0) for name, count in read.items()}
        hourly.add(conn, NOW - timedelta(days=4), counts)


def test_a_hole_that_lasts_stands_at_the_top(desk):
    hole(desk, lasted=None, found=3)
    said = section(desk.text(), "lasting")
    assert "x-flux n’entend pas depuis 02:42 (30 min). X a fermé le flux 2 filtres sourds" in said
    assert "3 posts retrouvés" in said


def test_nothing_stands_at_the_top_when_no_hole_lasts(desk):
    hole(desk)
    assert section(desk.text(), "lasting").endswith('">')


@pytest.mark.parametrize(
    ("state", "note", "said"),
    [
        ("filled", "", "comblé"),
        ("waiting", "waits: no source of kind x_search is enabled", "en attente : aucune source de type x_search"),
        ("lost", "what is older than 7 days cannot be searched any more", "ce qui date de plus de 7 jours"),
        ("partly", "filter a is not searched (search: false); filter b is no longer declared", "b n’est plus déclaré"),
    ],
)
def test_what_became_of_a_hole_is_said_in_french(desk, state, note, said):
    hole(desk, state=state, note=note, found=2)
    panel = section(desk.text(), "holes")
    assert "02:42:40 – 02:47:40" in panel
    assert said in panel


def test_a_hole_that_is_settled_goes_after_a_day_and_one_that_is_not_stays(desk):
    hole(desk, "old", before=3000, state="filled", reason="X answered 503")
    hole(desk, "older", before=4000, state="waiting", reason="X answered 502")
    panel = section(desk.text(), "holes")
    assert "503" not in panel
    assert "502" in panel


def test_more_holes_than_the_panel_has_room_for_are_counted(desk):
    for number in range(9):
        hole(desk, str(number), before=10 + 10 * number, state="filled")
    assert "et 3 autres" in section(desk.text(), "holes")


def test_the_budget_says_how_much_is_read_and_when_it_runs_out(desk):
    paid(desk, source__x_flux=4000, source__x_recherche=2000)
    panel = section(desk.text(), "holes")
    assert "6 000 / 10 000 (60 %)" in panel
    assert "épuisé vers le 13 févr." in panel


def test_a_budget_that_lasts_says_so(desk):
    paid(desk, source__x_flux=100)
    assert "suffit jusqu’au 1 mars" in section(desk.text(), "holes")


def test_a_filter_that_is_slowed_is_named(desk):
    paid(desk, source__x_flux=6000, filter__incendies=5500)
    assert "Filtre incendies ralenti jusqu’au 1 mars : il a pris 5 500 posts" in section(desk.text(), "holes")


def test_a_spent_budget_stands_at_the_top(desk):
    paid(desk, source__x_flux=10_000)
    assert "Les 10 000 posts du mois sont lus" in section(desk.text(), "lasting")


def test_the_english_page_says_the_same(desk):
    hole(desk, state="partly", note="filter a is not searched (search: false)")
    assert "partly filled" in section(desk.text("/?lang=en"), "holes")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VIGIE_HOME", str(tmp_path))
    db = Database.open(settings().database)
    at = datetime.now(UTC) - timedelta(days=3)
    with db.write() as conn:
        gaps.begin(conn, "x-flux", at, "X closed the stream", ["incendies"])
        gaps.end(conn, "x-flux", at + timedelta(minutes=4), "lost")
    db.close()
    return lambda *arguments: CliRunner().invoke(main, ["gaps", *arguments], catch_exceptions=False).output


def test_vigie_gaps_lists_them_as_json(run):
    (gap,) = json.loads(run("--json"))
    assert (gap["source"], gap["state"], gap["filters"]) == ("x-flux", "lost", ["incendies"])
    assert gap["ended_at"].endswith("Z")


def test_vigie_gaps_lists_them_for_people(run):
    assert "x-flux: lost, 0 found\n    X closed the stream; deaf: incendies" in run()


def test_vigie_gaps_says_when_there_is_none(run):
    assert run("--days", "1") == "no hole in the last 1 days\n"
