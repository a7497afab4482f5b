"""The geocoder's seam, against a local server that speaks the formats of BAN, Nominatim and Photon."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from nlp.geocode import Found, Geocoder, GeocoderFault
from store.database import Database

NOON = datetime(2031, 5, 4, 12, tzinfo=UTC)
STREET = "12 rue du Moulin, 49300 Cholet"


class Server(ThreadingHTTPServer):
    """Knows one street; ``broken`` is what it answers instead: a status, or bytes."""

    daemon_threads = True
    asked: list[str]
    broken: int | bytes | None = None


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, format: str, *args: Any) -> None: ...

    def do_GET(self) -> None:
        params = parse_qs(urlsplit(self.path).query)
        path, query = urlsplit(self.path).path, params["q"][0]
        self.server.asked.append(query)
        if isinstance(self.server.broken, int):
            return self.send_error(self.server.broken)
        body = self.server.broken or json.dumps(answer(path, params, "moulin" in query.lower())).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        return None


def answer(path: str, params: dict[str, list[str]], known: bool) -> Any:
    point = {"type": "Point", "coordinates": [-0.88, 47.06]}
    if path.startswith("/api"):  # Photon
        feature = {"type": "Feature", "geometry": point, "properties": {"name": STREET, "country": "France"}}
    elif "format" not in params:  # BAN
        feature = {"type": "Feature", "geometry": point, "properties": {"label": STREET, "score": 0.9}}
    else:  # Nominatim
        return [{"lat": "47.06", "lon": "-0.88", "display_name": STREET}] if known else []
    return {"type": "FeatureCollection", "features": [feature] if known else []}


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), Handler)
    made.asked = []
    Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = Database.open(f"sqlite:///{tmp_path}/vigie.db")
    yield database
    database.close()


def geocoder(server: Server, db: Database, provider: str = "ban", **more: Any) -> Geocoder:
    domain = f"127.0.0.1:{server.server_address[1]}"
    declared = {"provider": provider, "domain": domain, "scheme": "http", "spacing_seconds": 0} | more
    made = Geocoder.from_bundle(declared, db, lambda: NOON)
    assert made
    return made


@pytest.mark.parametrize("provider", ["ban", "nominatim", "photon"])
def test_a_street_is_found(provider: str, server: Server, db: Database) -> None:
    found = geocoder(server, db, provider).locate("12 rue du Moulin")
    assert isinstance(found, Found)
    assert (found.lat, found.lon) == (47.06, -0.88)
    assert "Moulin" in found.address


@pytest.mark.parametrize("provider", ["ban", "nominatim", "photon"])
def test_both_kinds_of_answer_are_asked_for_once(provider: str, server: Server, db: Database) -> None:
    for _ in range(2):
        asking = geocoder(server, db, provider)
        assert asking.locate("12, rue du MOULIN") == asking.locate("12 rue du Moulin")
        assert asking.locate("allée inconnue") is None
    assert len(server.asked) == 2


def test_it_is_off_where_the_bundle_says_nothing(db: Database) -> None:
    assert Geocoder.from_bundle({}, db, lambda: NOON) is None


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        ({"provider": "atlas"}, "geocoder.provider"),
        ({"domain": "example.org"}, "geocoder.provider"),
        ({"provider": "ban", "domain": "http://example.org/x"}, "geocoder.domain"),
        ({"provider": "ban", "scheme": "ftp"}, "geocoder.scheme"),
        ({"provider": "ban", "speed": 3}, "geocoder.speed"),
    ],
)
def test_a_bad_declaration_names_its_key(declared: dict[str, Any], says: str, db: Database) -> None:
    with pytest.raises(GeocoderFault, match=says):
        Geocoder.from_bundle(declared, db, lambda: NOON)


@pytest.mark.parametrize("broken", [500, 403, 429, b"<html>", b'{"features": [{}]}', b"["])
def test_a_broken_answer_is_counted_and_not_kept(broken: int | bytes, server: Server, db: Database) -> None:
    server.broken = broken
    asking = geocoder(server, db)
    assert asking.locate("12 rue du Moulin") is None
    assert asking.errors == 1
    server.broken = None
    assert geocoder(server, db).locate("12 rue du Moulin")


def test_a_provider_that_failed_is_left_alone_for_a_while(server: Server, db: Database) -> None:
    now = [NOON]
    domain = f"127.0.0.1:{server.server_address[1]}"
    declared = {"provider": "ban", "domain": domain, "scheme": "http", "spacing_seconds": 0}
    asking = Geocoder.from_bundle(declared, db, lambda: now[0])
    assert asking
    server.broken = 500
    for street in ("rue du Moulin", "rue du Four", "rue du Puits"):
        assert asking.locate(street) is None
    assert len(server.asked) == 1
    server.broken, now[0] = None, NOON + timedelta(minutes=1)
    assert asking.locate("rue du Moulin")


def test_nobody_there_is_no_error_for_the_caller(server: Server, db: Database) -> None:
    asking = geocoder(server, db, domain="127.0.0.1:1", timeout_seconds=0.5)
    assert asking.locate("12 rue du Moulin") is None
    assert asking.errors == 1


def test_requests_are_spaced(server: Server, db: Database) -> None:
    asking = geocoder(server, db, spacing_seconds=0.3)
    start = time.monotonic()
    asking.locate("rue du Moulin")
    asking.locate("place du Moulin")
    assert time.monotonic() - start >= 0.3


@pytest.mark.parametrize("text", ["", "   ", "\0", "🔥" * 40, "\ud800", "‮‮", "!" * 100_000])
def test_text_without_words_is_not_asked(text: str, server: Server, db: Database) -> None:
    assert geocoder(server, db).locate(text) is None
    assert server.asked == []


def test_a_long_text_is_cut(server: Server, db: Database) -> None:
    geocoder(server, db).locate("moulin " * 10_000)
    assert max(map(len, server.asked)) <= 200
