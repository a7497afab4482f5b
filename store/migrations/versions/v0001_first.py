"""The first tables, the full-text index, the change log and what protects the ledger."""

from __future__ import annotations

from alembic import op

from store.migrations.triggers import watch

revision = "0001"
down_revision = None

SHARED = {
    "posts": "id",
    "annotations": "post_id",
    "incidents": "id",
    "incident_events": "id",
    "alerts": "id",
    "deliveries": "id",
    "acknowledgements": "incident_id",
    "sources": "source",
    "config_versions": "version",
}

TABLES = """
CREATE TABLE posts (
    seq INTEGER NOT NULL,
    id TEXT NOT NULL,
    source TEXT NOT NULL,
    text TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    lang TEXT,
    author TEXT,
    lat FLOAT,
    lon FLOAT,
    radius_m FLOAT,
    place TEXT,
    filters TEXT NOT NULL,
    trusted BOOLEAN NOT NULL,
    departement TEXT,
    status TEXT NOT NULL,
    backfilled BOOLEAN NOT NULL,
    repost_of TEXT,
    config_version TEXT NOT NULL,
    PRIMARY KEY (seq),
    UNIQUE (id)
);
CREATE INDEX posts_created_at ON posts (created_at);
CREATE TABLE annotations (
    post_id TEXT NOT NULL,
    lang TEXT,
    about FLOAT,
    relevance FLOAT,
    rumour FLOAT,
    public_order_threat FLOAT,
    emerging_incident FLOAT,
    labels TEXT NOT NULL,
    hazard TEXT,
    payload TEXT NOT NULL,
    PRIMARY KEY (post_id)
);
CREATE TABLE incidents (
    id TEXT NOT NULL,
    status TEXT NOT NULL,
    state TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    hazard TEXT,
    severity TEXT NOT NULL,
    revision INTEGER NOT NULL,
    payload TEXT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX incidents_state ON incidents (state, opened_at);
CREATE INDEX incidents_updated_at ON incidents (updated_at);
CREATE TABLE incident_posts (
    post_id TEXT NOT NULL,
    incident_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (post_id)
);
CREATE INDEX incident_posts_incident ON incident_posts (incident_id, created_at);
CREATE TABLE incident_events (
    id TEXT NOT NULL,
    incident_id TEXT NOT NULL,
    event TEXT NOT NULL,
    at BIGINT NOT NULL,
    payload TEXT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX incident_events_incident ON incident_events (incident_id, at);
CREATE TABLE alerts (
    id TEXT NOT NULL,
    incident_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    payload TEXT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX alerts_at ON alerts (at);
CREATE INDEX alerts_incident ON alerts (incident_id, at);
CREATE TABLE deliveries (
    id TEXT NOT NULL,
    alert_id TEXT NOT NULL,
    incident_id TEXT NOT NULL,
    event TEXT NOT NULL,
    agency TEXT NOT NULL,
    role TEXT NOT NULL,
    contact TEXT NOT NULL,
    channel TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    next_at BIGINT,
    first_attempt_at BIGINT,
    sent_at BIGINT,
    error TEXT,
    trigger_received_at BIGINT,
    PRIMARY KEY (id)
);
CREATE INDEX deliveries_incident ON deliveries (incident_id, created_at);
CREATE INDEX deliveries_state ON deliveries (state, next_at);
CREATE TABLE acknowledgements (
    incident_id TEXT NOT NULL,
    agency TEXT NOT NULL,
    "by" TEXT NOT NULL,
    at BIGINT NOT NULL,
    via TEXT NOT NULL,
    delivery_id TEXT,
    note TEXT NOT NULL,
    PRIMARY KEY (incident_id, agency)
);
CREATE TABLE sources (
    source TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    since BIGINT NOT NULL,
    last_post_at BIGINT,
    received INTEGER NOT NULL,
    kept INTEGER NOT NULL,
    PRIMARY KEY (source)
);
CREATE TABLE config_versions (
    version TEXT NOT NULL,
    number INTEGER NOT NULL,
    "by" TEXT NOT NULL,
    at BIGINT NOT NULL,
    files TEXT NOT NULL,
    PRIMARY KEY (version),
    CONSTRAINT config_versions_number UNIQUE (number)
);
CREATE TABLE changes (
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "table" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    op TEXT NOT NULL
);
CREATE INDEX changes_table ON changes ("table", seq);
CREATE TABLE cursors (
    stage TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (stage)
);
CREATE TABLE state (
    stage TEXT NOT NULL,
    "key" TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (stage, "key")
);
CREATE TABLE leases (
    stage TEXT NOT NULL,
    owner TEXT NOT NULL,
    fence INTEGER NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (stage)
);
CREATE TABLE ledger (
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    actor TEXT NOT NULL,
    detail TEXT NOT NULL,
    previous TEXT NOT NULL,
    digest TEXT NOT NULL
);
CREATE INDEX ledger_kind ON ledger (kind, seq);
CREATE INDEX ledger_subject ON ledger (subject, seq);
CREATE TABLE cache (
    "key" TEXT NOT NULL,
    value TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY ("key")
)
"""

# œ and æ are letters of their own for unicode61, so they are spelt out before they are indexed.
FOLDED = "replace(replace(replace(replace({0}, 'œ', 'oe'), 'Œ', 'oe'), 'æ', 'ae'), 'Æ', 'ae')"
OLD, NEW = FOLDED.format("OLD.text"), FOLDED.format("NEW.text")

SEARCH = [
    f"CREATE VIEW posts_folded AS SELECT seq, {FOLDED.format('text')} AS text FROM posts",
    "CREATE VIRTUAL TABLE posts_fts USING fts5(text, content='posts_folded', content_rowid='seq', "
    "tokenize='unicode61 remove_diacritics 2', columnsize=0)",
    f"CREATE TRIGGER posts_fts_insert AFTER INSERT ON posts BEGIN "
    f"INSERT INTO posts_fts (rowid, text) VALUES (NEW.seq, {NEW}); END",
    f"CREATE TRIGGER posts_fts_update AFTER UPDATE OF seq, text ON posts BEGIN "
    f"INSERT INTO posts_fts (posts_fts, rowid, text) VALUES ('delete', OLD.seq, {OLD}); "
    f"INSERT INTO posts_fts (rowid, text) VALUES (NEW.seq, {NEW}); END",
    f"CREATE TRIGGER posts_fts_delete AFTER DELETE ON posts BEGIN "
    f"INSERT INTO posts_fts (posts_fts, rowid, text) VALUES ('delete', OLD.seq, {OLD}); END",
]

LEDGER = [
    f"CREATE TRIGGER ledger_{verb} BEFORE {verb} ON ledger BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
    for verb in ("UPDATE", "DELETE")
]


def upgrade() -> None:
    """Make everything, in the order in which the parts need each other."""
    conn = op.get_bind()
    for statement in [*TABLES.split(";"), *SEARCH, *LEDGER]:
        conn.exec_driver_sql(statement)
    for table, key in SHARED.items():
        watch(conn, table, key)
