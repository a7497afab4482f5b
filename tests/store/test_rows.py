from dataclasses import replace
from datetime import timedelta

from store import (
    alerts,
    annotations,
    cache,
    changes,
    config_versions,
    incidents,
    ledger,
    outbox,
    posts,
    sources,
    state,
)
from store.records import Geo, LedgerEntry, SourceHealth


def test_a_post_comes_back_as_it_went_in(db, make):
    full = make.post(1, lang="fr", author="ab12", geo=Geo(47.06, -0.88, 200.0, "Cholet"), filters=("feu", "fumee"),
                     trusted=True, departement="49", status="Exercise", backfilled=True, repost_of="file:0",
                     config_version="abc")  # fmt: skip
    plain = make.post(2)
    with db.write() as conn:
        posts.add(conn, [full, plain])
    with db.read() as conn:
        assert posts.get(conn, ["file:2", "file:1", "file:9"]) == {"file:2": plain, "file:1": full}


def test_columns_hold_what_annotations_are_found_by(db, make):
    columns = "post_id, lang, about, relevance, rumour, emerging_incident, labels, hazard"
    with db.write() as conn:
        posts.add(conn, [make.post(1)])
        annotations.put(conn, [make.annotation(1)])
        row = conn.exec_driver_sql(f"SELECT {columns} FROM annotations").one()
    assert row == ("file:1", "fr", 0.9, 0.8, 0.1, 0.9, '["emerging_incident"]', "fire")


def test_what_was_found_about_public_order_stands_apart_and_readers_see_it(db, make):
    tags = {"rumour": 0.1, "public_order_threat": 0.9, "emerging_incident": 0.8}
    one = make.annotation(1, tags=tags, labels=("rumour", "public_order_threat", "emerging_incident"))
    with db.write() as conn:
        posts.add(conn, [make.post(1)])
        annotations.put(conn, [one])
        (payload,) = conn.exec_driver_sql("SELECT payload FROM annotations").one()
        apart = conn.exec_driver_sql("SELECT post_id, score, labelled FROM public_order").all()
        assert annotations.get(conn, ["file:1"]) == {"file:1": one}
        annotations.put(conn, [replace(one, tags=tags | {"public_order_threat": None}, labels=())])
        assert conn.exec_driver_sql("SELECT count(*) FROM public_order").scalar_one() == 0
    assert "0.9" not in payload.split("tags")[1]
    assert '"public_order_threat":null' in payload
    assert apart == [("file:1", 0.9, 1)]


def test_adding_posts_gives_the_new_ids_and_keeps_the_first_of_each(db, make):
    with db.write() as conn:
        assert posts.add(conn, [make.post(1), make.post(2), make.post(1, "encore")]) == ["file:1", "file:2"]
        assert posts.add(conn, [make.post(2, "autre"), make.post(3)]) == ["file:3"]
        assert posts.get(conn, ["file:1"])["file:1"] == make.post(1)
        assert conn.exec_driver_sql("SELECT count(*) FROM posts").scalar_one() == 3


def test_lone_surrogates_and_nul_do_not_stop_a_post(db, make):
    with db.write() as conn:
        posts.add(conn, [make.post(1, "a\0b\ud83dc", geo=Geo(1.0, 2.0, None, "x\udc00"))])
        kept = posts.get(conn, ["file:1"])["file:1"]
    assert (kept.text, kept.geo.place) == ("a\ufffdb\ufffdc", "x\ufffd")


def test_lone_surrogates_do_not_stop_what_people_and_programs_say_of_an_alert(db, make, clock):
    with db.write(durable=True) as conn:
        outbox.add(conn, [make.delivery(contact="garde\udcff")])
        [claimed] = outbox.claim(conn, clock.now, 1, timedelta(seconds=60))
        outbox.failed(conn, claimed, "no\ud800 route\0")
        outbox.acknowledge(conn, make.acknowledgement(by="Ma\udcffud", note="\0vu"))
        sources.report(conn, SourceHealth("x", "off", "\udcff", clock.now))
        ledger.append(conn, [LedgerEntry(clock.now, "acknowledged", "i1", actor="Ma\udcffud")])
        [acknowledgement] = outbox.acknowledgements(conn, ["i1"])["i1"]
        assert (acknowledgement.by, acknowledgement.note) == ("Ma\ufffdud", "\ufffdvu")
        assert (outbox.get(conn, "d1").error, sources.all(conn)[0].reason) == ("no\ufffd route\ufffd", "\ufffd")
        assert ledger.verify(conn) is None


def test_an_annotation_comes_back_as_it_went_in_and_a_deeper_one_replaces_it(db, make):
    deeper = make.annotation(1, depth="full", why=("fumée",))
    with db.write() as conn:
        posts.add(conn, [make.post(1)])
        annotations.put(conn, [make.annotation(1)])
        assert annotations.get(conn, ["file:1"]) == {"file:1": make.annotation(1)}
        annotations.put(conn, [deeper])
        assert annotations.get(conn, ["file:1", "file:2"]) == {"file:1": deeper}


def test_an_annotation_of_a_deleted_post_is_not_kept(db, make):
    with db.write() as conn:
        posts.add(conn, [make.post(1)])
        assert annotations.put(conn, [make.annotation(1), make.annotation(2)]) == 1
        assert list(annotations.get(conn, ["file:1", "file:2"])) == ["file:1"]


def test_an_incident_comes_back_as_it_was_last_put(db, make):
    later = replace(make.incident(), state="watching", revision=2, why=("fumée",))
    with db.write() as conn:
        incidents.put(conn, [make.incident()])
        incidents.put(conn, [later])
        assert incidents.get(conn, "i1") == later
        assert incidents.get(conn, "i2") is None


def test_closed_incidents_are_recent_but_not_active(db, clock, make):
    closed = make.incident("i2", state="closed", updated_at=clock.forward(60), closed_at=clock.now)
    with db.write() as conn:
        incidents.put(conn, [make.incident("i1"), closed, make.incident("i3", state="watching")])
        assert [i.id for i in incidents.active(conn)] == ["i1", "i3"]
        assert [i.id for i in incidents.recent(conn, 2)] == ["i2", "i1"]


def test_posts_are_linked_to_one_incident_in_order_of_time(db, make):
    with db.write() as conn:
        posts.add(conn, [make.post(3), make.post(1), make.post(2)])
        incidents.link(conn, "i1", ["file:1", "file:2", "file:9"])
        incidents.link(conn, "i1", ["file:3"])
        assert incidents.posts_of(conn, "i1", limit=2, newest_first=True) == ["file:3", "file:2"]
        assert incidents.posts_of(conn, "i1", limit=2, newest_first=False) == ["file:1", "file:2"]
        incidents.link(conn, "i2", ["file:2"])
        assert incidents.incident_of(conn, ["file:1", "file:2", "file:9"]) == {"file:1": "i1", "file:2": "i2"}


def test_an_incident_event_is_written_once(db, make):
    with db.write() as conn:
        incidents.add_events(conn, [make.event("e1", reason=("first",))])
        incidents.add_events(conn, [make.event("e1", reason=("again",)), make.event("e2")])
        kept = incidents.events(conn, ["e2", "e1", "e9"])
    assert kept == {"e2": make.event("e2"), "e1": make.event("e1", reason=("first",))}


def test_an_alert_is_written_once_and_found_by_incident(db, clock, make):
    newer = make.alert("a2", at=clock.now + timedelta(seconds=1), incident_id="i2")
    with db.write(durable=True) as conn:
        alerts.add(conn, [make.alert("a1"), newer])
        alerts.add(conn, [make.alert("a1", lead="mairie")])
        assert alerts.get(conn, ["a1", "a9"]) == {"a1": make.alert("a1")}
        assert alerts.of_incident(conn, "i2") == [newer]


def test_a_stage_remembers_values_until_it_puts_none(db):
    with db.write() as conn:
        state.put(conn, "detect", {"a": {"n": 1}, "b": [1, 2]})
        state.put(conn, "detect", {"a": None, "c": 0})
        state.put(conn, "route", {"b": 9})
        assert state.get(conn, "detect") == {"b": [1, 2], "c": 0}


def test_a_configuration_has_the_version_of_its_content_and_the_last_published_is_latest(db, clock):
    first, second = {"agency.yaml": "a: 1"}, {"agency.yaml": "a: 2"}
    with db.write(durable=True) as conn:
        assert config_versions.latest(conn) is None
        version = config_versions.publish(conn, first, "maud", clock.now)
        other = config_versions.publish(conn, second, "maud", clock.now)
        assert config_versions.latest(conn) == (other, second)
        assert config_versions.publish(conn, dict(first), "yanis", clock.now) == version
        assert config_versions.latest(conn) == (version, first)
    assert len(version) == 12


def test_publishing_the_newest_configuration_again_changes_nothing(db, clock):
    with db.write(durable=True) as conn:
        config_versions.publish(conn, {"a": "b"}, "maud", clock.now)
        before = changes.latest(conn)
        config_versions.publish(conn, {"a": "b"}, "yanis", clock.now)
        assert changes.latest(conn) == before


def test_the_last_report_of_each_source_is_kept(db, clock):
    on = SourceHealth("x", "on", "streaming", clock.now, last_post_at=clock.now, received=9, kept=2)
    off = SourceHealth("hand", "off", "not configured", clock.now)
    with db.write() as conn:
        sources.report(conn, replace(on, received=1))
        sources.report(conn, off)
        sources.report(conn, on)
        assert sources.all(conn) == [off, on]


def test_an_answer_of_a_service_is_kept_also_when_it_is_none(db, clock):
    with db.write() as conn:
        cache.put(conn, "ban:nulle part", {"answer": None}, clock.now)
        assert cache.get(conn, "ban:nulle part") == {"answer": None}
        assert cache.get(conn, "ban:ailleurs") is None
