from datetime import timedelta

import orjson
import pytest

from config.vocabulary import HAZARDS
from store import alerts, annotations, changes, gaps, hourly, incidents, outbox, posts, sources, tables
from store.index import families
from store.index.documents import affected, documents
from store.index.documents.health import hours_since
from store.index.documents.incidents import UNKNOWN, title
from store.records import Gap, Geo, Location, Quantity, SourceHealth

APART = "public_order_threat"
RENNES = Location("Rennes", 0, 6, "Rennes", "commune", lat=48.11, lon=-1.68, radius_m=5000.0, confidence=0.6)
QUAY = Location("quai nord", 7, 16, "Quai Nord", "street", lat=48.1, lon=-1.7, departement="35", confidence=0.9)
BREST = Location("Brest", 20, 25, "Brest", "commune", role="origin", lat=48.39, lon=-4.49, confidence=1.0)


def kept(db, family, *ids):
    with db.read() as conn:
        return {id: one.body for id, one in documents(conn, family, ids).items()}


def test_every_document_can_be_written_as_json(db, make, clock):
    with db.write(durable=True) as conn:
        outbox.add(conn, [make.delivery("d1")])
        sources.report(conn, SourceHealth("x-flux", "on", "", clock.now))
        gaps.put(conn, Gap("gap-1", "x-flux", clock.now, clock.now, "429"))
    bodies = [
        kept(db, families.DELIVERIES, "d1"),
        kept(db, families.SOURCES, "x-flux"),
        kept(db, families.GAPS, "gap-1"),
    ]
    assert all(orjson.loads(orjson.dumps(body)) for body in bodies)


def keep(db, make, **more):
    with db.write() as conn:
        posts.add(conn, [make.post(1, author="h1", filters=("incendie",))])
        annotations.put(conn, [make.annotation(1, **more)])


def test_a_post_is_indexed_with_what_was_understood_and_no_author(db, make):
    keep(db, make, source="eyewitness", why=("fumée noire",), quantities=(Quantity("injured", "exactly", 2, 0, 1),))
    body = kept(db, families.POSTS, "file:1")["file:1"]
    assert body["author_known"] is True
    assert "h1" not in str(body)
    assert (body["platform"], body["voice"], body["quantities"]) == ("file", "eyewitness", ["injured"])
    assert (body["hazard"], body["why"]) == ({"name": "fire", "p": 0.8}, ["fumée noire"])
    assert body["created_at"] == "2026-03-02T12:00:01Z"


def test_nothing_about_public_order_is_in_the_document_of_a_post(db, make):
    keep(db, make, tags={"rumour": 0.1, APART: 0.97, "emerging_incident": 0.9}, labels=(APART, "emerging_incident"))
    body = kept(db, families.POSTS, "file:1")["file:1"]
    assert (body["tags"], body["labels"]) == ({"rumour": 0.1, "emerging_incident": 0.9}, ["emerging_incident"])
    found = kept(db, families.PUBLIC_ORDER, "file:1")["file:1"]
    assert (found["post"], found["score"]) == ("file:1", 0.97)
    assert "text" not in found


def test_a_public_order_score_without_the_label_is_not_indexed(db, make):
    keep(db, make, tags={"rumour": 0.1, APART: 0.4, "emerging_incident": 0.9})
    assert kept(db, families.PUBLIC_ORDER, "file:1") == {}


def test_a_post_lies_where_the_surest_place_of_its_event_is(db, make):
    keep(db, make, locations=(RENNES, QUAY, BREST))
    body = kept(db, families.POSTS, "file:1")["file:1"]
    assert (body["position"], body["place"]["name"]) == ({"lat": 48.1, "lon": -1.7}, "Quai Nord")
    assert body["places"] == ["Rennes", "Quai Nord", "Brest"]


def test_a_post_without_a_place_of_the_event_lies_where_the_platform_says(db, make):
    with db.write() as conn:
        posts.add(conn, [make.post(1, geo=Geo(47.2, -1.5, 300.0, "Nantes"))])
        annotations.put(conn, [make.annotation(1, locations=(BREST,))])
    body = kept(db, families.POSTS, "file:1")["file:1"]
    assert (body["position"], body["place"]) == ({"lat": 47.2, "lon": -1.5}, {"name": "Nantes", "radius_m": 300.0})


def test_a_post_that_nobody_has_read_yet_is_indexed_as_it_came(db, make):
    with db.write() as conn:
        posts.add(conn, [make.post(1, lang="fr")])
    body = kept(db, families.POSTS, "file:1")["file:1"]
    assert (body["lang"], "about" in body, "incident" in body) == ("fr", False, False)


def incident(db, make, **more):
    with db.write(durable=True) as conn:
        posts.add(conn, [make.post(1, filters=("feux", "incendie")), make.post(2, filters=("incendie",))])
        incidents.put(conn, [make.incident(hazard="fire", severity="Severe", tags=(APART, "rumour"), **more)])
        incidents.link(conn, "i1", ["file:1", "file:2"])


def test_an_incident_tells_its_owner_its_filters_and_its_title_in_both_languages(db, make, clock):
    incident(db, make)
    with db.write() as conn:
        alerts.add(conn, [make.alert("a1"), make.alert("a2", lead="ville", support=("samu",), at=clock.forward(60))])
    body = kept(db, families.INCIDENTS, "i1")["i1"]
    assert (body["lead"], body["support"], body["alerts"]) == ("ville", ["samu"], 2)
    assert body["filters"] == ["feux", "incendie"]
    assert body["title"] == {"fr": "Incendie – Cholet", "en": "Fire – Cholet"}
    assert (body["severity_rank"], body["tags"], body["acknowledged"]) == (3, ["rumour"], False)


def test_an_acknowledgement_shows_in_the_incident_and_in_the_deliveries_to_that_agency(db, make, clock):
    incident(db, make)
    sent = clock.forward(5)
    times = {"state": "sent", "trigger_received_at": sent - timedelta(seconds=5), "first_attempt_at": sent}
    with db.write(durable=True) as conn:
        outbox.add(conn, [make.delivery("d1", sent_at=sent, **times), make.delivery("d2", agency="ville")])
        seen = changes.latest(conn)
        outbox.acknowledge(conn, make.acknowledgement(at=clock.forward(90)))
    with db.read() as conn:
        news = changes.after(conn, seen, families.DELIVERIES.tables, 10)
        assert affected(conn, families.DELIVERIES, news) == {"d1", "d2"}
        assert affected(conn, families.INCIDENTS, news) == {"i1"}
    body = kept(db, families.DELIVERIES, "d1", "d2")
    assert (body["d1"]["to_first_attempt_s"], body["d1"]["to_acknowledge_s"]) == (5.0, 90.0)
    assert "acknowledged_at" not in body["d2"]
    assert "garde" not in str(body)
    assert kept(db, families.INCIDENTS, "i1")["i1"]["acknowledged_by"] == ["sdis"]


def test_an_alert_or_a_post_concerns_its_incident(db, make):
    incident(db, make)
    with db.write() as conn:
        seen = changes.latest(conn)
        alerts.add(conn, [make.alert()])
        incidents.unlink(conn, ["file:2"])
        incidents.link(conn, "i1", ["file:2"])
    with db.read() as conn:
        news = changes.after(conn, seen, families.INCIDENTS.tables, 10)
        assert affected(conn, families.INCIDENTS, news) == {"i1"}
        assert affected(conn, families.POSTS, news) == {"file:2"}


def test_what_is_gone_has_no_document(db, make):
    keep(db, make)
    with db.write() as conn:
        posts.delete(conn, ["file:1"])
        news = changes.after(conn, 0, families.POSTS.tables, 10)
        assert affected(conn, families.POSTS, news) == {"file:1"}
    assert kept(db, families.POSTS, "file:1") == {}


def test_sources_holes_and_hours_are_indexed(db, make, clock):
    ended = clock.now + timedelta(seconds=75)
    with db.write() as conn:
        sources.report(conn, SourceHealth("x-flux", "on", "", clock.now, received=5, kept=2))
        gaps.put(conn, Gap("gap-1", "x-flux", clock.now, ended, "429", ("feux",), "lost", note="trop tard"))
        hourly.add(conn, clock.now, {"source:x-flux": (7, 3, 60.0)})
        hours = hours_since(conn, clock.now - timedelta(hours=1))
    assert kept(db, families.SOURCES, "x-flux")["x-flux"]["received"] == 5
    assert kept(db, families.GAPS, "gap-1")["gap-1"]["seconds"] == 75.0
    (hour,) = kept(db, families.HOURS, *hours).values()
    assert (hour["kind"], hour["subject"], hour["received"], hour["hour"]) == (
        "source",
        "x-flux",
        7,
        "2026-03-02T12:00:00Z",
    )


@pytest.mark.parametrize("name", [*HAZARDS, None])
def test_titles_use_the_labels_of_the_closed_list(make, name):
    told = title(make.incident(hazard=name, place=None))
    assert told == ({"fr": "Incident", "en": "Incident"} if name is None else HAZARDS[name].label.model_dump())
    assert UNKNOWN not in HAZARDS


def _names(fields, before=""):
    for name, field in fields.items():
        yield f"{before}{name}"
        yield from _names(field.get("properties", {}), f"{before}{name}.")


def _keys(body, before=""):
    for name, value in body.items():
        yield f"{before}{name}"
        if isinstance(value, dict) and name != "position":
            yield from _keys(value, f"{before}{name}.")


def test_every_field_of_a_document_is_in_the_template_of_its_family(db, make, clock):
    test_an_acknowledgement_shows_in_the_incident_and_in_the_deliveries_to_that_agency(db, make, clock)
    keep(db, make, locations=(RENNES,), labels=(APART,), quantities=(Quantity("dead", "about", 1, 0, 1),))
    with db.write() as conn:
        alerts.add(conn, [make.alert()])
        sources.report(conn, SourceHealth("x-flux", "on", "", clock.now, clock.now))
        gaps.put(conn, Gap("gap-1", "x-flux", clock.now, clock.now, "429"))
    with db.read() as conn:
        everything = {
            families.POSTS: ["file:1", "file:2"],
            families.PUBLIC_ORDER: ["file:1"],
            families.INCIDENTS: ["i1"],
            families.ALERTS: ["a1"],
            families.DELIVERIES: ["d1", "d2"],
            families.SOURCES: ["x-flux"],
            families.GAPS: ["gap-1"],
        }
        for family, ids in everything.items():
            known = set(_names(families.template(family.name)["template"]["mappings"]["properties"]))
            known |= set(_names(families.template("position")["template"]["mappings"]["properties"]))
            found = documents(conn, family, ids)
            assert set(found) == set(ids)
            assert {key for one in found.values() for key in _keys(one.body)} <= known
    assert tables.posts.c.author.name not in known
