"""Incidents, with who owns them, who has taken them on, and which filters found their posts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, func, select, true

from store import outbox
from store.batches import batches
from store.codec import from_json
from store.incidents import incident_of
from store.index.documents.document import Document, document, of_incident
from store.records import Acknowledgement, Change, Incident
from store.tables import alerts, incident_posts, incidents, posts

TITLES = Path(__file__).resolve().parent / "titles.json"
UNKNOWN = "incident"


def affected(conn: Connection, changes: Sequence[Change]) -> set[str]:
    """Those that changed themselves, or whose alerts, acknowledgements or posts did."""
    keys: dict[str, set[str]] = {}
    for change in changes:
        keys.setdefault(change.table, set()).add(change.key)
    told = keys.get("incidents", set()) | keys.get("acknowledgements", set())
    told |= set(incident_of(conn, keys.get("incident_posts", ())).values())
    for some in batches(keys.get("alerts", ())):
        told.update(conn.execute(select(alerts.c.incident_id).where(alerts.c.id.in_(some))).scalars())
    return told


def read(conn: Connection, ids: Collection[str]) -> dict[str, Document]:
    """The documents of the incidents that are there."""
    found: dict[str, Document] = {}
    for some in batches(ids):
        rows = conn.execute(select(incidents.c.payload).where(incidents.c.id.in_(some))).scalars()
        there = [from_json(Incident, payload) for payload in rows]
        known = [incident.id for incident in there]
        owned, answered, heard = _owned(conn, known), outbox.acknowledgements(conn, known), _filters(conn, known)
        for one in there:
            fields = {
                **of_incident(one),
                **_of_life(one),
                **owned.get(one.id, {"alerts": 0}),
                **_answer(answered.get(one.id, [])),
                "filters": heard.get(one.id),
                "title": title(one),
            }
            found[one.id] = document(one.id, one.opened_at, fields)
    return found


def title(incident: Incident) -> dict[str, str]:
    """Its name in each language, as ``Incendie – Cholet``."""
    labels = _labels()
    label = labels.get(incident.hazard or UNKNOWN) or labels[UNKNOWN]
    place = f" – {incident.place.name}" if incident.place else ""
    return {lang: f"{word}{place}" for lang, word in label.items()}


def _of_life(incident: Incident) -> dict[str, Any]:
    names = ("state", "first_post_at", "opened_at", "updated_at", "closed_at", "urgency", "verification", "knowledge")
    more = ("operation", "authors_known", "late", "revision", "config_version")
    return {name: getattr(incident, name) for name in (*names, *more)}


def _owned(conn: Connection, ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """Incident id → lead and support of the newest alert about it, and how many there are."""
    counted = {}
    for some in batches(ids):
        newest = func.row_number().over(
            partition_by=alerts.c.incident_id, order_by=(alerts.c.at.desc(), alerts.c.id.desc())
        )
        number = func.count().over(partition_by=alerts.c.incident_id)
        ranked = select(alerts.c.incident_id, alerts.c.payload, newest.label("rank"), number.label("number"))
        ranked_rows = ranked.where(alerts.c.incident_id.in_(some)).subquery()
        for row in conn.execute(select(ranked_rows).where(ranked_rows.c.rank == 1)):
            told = row.payload
            counted[row.incident_id] = {"lead": told["lead"], "support": told.get("support"), "alerts": row.number}
    return counted


def _answer(answers: Sequence[Acknowledgement]) -> dict[str, Any]:
    """Which agencies took it on, in its present life, and when the first of them did."""
    if not answers:
        return {"acknowledged": False}
    by = [one.agency for one in answers]
    return {"acknowledged": True, "acknowledged_by": by, "acknowledged_at": min(one.at for one in answers)}


def _filters(conn: Connection, ids: Collection[str]) -> dict[str, list[str]]:
    """Incident id → the filters that wanted its posts, by name."""
    found: dict[str, list[str]] = {}
    wanted = func.json_each(posts.c.filters).table_valued("value")
    for some in batches(ids):
        pairs = (
            select(incident_posts.c.incident_id, wanted.c.value)
            .select_from(incident_posts.join(posts, posts.c.id == incident_posts.c.post_id).join(wanted, true()))
            .where(incident_posts.c.incident_id.in_(some))
        )
        for incident, name in conn.execute(pairs.distinct().order_by(wanted.c.value)):
            found.setdefault(incident, []).append(name)
    return found


@cache
def _labels() -> Mapping[str, Mapping[str, str]]:
    labels: Mapping[str, Mapping[str, str]] = orjson.loads(TITLES.read_bytes())
    return labels
