"""A database of the first version: what it knew about public order, and the words it copied, find their new places."""

import json
import sqlite3
from contextlib import closing

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from store import alerts, annotations, changes, incidents, migrations
from store.codec import dumps
from store.database import Database

TAGS = {"rumour": 0.1, "public_order_threat": 0.9, "emerging_incident": 0.8}


@pytest.fixture
def old(url, make):
    """A database of version 0001 with a labelled post, one without a score, an event and an alert."""
    with create_engine(url).connect() as connection, connection.begin():
        config = Config()
        config.set_main_option("script_location", str(migrations.FOLDER))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as db:
        for n, tags, labels in ((1, TAGS, ["public_order_threat", "emerging_incident"]), (2, {}, [])):
            post = (f"file:{n}", "file", "fumée", 10 + n, 20 + n, "[]", 0, "Actual", 0, "")
            columns = "id, source, text, created_at, received_at, filters, trusted, status, backfilled, config_version"
            db.execute(f"INSERT INTO posts ({columns}) VALUES ({', '.join('?' * len(post))})", post)
            read = dumps(make.annotation(n, tags=tags, labels=tuple(labels))).decode()
            db.execute(
                "INSERT INTO annotations (post_id, public_order_threat, labels, payload) VALUES (?, ?, ?, ?)",
                (f"file:{n}", tags.get("public_order_threat"), json.dumps(labels), read),
            )
        told = make.incident(why=("fumée",))
        event, alert = dumps(make.event(incident=told)).decode(), dumps(make.alert(incident=told)).decode()
        db.execute("INSERT INTO incident_events VALUES ('e1', 'i1', 'new', 1, ?)", (event,))
        db.execute("INSERT INTO alerts VALUES ('a1', 'i1', 'e1', 1, ?)", (alert,))
        db.commit()
        return db.execute("SELECT max(seq) FROM changes").fetchone()[0]


def test_what_was_found_about_public_order_is_apart_after_the_upgrade(old, url, make):
    db = Database.open(url)
    with db.read() as conn:
        found = annotations.get(conn, ["file:1", "file:2"])
        rows = conn.exec_driver_sql("SELECT labels, payload FROM annotations ORDER BY post_id").all()
        apart = conn.exec_driver_sql("SELECT * FROM public_order").all()
    db.close()
    assert found["file:1"] == make.annotation(1, tags=TAGS, labels=("public_order_threat", "emerging_incident"))
    assert found["file:2"] == make.annotation(2, tags={}, labels=())
    assert json.loads(rows[0].labels) == json.loads(rows[0].payload)["labels"] == ["emerging_incident"]
    assert json.loads(rows[0].payload)["tags"]["public_order_threat"] is None
    assert apart == [("file:1", 0.9, 1, 21)]


def test_words_of_posts_are_gone_from_events_and_alerts_after_the_upgrade(old, url):
    db = Database.open(url)
    with db.read() as conn:
        assert incidents.events(conn, ["e1"])["e1"].incident.why == ()
        assert alerts.get(conn, ["a1"])["a1"].incident.why == ()
    db.close()


def test_the_upgrade_is_no_news_to_a_stage_and_later_changes_are(old, url, make):
    db = Database.open(url)
    with db.write() as conn:
        assert changes.latest(conn) == old
        annotations.put(conn, [make.annotation(1)])
        assert [change.op for change in changes.after(conn, old, ["annotations"], 9)] == ["update"]
    db.close()
