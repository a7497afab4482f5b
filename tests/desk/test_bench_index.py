"""``vigie bench index``: both sides are asked the same, and what is committed is searched for until it is found."""

import json

import pytest
from click.testing import CliRunner
from elasticsearch import Elasticsearch

from desk.bench import _client, _lag, index
from desk.bench._client import HELPERS, ORJSON, ROWS, VIGIE
from desk.bench._sink import sink
from desk.cli import main


@pytest.fixture(scope="module")
def taker():
    with sink() as url:
        yield url


def test_the_sink_answers_as_elasticsearch_does_with_a_filter_and_without(taker):
    lines = b'{"index":{"_id":"a"}}\n{"x":1}\n{"index":{"_id":"b"}}\n{"x":2}\n'
    with Elasticsearch(taker) as client:
        short = client.bulk(operations=[lines], filter_path="items.*.status").body
        long = client.bulk(operations=[lines]).body
    assert short == {"items": [{"index": {"status": 201}}] * 2}
    assert (long["errors"], len(long["items"]), long["items"][1]["index"]["result"]) == (False, 2, "created")


def test_every_way_feeds_all_the_documents_and_its_cpu_is_counted():
    spent = _client.Spent(1000, [0.1, 0.5, 0.2], [1.0, 2.0, 4.0])
    assert spent.told() == {"per_core_s": 5000, "best_per_core_s": 10_000, "per_s": 500}


def test_percentiles_are_those_of_the_nearest_rank_and_what_was_never_found_is_told():
    told = _lag.Found([0.1 * number for number in range(1, 101)], 3, 500, 2.0).told()
    assert (told["p50_s"], told["p99_s"], told["missing"], told["posts_per_s"]) == (5.0, 9.9, 3, 250)
    assert _lag.Found([], 1, 0, 0.0).told()["p99_s"] is None


def test_the_bench_feeds_a_real_engine_finds_every_probe_and_leaves_nothing_there(elasticsearch_url):
    sizes = ["--documents", "300", "--rounds", "1", "--seconds", "2", "--rate", "100"]
    done = CliRunner().invoke(main, ["bench", "index", *sizes, "--url", elasticsearch_url, "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.output.splitlines()[-1])
    assert all(
        told[side][way]["per_core_s"] > 0 for side in ("sink", "engine") for way in (VIGIE, HELPERS, ORJSON, ROWS)
    )
    assert (told["lag"]["missing"], told["lag"]["probes"] > 5, told["lag"]["p99_s"] > 0) == (0, True, True)
    assert "0 never found" in "\n".join(index._table(told))
    with Elasticsearch(elasticsearch_url) as client:
        assert client.indices.get_alias(index="vigie-bench-*").body == {}
