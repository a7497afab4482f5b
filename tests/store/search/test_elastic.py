import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from store.index.cluster import Cluster
from store.search.elastic import Elastic
from store.search.request import Away, Query

HOST = "127.0.0.1"


class Answers(BaseHTTPRequestHandler):
    """Elasticsearch as it answers when it cannot: `said` is (status, body)."""

    said: tuple[int, dict] = (200, {})

    def do_POST(self) -> None:
        body = json.dumps(self.said[1]).encode()
        self.send_response(self.said[0])
        self.send_header("X-Elastic-Product", "Elasticsearch")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_) -> None:
        pass


@pytest.fixture
def answering() -> Iterator:
    server = HTTPServer((HOST, 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def engine(status: int, body: dict) -> Elastic:
        Answers.said = (status, body)
        return Elastic(Cluster((f"http://{HOST}:{server.server_port}",)), timeout_s=5)

    yield engine
    server.shutdown()
    server.server_close()


def every_call(engine: Elastic) -> list:
    query = Query("fumée")
    return [
        lambda: engine.search(query),
        lambda: engine.histogram(query, "hour"),
        lambda: engine.top(query, "hazard"),
        lambda: engine.tiles(query, 5),
    ]


def error(kind: str, reason: str = "told") -> dict:
    return {"error": {"type": kind, "reason": reason}}


def test_where_nothing_listens_every_call_says_that_the_engine_is_away():
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    for call in every_call(Elastic(Cluster((f"http://{HOST}:{port}",)))):
        with pytest.raises(Away, match="nothing answers at that address"):
            call()


def test_one_that_accepts_and_says_nothing_is_given_up_in_time():
    with socket.socket() as mute:
        mute.bind((HOST, 0))
        mute.listen()
        engine = Elastic(Cluster((f"http://{HOST}:{mute.getsockname()[1]}",)), timeout_s=0.5)
        start = time.monotonic()
        with pytest.raises(Away, match="did not answer in time"):
            engine.search(Query("fumée"))
        assert time.monotonic() - start < 3


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (429, error("es_rejected_execution_exception"), "too much to do"),
        (503, error("search_phase_execution_exception"), "not ready"),
        (401, error("security_exception"), "API key"),
        (404, error("index_not_found_exception"), "the posts are not there"),
        (400, error("query_shard_exception", "no mapping"), "no mapping"),
        (200, {"timed_out": True, "hits": {"total": {"value": 0}, "hits": []}}, "did not answer in time"),
    ],
)
def test_what_a_cluster_in_trouble_answers_becomes_a_sentence(answering, status, body, said):
    for call in every_call(answering(status, body)):
        with pytest.raises(Away, match=said):
            call()


def test_more_labelled_posts_than_can_be_kept_apart_are_left_to_the_database(answering):
    engine = answering(200, {"timed_out": False, "hits": {"total": {"value": 10_001}, "hits": []}})
    with pytest.raises(Away, match="only the database"):
        engine.search(Query(cleared=False))


def test_more_steps_than_elasticsearch_counts_are_a_mistake_of_who_asks(answering):
    engine = answering(503, error("search_phase_execution_exception") | {"caused_by": "too_many_buckets_exception"})
    with pytest.raises(ValueError, match="longer steps"):
        engine.histogram(Query(), "minute")


def test_an_index_that_was_never_fed_is_said_to_be_away(cluster):
    with pytest.raises(Away, match="the posts are not there"):
        Elastic(cluster).search(Query())


def test_how_far_the_index_is_behind_comes_with_each_page(corpus_cluster):
    assert Elastic(corpus_cluster, behind=lambda: 7, timeout_s=20).search(Query("fumée")).behind == 7
