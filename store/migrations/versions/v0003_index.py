"""The indexes learn what posts are searched by besides their words, and which posts belong to which incident."""

from __future__ import annotations

from alembic import op

from store.migrations.triggers import watch

revision = "0003"
down_revision = "0002"

TABLES = """
CREATE TABLE traits (
    seq INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    source TEXT NOT NULL,
    lang TEXT,
    filters TEXT NOT NULL,
    departement TEXT,
    about FLOAT,
    relevance FLOAT,
    rumour FLOAT,
    emerging_incident FLOAT,
    labels TEXT NOT NULL,
    hazard TEXT,
    need TEXT,
    voice TEXT,
    lat FLOAT,
    lon FLOAT,
    place TEXT,
    incident TEXT,
    PRIMARY KEY (seq)
);
CREATE INDEX traits_created_at ON traits (created_at);
CREATE INDEX traits_hazard ON traits (hazard, created_at) WHERE hazard IS NOT NULL;
CREATE INDEX traits_incident ON traits (incident, created_at) WHERE incident IS NOT NULL;
CREATE INDEX traits_labels ON traits (labels, created_at) WHERE labels <> '[]';
CREATE INDEX traits_position ON traits (lat, lon) WHERE lat IS NOT NULL;
CREATE INDEX public_order_labelled ON public_order (post_id) WHERE labelled
"""

OF_POST = ("created_at", "source", "lang", "filters", "departement", "lat", "lon", "place")
BARE = {
    **{name: f"NEW.{name}" for name in OF_POST},
    **dict.fromkeys(("about", "relevance", "rumour", "emerging_incident", "hazard", "need", "voice"), "NULL"),
    "labels": "'[]'",
}
"""What is known of a post before anybody has read it."""

SPOT = """(SELECT one.value FROM json_each(payload, '$.locations') AS one
    WHERE json_extract(one.value, '$.name') <> '' AND coalesce(json_extract(one.value, '$.role'), 'event') = 'event'
        AND json_extract(one.value, '$.lat') IS NOT NULL
    ORDER BY coalesce(json_extract(one.value, '$.confidence'), 0.5) DESC, one.key LIMIT 1)"""
FILL = f"""INSERT INTO traits (seq, created_at, source, lang, filters, departement, about, relevance, rumour,
    emerging_incident, labels, hazard, need, voice, lat, lon, place, incident)
SELECT posts.seq, posts.created_at, posts.source, coalesce(read.lang, posts.lang), posts.filters, posts.departement,
    about, relevance, rumour, emerging_incident, coalesce(labels, '[]'), hazard, json_extract(payload, '$.need.name'),
    json_extract(payload, '$.source'), iif(spot IS NULL, posts.lat, json_extract(spot, '$.lat')),
    iif(spot IS NULL, posts.lon, json_extract(spot, '$.lon')), iif(spot IS NULL, place, json_extract(spot, '$.name')),
    incident_id
FROM posts LEFT JOIN (SELECT *, {SPOT} AS spot FROM annotations) AS read ON read.post_id = posts.id
LEFT JOIN incident_posts ON incident_posts.post_id = posts.id"""

TRIGGERS = (
    (
        "insert",
        "INSERT ON posts",
        f"INSERT INTO traits (seq, {', '.join(BARE)}) VALUES (NEW.seq, {', '.join(BARE.values())})",
    ),
    (
        "update",
        "UPDATE ON posts",
        f"UPDATE traits SET {', '.join(f'{name} = NEW.{name}' for name in OF_POST)} WHERE seq = OLD.seq",
    ),
    ("delete", "DELETE ON posts", "DELETE FROM traits WHERE seq = OLD.seq"),
    (
        "unread",
        "DELETE ON annotations",
        f"UPDATE traits SET {', '.join(f'{name} = {value}' for name, value in BARE.items())} "
        "FROM posts AS NEW WHERE NEW.id = OLD.post_id AND traits.seq = NEW.seq",
    ),
    *(
        (
            f"incident_{verb}",
            f"{verb} ON incident_posts",
            f"UPDATE traits SET incident = {value} WHERE seq = (SELECT seq FROM posts WHERE id = {row}.post_id)",
        )
        for verb, row, value in (
            ("insert", "NEW", "NEW.incident_id"),
            ("update", "NEW", "NEW.incident_id"),
            ("delete", "OLD", "NULL"),
        )
    ),
)
"""What keeps the traits beside the posts; what was read in a post is written by :mod:`store.annotations`."""


def upgrade() -> None:
    """Fill the traits of the posts that are there, have triggers keep them, and log the changes of incident_posts."""
    conn = op.get_bind()
    for statement in [*TABLES.split(";"), FILL]:
        conn.exec_driver_sql(statement)
    for name, when, body in TRIGGERS:
        conn.exec_driver_sql(f"CREATE TRIGGER traits_{name} AFTER {when} BEGIN {body}; END")
    watch(conn, "incident_posts", "post_id")
