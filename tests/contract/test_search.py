"""Both engines of the search give the same answers, but for the differences that the list of requests names."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from config.settings import ROOT
from store import posts
from store.database import Database
from store.index.cluster import Cluster
from store.records import Post
from store.search.elastic import Elastic
from store.search.embedded import Embedded
from store.search.request import Engine, Page, Query, Sort

sys.path.insert(0, str(Path(__file__).parents[1] / "store" / "search"))  # the posts that the engines' own tests use

import corpus_kit
import index_kit
import search_kit
from search_kit import Ask

ASKS = search_kit.asks()


class Both(NamedTuple):
    """The engine in the cluster and the one in the database, on the same posts."""

    far: Elastic
    near: Embedded


class Ground:
    """A database and its index, which follows when told to."""

    def __init__(self, folder: Path, url: str) -> None:
        self.db = Database.open(f"sqlite:///{folder}/vigie.db", clock=lambda: corpus_kit.NOW)
        self.cluster = Cluster((url,), prefix=f"t{time.time_ns() % 10**9}-contract")
        self.both = Both(Elastic(self.cluster, timeout_s=30), Embedded(self.db))

    def follow(self) -> None:
        index_kit.follow(self.db, self.cluster)

    def close(self) -> None:
        self.both.far.close()
        self.db.close()


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory, elasticsearch_url: str) -> Iterator[Ground]:
    made = Ground(tmp_path_factory.mktemp("corpus"), elasticsearch_url)
    corpus_kit.fill(made.db)
    made.follow()
    yield made
    made.close()


@pytest.fixture(scope="module")
def both(ground: Ground) -> Both:
    return ground.both


def union(ask: Ask, part: str) -> list[str]:
    return sorted(id for differ in ask.differs for id in getattr(differ, part))


@pytest.mark.parametrize("ask", [one for one in ASKS if one.method == "search"], ids=lambda one: one.name[:60])
def test_both_find_the_same_posts_in_the_same_order_with_the_same_marks(both: Both, ask: Ask):
    far, near = (ask.of(engine) for engine in both)
    assert (far.total, near.total) == (len(far.found), len(near.found))
    ids = [one.post_id for one in far.found], [one.post_id for one in near.found]
    assert sorted(set(ids[0]) - set(ids[1])) == union(ask, "far")
    assert sorted(set(ids[1]) - set(ids[0])) == union(ask, "near")
    shared = set(ids[0]) & set(ids[1])
    assert placed(ids[0], ids[1], shared) == union(ask, "moved")
    marks = [{one.post_id: one.marks for one in page.found} for page in (far, near)]
    assert sorted(id for id in shared if marks[0][id] != marks[1][id]) == union(ask, "marked")
    assert len({one.score is None for one in (*far.found, *near.found)}) <= 1


def placed(far: list[str], near: list[str], shared: set[str]) -> list[str]:
    """Those that both found and that stand at another place among them."""
    orders = [[id for id in ids if id in shared] for ids in (far, near)]
    return sorted({id for pair in zip(*orders, strict=True) if pair[0] != pair[1] for id in pair})


@pytest.mark.parametrize("ask", [one for one in ASKS if one.method in ("histogram", "top")], ids=lambda one: one.name)
def test_both_count_the_same(both: Both, ask: Ask):
    assert ask.differs == ()
    assert ask.of(both.far) == ask.of(both.near)


@pytest.mark.parametrize("ask", [one for one in ASKS if one.method == "tiles"], ids=lambda one: one.name)
def test_both_put_the_same_posts_on_the_same_tiles(both: Both, ask: Ask):
    far, near = (sorted(ask.of(engine), key=lambda tile: tile.key) for engine in both)
    assert [(tile.key, tile.posts) for tile in far] == [(tile.key, tile.posts) for tile in near]
    assert [x for t in far for x in (t.lat, t.lon)] == pytest.approx(
        [x for t in near for x in (t.lat, t.lon)], abs=1e-6
    )
    assert [tile.posts for tile in ask.of(both.far)] == [tile.posts for tile in ask.of(both.near)]


@pytest.mark.parametrize(("method", "query", "given"), search_kit.WRONG)
def test_both_refuse_what_nobody_can_answer_in_the_same_words(both: Both, method: str, query: Any, given: Any):
    said = []
    for engine in both:
        with pytest.raises(ValueError, match=r"must |at most ") as refused:
            getattr(engine, method)(Query(**query), **given)
        said.append(str(refused.value))
    assert said[0] == said[1]


@pytest.mark.parametrize("limit", [1, 7, 50])
@pytest.mark.parametrize("sort", ["newest", "oldest", "relevance"])
def test_both_give_in_pages_what_they_give_at_once(both: Both, sort: Sort, limit: int):
    for engine in both:
        query = Query("incendie" if limit < 50 else "")
        whole = engine.search(query, sort=sort, limit=1000)
        pages = list(paged(engine, query, sort, limit))
        assert [one for page in pages for one in page.found] == list(whole.found)
        assert {page.total for page in pages} == {whole.total}


def paged(engine: Engine, query: Query, sort: Sort, limit: int) -> Iterator[Page]:
    page = engine.search(query, sort=sort, limit=limit)
    yield page
    while page.after:
        page = engine.search(query, sort=sort, limit=limit, after=page.after)
        yield page


@pytest.mark.parametrize("sort", ["newest", "oldest", "relevance"])
def test_pages_of_both_have_no_gap_and_no_repeat_while_posts_come_in(
    tmp_path: Path, elasticsearch_url: str, sort: Sort
):
    ground = Ground(tmp_path, elasticsearch_url)
    start = corpus_kit.START

    def write(ids: range, text: str, **later: float) -> None:
        new = [Post(f"x:{n}", "x", text + " pluie" * (n % 5), start + timedelta(seconds=n), start) for n in ids]
        with ground.db.write() as conn:
            posts.add(conn, [one if not later else moved(one, **later) for one in new])
        ground.follow()

    write(range(40), "crue")
    query, begun = Query("crue"), [engine.search(Query("crue"), sort=sort, limit=1000) for engine in ground.both]
    pages: list[list[Any]] = [[], []]
    after: list[Any] = [None, None]
    for turn in range(5):
        for n, engine in enumerate(ground.both):
            page = engine.search(query, sort=sort, limit=9, after=after[n])
            pages[n] += [one.post_id for one in page.found]
            after[n] = page.after
        late = {"days": -1} if sort == "oldest" else {"days": 1}
        write(range(100 + 20 * turn, 120 + 20 * turn), "crue crue" if turn % 2 else "la crue monte encore", **late)
    assert after == [None, None]
    for seen, whole in zip(pages, begun, strict=True):
        assert sorted(seen) == sorted(one.post_id for one in whole.found)
        assert sort == "relevance" or seen == [one.post_id for one in whole.found]
    ground.close()


def moved(post: Post, **length: float) -> Post:
    at = post.created_at + timedelta(**length)
    return Post(post.id, post.source, post.text, at, post.received_at)


def test_every_request_of_the_list_is_another_and_every_reason_is_used():
    assert len({one.name for one in ASKS}) > 200
    assert {differ.reason for one in ASKS for differ in one.differs} == set(search_kit.REASONS)


def test_the_page_of_the_documentation_says_what_is_tried():
    told = (ROOT / "docs" / "search.md").read_text(encoding="utf-8")
    made = told.partition(search_kit.BEGIN)[2].partition(search_kit.END)[0].strip()
    assert made == search_kit.page(), "put what `python tests/contract/search_kit.py` prints between the two marks"
