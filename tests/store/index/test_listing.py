from datetime import UTC, date, datetime, timedelta

import pytest

from store import alerts, annotations, gaps, hourly, incidents, outbox, posts, sources
from store.index import listing
from store.index.documents import documents
from store.index.families import FAMILIES, HOURS, POSTS, PUBLIC_ORDER
from store.records import Gap, SourceHealth

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ORDER = ("public_order_threat",)


@pytest.fixture
def filled(db, make):
    """Three or more of everything, over several days."""
    some = [make.post(n, created_at=NOON + timedelta(hours=9 * n)) for n in range(5)]
    tagged = [make.annotation(n, labels=ORDER, tags={"public_order_threat": 0.9}) for n in range(3)]
    with db.write() as conn:
        posts.add(conn, some)
        annotations.put(conn, [*tagged, make.annotation(3)])
        incidents.put(conn, [make.incident(f"i{n}") for n in range(3)])
        alerts.add(conn, [make.alert(f"a{n}") for n in range(3)])
        outbox.add(conn, [make.delivery(f"d{n}") for n in range(3)])
        for n in range(3):
            sources.report(conn, SourceHealth(f"x-{n}", "on", "", NOON))
            gaps.put(conn, Gap(f"g{n}", "x", NOON, None, "cut off"))
            hourly.add(conn, NOON + timedelta(hours=n), {"source:x": (n, n, 60.0)})
    return db


def every(conn, family, limit):
    after, ids = None, []
    while True:
        found = listing.page(conn, family, after, limit)
        ids += found.ids
        if found.after is None:
            return ids
        after = found.after


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
@pytest.mark.parametrize("limit", [1, 2, 100])
def test_pages_give_every_document_once(filled, family, limit):
    with filled.read() as conn:
        ids = every(conn, family, limit)
        assert len(ids) == len(set(ids)) == listing.count(conn, family) >= 3
        assert set(documents(conn, family, ids)) == set(ids)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_days_give_every_document_once_on_its_own_day(filled, family):
    with filled.read() as conn:
        by_day = {day: listing.of_day(conn, family, day) for day in listing.days(conn, family)}
        ids = [id for some in by_day.values() for id in some]
        assert sorted(ids) == sorted(every(conn, family, 100))
        found = documents(conn, family, ids)
        assert {found[id].at.date() for id in ids} == set(by_day)


def test_what_is_not_labelled_is_not_listed_under_public_order(filled):
    with filled.read() as conn:
        assert every(conn, PUBLIC_ORDER, 100) == ["file:0", "file:1", "file:2"]


def test_a_time_without_documents_is_known(filled):
    with filled.read() as conn:
        assert listing.days(conn, POSTS) == [date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 4)]
        assert listing.any_between(conn, POSTS, NOON, NOON + timedelta(hours=1))
        assert not listing.any_between(conn, POSTS, NOON - timedelta(days=30), NOON)
        assert not listing.any_between(conn, HOURS, NOON + timedelta(hours=3), NOON + timedelta(days=30))
