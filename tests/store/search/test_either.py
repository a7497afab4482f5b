import threading

import pytest

from store import annotations, changes, incidents, posts
from store.index import generations
from store.index.cluster import Cluster
from store.index.families import POSTS, PUBLIC_ORDER
from store.index.rebuild import LOST, MAPPING
from store.search.either import Either
from store.search.request import Answered, Away, Page, Query, Unfit

CLUSTER = Cluster(("http://127.0.0.1:9",))
WHY = "nothing answers at that address"


class Fake:
    """An engine in a cluster that does as it is told."""

    name = "elasticsearch"

    def __init__(self) -> None:
        self.fault: Exception | None = None
        self.asked = self.closed = 0

    def search(self, query, **_):
        self.asked += 1
        if self.fault:
            raise self.fault
        return Page((), 0, None, self.name)

    def close(self):
        self.closed += 1


@pytest.fixture
def far():
    return Fake()


@pytest.fixture
def now():
    return [0.0]


@pytest.fixture
def either(db, far, now):
    made = Either(db, CLUSTER, clock=lambda: now[0], rest_s=10, engine=lambda *_: far)
    yield made
    made.close()


def search(engine):
    return engine.search(Query()).engine


def test_without_a_cluster_the_database_answers_and_nothing_is_missing(db):
    answer = Either(db, None).answer(search)
    assert (answer.value, answer.by) == ("sqlite", Answered("sqlite"))


def test_the_cluster_answers_where_there_is_one(either):
    answer = either.answer(search)
    assert (answer.value, answer.by) == ("elasticsearch", Answered("elasticsearch"))


def test_the_database_answers_for_a_cluster_that_is_away_and_says_why(either, far):
    far.fault = Away(WHY)
    answer = either.answer(search)
    assert (answer.value, answer.by) == ("sqlite", Answered("sqlite", "elasticsearch", WHY))


def test_a_real_cluster_that_nobody_started_is_away(db):
    answer = Either(db, CLUSTER).answer(search)
    assert answer.by == Answered("sqlite", "elasticsearch", answer.by.reason)
    assert "nothing answers at that address" in answer.by.reason


def test_a_cluster_that_is_away_is_left_alone_for_a_while_and_then_tried_again(either, far, now):
    far.fault = Away(WHY)
    for _ in range(5):
        assert either.answer(search).by.reason == WHY
    assert far.asked == 1
    now[0], far.fault = 10.0, None
    assert either.answer(search).by == Answered("elasticsearch")
    assert either.answer(search).by == Answered("elasticsearch")
    assert far.asked == 3


def test_while_one_request_tries_the_cluster_again_the_others_do_not_wait_for_it(either, far, now):
    far.fault = Away(WHY)
    either.answer(search)
    now[0] = 10.0
    trying, go_on = threading.Event(), threading.Event()

    def slow(engine):
        if engine is far:
            trying.set()
            assert go_on.wait(10)
        return search(engine)

    first = threading.Thread(target=either.answer, args=(slow,))
    first.start()
    assert trying.wait(10)
    assert either.answer(search).by.engine == "sqlite"
    go_on.set()
    first.join()
    assert far.asked == 2


def test_what_only_the_database_can_answer_does_not_put_the_cluster_to_rest(either, far):
    far.fault = Unfit("only the database can")
    assert either.answer(search).by == Answered("sqlite", "elasticsearch", "only the database can")
    far.fault = None
    assert either.answer(search).by.engine == "elasticsearch"


def test_a_mistake_of_who_asks_is_told_and_does_not_put_the_cluster_to_rest(either, far):
    far.fault = ValueError("no such order")
    with pytest.raises(ValueError, match="no such order"):
        either.answer(search)
    far.fault = None
    assert either.answer(search).by.engine == "elasticsearch"


def test_everything_that_is_asked_at_once_is_answered_by_one_engine(either, far):
    def twice(engine):
        first = search(engine)
        far.fault = Away(WHY)
        return first, search(engine)

    assert either.answer(twice).value == ("sqlite", "sqlite")


def test_pages_that_the_database_began_are_gone_on_with_by_it(either, far):
    assert either.answer(search, only="sqlite").by == Answered("sqlite")
    assert far.asked == 0


def test_pages_that_the_cluster_began_are_not_gone_on_with_by_another(either, far):
    far.fault = Away(WHY)
    for _ in range(2):
        with pytest.raises(Away, match=WHY):
            either.answer(search, only="elasticsearch")
    assert far.asked == 1


def test_pages_of_a_cluster_that_is_configured_no_more_are_away(db):
    with pytest.raises(Away, match="VIGIE_ELASTICSEARCH"):
        Either(db, None).answer(search, only="elasticsearch")


def test_an_engine_that_is_none_is_refused(either):
    with pytest.raises(ValueError, match="sqlite, elasticsearch"):
        either.answer(search, only="postgres")


def test_how_far_the_index_is_behind_counts_the_changes_of_posts_alone(db, make):
    counted = Either(db, CLUSTER)
    with db.write() as conn:
        posts.add(conn, [make.post(1), make.post(2)])
        annotations.put(conn, [make.annotation(1)])
        incidents.put(conn, [make.incident("i1")])
    assert counted.behind() == 3
    with db.write() as conn:
        changes.set_cursor(conn, "index", changes.latest(conn))
        posts.delete(conn, ["file:2"])
    assert counted.behind() == 1


@pytest.mark.parametrize("family", [POSTS, PUBLIC_ORDER])
def test_an_index_that_is_being_filled_is_not_asked(db, either, far, family):
    with db.write() as conn:
        generations.ask(conn, family, LOST)
    assert either.answer(search).by == Answered(
        "sqlite", "elasticsearch", "its index is being filled, 0 of 0 are there"
    )
    assert far.asked == 0


def test_an_index_is_asked_while_its_successor_is_built(db, either):
    with db.write() as conn:
        generations.ask(conn, POSTS, MAPPING)
    assert either.answer(search).by == Answered("elasticsearch")


def test_it_is_closed_once_and_then_the_cluster_is_asked_no_more(db, far):
    either = Either(db, CLUSTER, engine=lambda *_: far)
    either.answer(search)
    either.close()
    either.close()
    assert far.closed == 1
    assert either.answer(search).by.engine == "sqlite"
