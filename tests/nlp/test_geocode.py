"""The geocoder's seam, against a local server that speaks the formats of BAN, Nominatim and Photon."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from config import bundle
from config.settings import ROOT
from config.world import World
from nlp.annotate import Annotator, annotate_stage
from nlp.geocode import Found, Geocoder
from nlp.pinpoint import ASKED, pinpoint
from store import annotations, posts
from store.database import Database
from store.records import Annotation, Location, Post

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
    return Geocoder(declared(server, provider, **more), db, lambda: NOON)


def declared(server: Server, provider: str = "ban", **more: Any) -> bundle.Geocoder:
    domain = f"127.0.0.1:{server.server_address[1]}"
    given = {"provider": provider, "domain": domain, "scheme": "http", "spacing_seconds": 0} | more
    return bundle.Geocoder.model_validate(given)


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
    asking = Geocoder(declared(server), db, lambda: now[0])
    server.broken = 500
    for street in ("rue du Moulin", "rue du Four", "rue du Puits"):
        assert asking.locate(street) is None
    assert len(server.asked) == 1
    server.broken, now[0] = None, NOON + timedelta(minutes=1)
    assert asking.locate("rue du Moulin")


def test_nobody_there_is_no_error_for_the_caller_and_no_place_in_the_log(
    server: Server, db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    asking = geocoder(server, db, domain="127.0.0.1:1", timeout_seconds=0.5)
    assert asking.locate("12 rue du Moulin") is None
    assert asking.errors == 1
    assert "geocoder ban" in caplog.text
    assert "Moulin" not in caplog.text


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


CHOLET = Location(
    "Cholet", 40, 46, "Cholet", "commune", lat=47.06, lon=-0.88, country="FR", departement="49", insee="49099"
)


def said(*places: Location, labels: tuple[str, ...] = ("emerging_incident",)) -> Annotation:
    return Annotation("file:1", "fr", "full", 0.9, 0.9, {"emerging_incident": 0.9}, labels, locations=places)


def named(name: str, **more: Any) -> Location:
    return Location(name, 0, len(name), name, "street", **more)


def test_a_street_beside_its_commune_is_put_on_the_map(server: Server, db: Database) -> None:
    asking = geocoder(server, db)
    (placed,) = pinpoint([said(named("rue du Moulin"), CHOLET)], asking)
    street = placed.locations[0]
    assert (street.lat, street.lon, street.radius_m, street.insee) == (47.06, -0.88, 500.0, "49099")
    assert server.asked == ["rue du Moulin, Cholet"]


@pytest.mark.parametrize(
    "read",
    [
        said(named("rue du Moulin")),
        said(named("rue du Moulin"), CHOLET, replace(CHOLET, name="Angers", insee="49007")),
        said(named("rue du Moulin", role="origin"), CHOLET),
        said(named("rue du Moulin", lat=47.0, lon=-0.9), CHOLET),
        said(named("rue du Moulin"), CHOLET, labels=()),
        said(CHOLET),
    ],
    ids=["no commune", "two communes", "elsewhere", "known already", "no incident", "no street"],
)
def test_what_needs_no_position_or_cannot_have_one_is_not_asked(read: Annotation, server: Server, db: Database) -> None:
    assert pinpoint([read], geocoder(server, db)) == [read]
    assert server.asked == []


def test_a_street_of_that_name_far_from_the_commune_is_not_taken(server: Server, db: Database) -> None:
    read = said(named("rue du Moulin"), replace(CHOLET, name="Lille", lat=50.63, lon=3.06))
    assert pinpoint([read], geocoder(server, db)) == [read]
    assert len(server.asked) == 1


def test_a_batch_asks_a_few_questions_and_takes_what_is_known_for_free(server: Server, db: Database) -> None:
    streets = [said(named(f"rue du Moulin {number}"), CHOLET) for number in range(ASKED + 2)]
    asking = geocoder(server, db)
    for round_ in (1, 2):
        found = [one.locations[0].lat is not None for one in pinpoint(streets, asking)]
        assert found == [True] * ASKED * round_ + [False] * (len(streets) - ASKED * round_)
    assert len(server.asked) == 2 * ASKED


@pytest.mark.parametrize("broken", [None, 500])
def test_the_stage_keeps_the_position_and_does_without_one(broken: int | None, server: Server, db: Database) -> None:
    server.broken = broken
    text = "Gros incendie rue du Moulin à Cholet, fumée noire partout, les pompiers évacuent"
    with db.write() as conn:
        posts.add(conn, [Post("file:1", "file", text, NOON, NOON)])
    world = World.load(ROOT / "config" / "default")
    annotate_stage(db, world, annotator=Annotator(), clock=lambda: NOON, geocoder=geocoder(server, db))
    with db.read() as conn:
        kept = annotations.get(conn, ["file:1"])["file:1"]
    street = next(one for one in kept.locations if one.level == "street")
    assert street.lat == (None if broken else 47.06)
    assert len(server.asked) == 1
