"""The tables. What is searched by has a column; the rest of a record travels in its JSON ``payload``.

``SHARED`` are the tables whose every insert, update and delete reaches the change log, with the column that is the
key written there. The triggers that do it are made by the migrations.
"""

from sqlalchemy import Boolean, Column, Float, Index, Integer, MetaData, Table, Text, UniqueConstraint, text

from store.types import FreeText, Json, UtcMicros

metadata = MetaData()

posts = Table(
    "posts",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", FreeText, nullable=False, unique=True),
    Column("source", Text, nullable=False),
    Column("text", FreeText, nullable=False),
    Column("created_at", UtcMicros, nullable=False),
    Column("received_at", UtcMicros, nullable=False),
    Column("lang", FreeText),
    Column("author", FreeText),
    Column("lat", Float),
    Column("lon", Float),
    Column("radius_m", Float),
    Column("place", FreeText),
    Column("filters", Json, nullable=False),
    Column("trusted", Boolean, nullable=False),
    Column("departement", FreeText),
    Column("status", Text, nullable=False),
    Column("backfilled", Boolean, nullable=False),
    Column("repost_of", FreeText),
    Column("config_version", Text, nullable=False),
    Column("edited_at", UtcMicros),
    Index("posts_created_at", "created_at"),
    Index("posts_received_at", "received_at"),
)

annotations = Table(
    "annotations",
    metadata,
    Column("post_id", FreeText, primary_key=True),
    Column("lang", FreeText),
    Column("about", Float),
    Column("relevance", Float),
    Column("rumour", Float),
    Column("emerging_incident", Float),
    Column("labels", Json, nullable=False),
    Column("hazard", Text),
    Column("payload", Json, nullable=False),
)

traits = Table(
    "traits",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("created_at", UtcMicros, nullable=False),
    Column("source", Text, nullable=False),
    Column("lang", FreeText),
    Column("filters", Json, nullable=False),
    Column("departement", FreeText),
    Column("about", Float),
    Column("relevance", Float),
    Column("rumour", Float),
    Column("emerging_incident", Float),
    Column("labels", Json, nullable=False),
    Column("hazard", Text),
    Column("need", Text),
    Column("voice", Text),
    Column("lat", Float),
    Column("lon", Float),
    Column("place", FreeText),
    Column("incident", Text),
    Index("traits_created_at", "created_at"),
    Index("traits_hazard", "hazard", "created_at", sqlite_where=text("hazard IS NOT NULL")),
    Index("traits_incident", "incident", "created_at", sqlite_where=text("incident IS NOT NULL")),
    Index("traits_labels", "labels", "created_at", sqlite_where=text("labels <> '[]'")),
    Index("traits_position", "lat", "lon", sqlite_where=text("lat IS NOT NULL")),
)
"""What posts are searched by besides their words, in narrow rows; made of the other tables, kept by triggers and
:mod:`store.annotations`."""

incidents = Table(
    "incidents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("status", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("opened_at", UtcMicros, nullable=False),
    Column("updated_at", UtcMicros, nullable=False),
    Column("hazard", Text),
    Column("severity", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("payload", Json, nullable=False),
    Index("incidents_state", "state", "opened_at"),
    Index("incidents_updated_at", "updated_at"),
)

incident_posts = Table(
    "incident_posts",
    metadata,
    Column("post_id", FreeText, primary_key=True),
    Column("incident_id", Text, nullable=False),
    Column("created_at", UtcMicros, nullable=False),
    Index("incident_posts_incident", "incident_id", "created_at"),
)

incident_events = Table(
    "incident_events",
    metadata,
    Column("id", Text, primary_key=True),
    Column("incident_id", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("at", UtcMicros, nullable=False),
    Column("payload", Json, nullable=False),
    Index("incident_events_incident", "incident_id", "at"),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("incident_id", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("at", UtcMicros, nullable=False),
    Column("payload", Json, nullable=False),
    Index("alerts_incident", "incident_id", "at"),
    Index("alerts_at", "at"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("alert_id", Text, nullable=False),
    Column("incident_id", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("contact", FreeText, nullable=False),
    Column("channel", Text, nullable=False),
    Column("created_at", UtcMicros, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", UtcMicros),
    Column("first_attempt_at", UtcMicros),
    Column("sent_at", UtcMicros),
    Column("error", FreeText),
    Column("trigger_received_at", UtcMicros),
    Column("quoted", Json, nullable=False, default=()),
    Column("fence", Integer),
    Column("fault", Text),
    Index("deliveries_state", "state", "next_at"),
    Index("deliveries_incident", "incident_id", "created_at"),
)

acknowledgements = Table(
    "acknowledgements",
    metadata,
    Column("incident_id", Text, primary_key=True),
    Column("agency", Text, primary_key=True),
    Column("by", FreeText, nullable=False),
    Column("at", UtcMicros, nullable=False),
    Column("via", Text, nullable=False),
    Column("delivery_id", Text),
    Column("note", FreeText, nullable=False),
    Column("life", Integer, nullable=False, default=0),
)

sources = Table(
    "sources",
    metadata,
    Column("source", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("reason", FreeText, nullable=False),
    Column("since", UtcMicros, nullable=False),
    Column("last_post_at", UtcMicros),
    Column("received", Integer, nullable=False),
    Column("kept", Integer, nullable=False),
)

config_versions = Table(
    "config_versions",
    metadata,
    Column("version", Text, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", UtcMicros, nullable=False),
    Column("files", Json, nullable=False),
    UniqueConstraint("number", name="config_versions_number"),
)

changes = Table(
    "changes",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("table", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("op", Text, nullable=False),
    Index("changes_table", "table", "seq"),
    sqlite_autoincrement=True,
)

cursors = Table(
    "cursors",
    metadata,
    Column("stage", Text, primary_key=True),
    Column("seq", Integer, nullable=False),
)

state = Table(
    "state",
    metadata,
    Column("stage", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", Json, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("stage", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("expires_at", UtcMicros, nullable=False),
)

ledger = Table(
    "ledger",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("at", UtcMicros, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("detail", Json, nullable=False),
    Column("previous", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Index("ledger_subject", "subject", "seq"),
    Index("ledger_kind", "kind", "seq"),
    sqlite_autoincrement=True,
)

cache = Table(
    "cache",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Json, nullable=False),
    Column("at", UtcMicros, nullable=False),
)

gaps = Table(
    "gaps",
    metadata,
    Column("id", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("started_at", UtcMicros, nullable=False),
    Column("ended_at", UtcMicros),
    Column("reason", FreeText, nullable=False),
    Column("filters", Json, nullable=False),
    Column("state", Text, nullable=False),
    Column("found", Integer, nullable=False),
    Column("settled_at", UtcMicros),
    Column("note", FreeText, nullable=False),
    Index("gaps_state", "state", "started_at"),
)

hourly = Table(
    "hourly",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("hour", UtcMicros, primary_key=True),
    Column("received", Integer, nullable=False),
    Column("kept", Integer, nullable=False),
    Column("listened_s", Float, nullable=False),
    Column("last_at", UtcMicros),
    Column("silent_s", Float, nullable=False),
)

aliases = Table(
    "aliases",
    metadata,
    Column("alias", FreeText, primary_key=True),
    Column("post_id", FreeText, nullable=False),
    Index("aliases_post", "post_id"),
)

withdrawals = Table(
    "withdrawals",
    metadata,
    Column("id", Text, primary_key=True),
    Column("post_id", FreeText, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", UtcMicros, nullable=False),
    Column("via", Text, nullable=False),
    Column("incident_id", Text),
    Column("out_of_reach", Json, nullable=False),
    Index("withdrawals_incident", "incident_id", "at"),
    Index("withdrawals_post", "post_id"),
)

set_aside = Table(
    "set_aside",
    metadata,
    Column("stage", Text, primary_key=True),
    Column("key", FreeText, primary_key=True),
    Column("tries", Integer, nullable=False),
    Column("reason", FreeText, nullable=False),
    Column("at", UtcMicros, nullable=False),
)

holds = Table(
    "holds",
    metadata,
    Column("id", Text, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("by", FreeText, nullable=False),
    Column("reason", FreeText, nullable=False),
    Column("legal_basis", FreeText, nullable=False),
    Column("since", UtcMicros, nullable=False),
    Column("until", UtcMicros),
    Column("released_at", UtcMicros),
    Column("released_by", FreeText),
)

anchors = Table(
    "anchors",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("place", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("at", UtcMicros, nullable=False),
    Column("receipt", FreeText, nullable=False),
)

public_order = Table(
    "public_order",
    metadata,
    Column("post_id", FreeText, primary_key=True),
    Column("score", Float, nullable=False),
    Column("labelled", Boolean, nullable=False),
    Column("at", UtcMicros, nullable=False),
    Index("public_order_at", "at"),
    Index("public_order_labelled", "post_id", sqlite_where=text("labelled")),
)

SHARED = {
    "posts": "id",
    "annotations": "post_id",
    "incidents": "id",
    "incident_posts": "post_id",
    "incident_events": "id",
    "alerts": "id",
    "deliveries": "id",
    "acknowledgements": "incident_id",
    "sources": "source",
    "config_versions": "version",
    "gaps": "id",
    "withdrawals": "id",
    "holds": "id",
}
