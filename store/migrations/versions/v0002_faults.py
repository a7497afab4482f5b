"""Holes in the sources, counts by the hour, deletions at the source, legal holds, anchors of the ledger."""

from __future__ import annotations

from alembic import op

from store.migrations.triggers import watch

revision = "0002"
down_revision = "0001"

SHARED = {
    "posts": "id",
    "annotations": "post_id",
    "deliveries": "id",
    "acknowledgements": "incident_id",
    "gaps": "id",
    "withdrawals": "id",
    "holds": "id",
}

TABLES = """
ALTER TABLE posts ADD COLUMN edited_at BIGINT;
CREATE INDEX posts_received_at ON posts (received_at);
ALTER TABLE deliveries ADD COLUMN quoted TEXT NOT NULL DEFAULT '[]';
ALTER TABLE deliveries ADD COLUMN fence INTEGER;
ALTER TABLE deliveries ADD COLUMN fault TEXT;
ALTER TABLE acknowledgements ADD COLUMN life INTEGER NOT NULL DEFAULT 0;
CREATE TABLE gaps (
    id TEXT NOT NULL,
    source TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    reason TEXT NOT NULL,
    filters TEXT NOT NULL,
    state TEXT NOT NULL,
    found INTEGER NOT NULL,
    settled_at BIGINT,
    note TEXT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX gaps_state ON gaps (state, started_at);
CREATE TABLE hourly (
    subject TEXT NOT NULL,
    hour BIGINT NOT NULL,
    received INTEGER NOT NULL,
    kept INTEGER NOT NULL,
    listened_s FLOAT NOT NULL,
    last_at BIGINT,
    silent_s FLOAT NOT NULL,
    PRIMARY KEY (subject, hour)
);
CREATE TABLE aliases (
    alias TEXT NOT NULL,
    post_id TEXT NOT NULL,
    PRIMARY KEY (alias)
);
CREATE INDEX aliases_post ON aliases (post_id);
CREATE TABLE withdrawals (
    id TEXT NOT NULL,
    post_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    at BIGINT NOT NULL,
    via TEXT NOT NULL,
    incident_id TEXT,
    out_of_reach TEXT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX withdrawals_incident ON withdrawals (incident_id, at);
CREATE INDEX withdrawals_post ON withdrawals (post_id);
CREATE TABLE set_aside (
    stage TEXT NOT NULL,
    "key" TEXT NOT NULL,
    tries INTEGER NOT NULL,
    reason TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (stage, "key")
);
CREATE TABLE holds (
    id TEXT NOT NULL,
    subject TEXT NOT NULL,
    by TEXT NOT NULL,
    reason TEXT NOT NULL,
    legal_basis TEXT NOT NULL,
    since BIGINT NOT NULL,
    until BIGINT,
    released_at BIGINT,
    released_by TEXT,
    PRIMARY KEY (id)
);
CREATE TABLE anchors (
    seq INTEGER NOT NULL,
    place TEXT NOT NULL,
    digest TEXT NOT NULL,
    at BIGINT NOT NULL,
    receipt TEXT NOT NULL,
    PRIMARY KEY (seq, place)
);
CREATE TABLE public_order (
    post_id TEXT NOT NULL,
    score FLOAT NOT NULL,
    labelled BOOLEAN NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (post_id)
);
CREATE INDEX public_order_at ON public_order (at)
"""

_OTHERS = "(SELECT json_group_array(value) FROM json_each(labels) WHERE value <> 'public_order_threat')"
APART = [
    """INSERT INTO public_order (post_id, score, labelled, at)
    SELECT post_id, public_order_threat, labels LIKE '%"public_order_threat"%', received_at
    FROM annotations JOIN posts ON id = post_id WHERE public_order_threat IS NOT NULL""",
    f"""UPDATE annotations SET labels = {_OTHERS}, payload = json_set(
        payload, '$.tags.public_order_threat', NULL, '$.labels', json({_OTHERS}))
    WHERE public_order_threat IS NOT NULL""",
    *(f'DROP TRIGGER "changes_annotations_{name}"' for name in ("insert", "update", "move", "delete")),
    "ALTER TABLE annotations DROP COLUMN public_order_threat",
]
"""What was found about public order moves to its own table."""

WORDS = [
    f"UPDATE {table} SET payload = json_set(payload, '$.incident.why', json('[]'))"
    for table in ("incident_events", "alerts")
]
"""Words of posts leave what is never changed again: nobody could take them back there."""


def upgrade() -> None:
    """Add the tables and columns, and log the changes of those that are shared.

    What moves inside a record is no news to a stage: the change log does not tell of it.
    """
    conn = op.get_bind()
    for statement in TABLES.split(";"):
        conn.exec_driver_sql(statement)
    newest = conn.exec_driver_sql("SELECT coalesce(max(seq), 0) FROM changes").scalar_one()
    for statement in [*APART, *WORDS]:
        conn.exec_driver_sql(statement)
    conn.exec_driver_sql("DELETE FROM changes WHERE seq > ?", (newest,))
    for table, key in SHARED.items():
        watch(conn, table, key)
