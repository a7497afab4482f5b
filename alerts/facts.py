"""What a message is written from, read when it is sent: posts deleted by then are not quoted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from alerts.errors import PermanentError
from alerts.messages.message import Facts, cleared
from config.world import World
from store import alerts, outbox, posts
from store import annotations as understood
from store.records import Alert, Delivery, Post

QUOTED = 6


def gather(conn: Connection, world: World, delivery: Delivery, now: datetime) -> Facts:
    """The facts of one delivery as they are now. Raises PermanentError where its alert is gone."""
    alert = alerts.get(conn, [delivery.alert_id]).get(delivery.alert_id)
    if alert is None:
        raise PermanentError("no-alert", f"the alert of delivery {delivery.id} is gone")
    others = [one for one in outbox.of_incident(conn, delivery.incident_id) if one.event != "withdrawal"]
    told = dict.fromkeys(one.agency for one in others if _told(one, now))
    before = (one for one in others if one.agency == delivery.agency and one.alert_id == alert.id)
    relayed = any(one.created_at < delivery.created_at for one in before)
    return Facts(alert, delivery, tuple(told), _quotable(conn, world, alert, delivery.agency), world, now, relayed)


def _told(delivery: Delivery, now: datetime) -> bool:
    """Whether a delivery was sent, or is about to be."""
    put_off = delivery.first_attempt_at is None and delivery.next_at is not None and delivery.next_at > now
    return delivery.state not in ("cancelled", "failed") and not put_off


def _quotable(conn: Connection, world: World, alert: Alert, agency: str) -> tuple[Post, ...]:
    """The posts that may be quoted to an agency, as they are now: deleted ones are gone, threats for few eyes."""
    evidence = alert.incident.evidence[:QUOTED]
    found, read = posts.get(conn, evidence), understood.get(conn, evidence)
    allowed = cleared(world.bundle, agency)
    threats = {one for one, annotation in read.items() if "public_order_threat" in annotation.labels}
    return tuple(found[one] for one in evidence if one in found and (allowed or one not in threats))
