"""A real node behind TLS and an API key, as agencies run it."""

import json
import logging
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from elasticsearch import ApiError
from tls_kit import HOST, KEY, WEAK_KEY, Authority, Proxy, address, proxy

from config.settings import SettingsError, settings
from store.index.cluster import Cluster, connect
from store.index.reasons import FAULTS, reason


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"), "town")


@pytest.fixture(scope="module")
def guard(elasticsearch_url, authority) -> Iterator[Proxy]:
    with proxy(elasticsearch_url, authority.certificate(HOST)) as server:
        yield server


@pytest.fixture
def secured(guard, authority) -> Cluster:
    return Cluster((address(guard),), "t-secured", ca=authority.pem, api_key=KEY)


def health(cluster: Cluster) -> str:
    with connect(cluster) as client:
        return client.cluster.health()["status"]


def why_not(cluster: Cluster) -> str:
    with pytest.raises(FAULTS) as caught:
        health(cluster)
    return reason(caught.value)


def closed_port() -> str:
    with socket.socket() as one:
        one.bind((HOST, 0))
        return f"https://{HOST}:{one.getsockname()[1]}"


def test_the_right_authority_and_key_are_let_in(secured):
    assert health(secured) in ("green", "yellow")


def test_what_is_written_through_tls_is_found(secured):
    with connect(secured) as client:
        client.index(index="t-secured", id="1", document={"text": "Fumée"}, refresh=True)
        assert client.search(index="t-secured")["hits"]["hits"][0]["_source"] == {"text": "Fumée"}
        client.indices.delete(index="t-secured")


def test_another_authority_is_not_believed(secured, tmp_path):
    assert "VIGIE_ELASTICSEARCH_CA" in why_not(replace(secured, ca=Authority(tmp_path, "stranger").pem))


def test_without_an_authority_the_machine_s_own_decide(secured):
    assert "VIGIE_ELASTICSEARCH_CA" in why_not(replace(secured, ca=None))


def test_a_certificate_for_another_name_is_refused(secured, elasticsearch_url, authority):
    with proxy(elasticsearch_url, authority.certificate("search.example")) as other:
        assert "another name" in why_not(replace(secured, hosts=(address(other),)))


def test_a_certificate_that_is_over_is_refused(secured, elasticsearch_url, authority):
    with proxy(elasticsearch_url, authority.certificate(HOST, days=-1)) as other:
        assert "has expired" in why_not(replace(secured, hosts=(address(other),)))


def test_a_key_that_is_not_known_is_told_and_asked_once(secured, guard):
    before = guard.asked
    assert "does not know the API key" in why_not(replace(secured, api_key="bm90OnRoaXM="))
    assert guard.asked == before + 1


def test_without_a_key_the_same_is_told(secured):
    assert "VIGIE_ELASTICSEARCH_API_KEY" in why_not(replace(secured, api_key=None))


def test_a_key_that_may_do_nothing_is_told_and_asked_once(secured, guard):
    before = guard.asked
    assert "may not do this" in why_not(replace(secured, api_key=WEAK_KEY))
    assert guard.asked == before + 1


def test_of_two_hosts_one_may_be_dead(secured):
    several = replace(secured, hosts=(closed_port(), *secured.hosts))
    assert {health(several) for _ in range(4)} <= {"green", "yellow"}  # other tests make indices meanwhile


def test_where_every_host_is_dead_it_says_so(secured):
    assert "nothing answers" in why_not(replace(secured, hosts=(closed_port(), closed_port())))


def test_a_name_that_nobody_knows_is_told(secured):
    assert "name is not known" in why_not(replace(secured, hosts=("https://nowhere.invalid:9200",)))


def test_a_node_without_tls_is_told(secured, elasticsearch_url):
    assert "does not speak TLS" in why_not(replace(secured, hosts=(elasticsearch_url.replace("http:", "https:"),)))


@pytest.mark.parametrize("key", [KEY, WEAK_KEY, "bm90OnRoaXM="])
def test_the_key_is_in_no_error_and_no_log(secured, caplog, key):
    caplog.set_level(logging.DEBUG)
    cluster = replace(secured, api_key=key, hosts=(*secured.hosts, closed_port()))
    told = [repr(cluster), str(cluster)]
    with connect(cluster) as client:
        told.append(repr(client))
        for ask in (client.cluster.health, lambda: client.search(index="t-none")):
            try:
                told.append(repr(ask()))
            except FAULTS as error:
                told += [repr(error), str(error), reason(error)]
    told += [f"{record.getMessage()} {record.__dict__}" for record in caplog.records]
    assert len(caplog.records) > 1
    assert [line for line in told if key in line] == []


class Other(BaseHTTPRequestHandler):
    """What real nodes here cannot be: another version, another product, blocked by its disk."""

    answer: tuple[int, bytes, dict[str, str]]

    def do_GET(self) -> None:
        status, body, headers = self.answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


FLOOD = "index [p] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark]"
CLOSED = "index [p] blocked by: [FORBIDDEN/5/index read-only (api)]"
ES = {"X-Elastic-Product": "Elasticsearch", "Content-Type": "application/json"}


def error(kind: str, said: str) -> bytes:
    return json.dumps({"error": {"type": kind, "reason": said}}).encode()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((400, error("media_type_header_exception", "Invalid media-type value on headers [Accept]"), ES), "earlier"),
        ((200, b"{}", {"Content-Type": "application/json"}), "no Elasticsearch"),
        ((200, b"<html>", ES), "not JSON"),
        ((429, error("cluster_block_exception", FLOOD), ES), "disk"),
        ((403, error("cluster_block_exception", CLOSED), ES), "block"),
        ((429, error("es_rejected_execution_exception", "rejected"), ES), "too much to do"),
        ((503, error("no_shard_available_action_exception", "none"), ES), "not ready"),
        ((400, error("illegal_argument_exception", "no such thing"), ES), "illegal_argument_exception): no such thing"),
    ],
    ids=["version", "product", "html", "disk", "read-only", "busy", "shards", "other"],
)  # fmt: skip
def test_what_else_may_answer_is_put_into_words(answer, told):
    handler = type("Answer", (Other,), {"answer": answer})
    with HTTPServer((HOST, 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            assert told in why_not(Cluster((f"http://{HOST}:{server.server_port}",)))
        finally:
            server.shutdown()


def test_the_key_may_lie_in_a_file(tmp_path):
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    env = {"VIGIE_ELASTICSEARCH": "https://a.example:9200, https://b.example:9200"}
    found = settings({**env, "VIGIE_ELASTICSEARCH_API_KEY_FILE": str(file)}).cluster
    assert found == Cluster(("https://a.example:9200", "https://b.example:9200"), api_key=KEY)
    assert KEY not in repr(settings({**env, "VIGIE_ELASTICSEARCH_API_KEY": KEY}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"VIGIE_ELASTICSEARCH": "https://elastic:changeme@a.example:9200"},
        {"VIGIE_ELASTICSEARCH": "a.example:9200"},
        {"VIGIE_ELASTICSEARCH": "https://a.example:9200", "VIGIE_ELASTICSEARCH_CA": "/nowhere.pem"},
        {"VIGIE_ELASTICSEARCH": "https://a.example:9200", "VIGIE_ELASTICSEARCH_PREFIX": "Vigie*"},
        {"VIGIE_ELASTICSEARCH": "https://a.example:9200", "VIGIE_ELASTICSEARCH_API_KEY_FILE": "/nowhere"},
    ],
    ids=["password", "scheme", "authority", "prefix", "key"],
)
def test_a_setting_that_cannot_be_used_is_named(wrong):
    with pytest.raises(SettingsError) as caught:
        settings(wrong)
    assert list(wrong)[-1] in str(caught.value)
    assert "changeme" not in str(caught.value)


def test_an_error_of_the_client_is_one_of_those_put_into_words():
    assert issubclass(ApiError, FAULTS)
