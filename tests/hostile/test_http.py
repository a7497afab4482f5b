"""What a browser, a scanner or an enemy may send to the desk and to the acknowledgement page."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from hostile_kit import NASTY, TEXT, cases
from hypothesis import assume, given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.testclient import TestClient

from alerts.acknowledge.app import app as acknowledge_app
from config.settings import settings
from config.world import World
from desk.web.app import create_app
from store.database import Database

BUNDLE = """
name: {fr: Essai, en: Trial}
default_lead: prefecture
agencies: [{id: prefecture, name: {fr: Préfecture, en: Prefecture}, kind: prefecture}]
areas: [{id: anjou, name: {fr: Anjou, en: Anjou}, departements: ["49"]}]
"""
ASCII = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60)
PATHS = st.sampled_from(
    [
        "/",
        "/search",
        "/report",
        "/healthz",
        "/incidents/",
        "/incidents/x/acknowledge",
        "/static/",
        "/a/",
        "/a/abc.def",
        "/metrics",
        "/static/../../etc/passwd",
        "//",
    ]
)
NAMES = st.sampled_from(
    ["q", "before", "lang", "after", "text", "place", "lat", "lon", "name", "note", "agency", "form"]
)
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "accept-language",
            "cookie",
            "origin",
            "referer",
            "range",
            "last-event-id",
            "content-type",
            "if-none-match",
            "x-forwarded-for",
            "sec-fetch-site",
            "accept-encoding",
        ]
    ),
    ASCII,
    max_size=4,
)


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Starlette]]:
    home: Path = tmp_path_factory.mktemp("doors")
    db = Database.open(f"sqlite:///{home}/vigie.db")
    world = World.from_files("v1", {"bundle.yaml": BUNDLE})
    desk = create_app(db, settings({"VIGIE_HOME": str(home)}), now, world=lambda: world, interval=1.0)
    yield {"desk": desk, "acknowledge": acknowledge_app(db, key=b"k" * 32, clock=now, world=lambda: world)}
    db.close()


@pytest.fixture(scope="module")
def clients(apps: dict[str, Starlette]) -> dict[str, TestClient]:
    return {name: TestClient(one, base_url="http://127.0.0.1:8710") for name, one in apps.items()}


@pytest.mark.parametrize("door", ["desk", "acknowledge"])
@cases("HTTP requests", 450)
@given(
    method=st.sampled_from(["GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"]),
    path=PATHS,
    more=TEXT,
    query=st.dictionaries(NAMES, TEXT, max_size=4),
    headers=HEADERS,
    form=st.dictionaries(NAMES, TEXT, max_size=5) | st.binary(max_size=300),
)
def test_every_request_is_answered_and_none_breaks_the_page(
    clients: dict[str, TestClient], door: str, method: str, path: str, more: str, query: Any, headers: Any, form: Any
) -> None:
    clean = {name: value.encode("utf-8", "replace").decode() for name, value in query.items()}
    target = path + more.encode("utf-8", "replace").decode().replace("?", "").replace("#", "")[:200]
    body = (
        {"content": form}
        if isinstance(form, bytes)
        else {"data": {k: v.encode("utf-8", "replace").decode() for k, v in form.items()}}
    )
    answer = None
    with suppress(UnicodeError, httpx.InvalidURL):  # what the client of this test refuses to write
        answer = clients[door].request(
            method, target, params=clean, headers=headers, **(body if method == "POST" else {})
        )
    assume(answer is not None)
    assert answer.status_code < 500
    assert method == "HEAD" or answer.status_code in (204, 304) or len(answer.content) > 10
    assert "<script>alert(1)</script>" not in answer.text


@pytest.fixture(scope="module", params=["desk", "acknowledge"])
def port(apps: dict[str, Starlette], request: pytest.FixtureRequest) -> Iterator[int]:
    config = uvicorn.Config(apps[request.param], port=0, log_level="critical")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(5)


@cases("raw bytes over HTTP", 150)
@given(
    raw=st.binary(min_size=1, max_size=400)
    | st.builds(
        lambda method, target, head, body: f"{method} {target} HTTP/1.1\r\n{head}\r\n\r\n{body}".encode(
            "utf-8", "replace"
        ),
        st.sampled_from(["GET", "POST", "G\x00T", "PRI"]),
        NASTY,
        NASTY,
        NASTY,
    )
)
def test_raw_bytes_never_take_the_server_down(port: int, raw: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(raw)
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1:8710\r\nConnection: close\r\n\r\n")
        assert connection.recv(12).startswith(b"HTTP/1.1 ")
