"""``vigie bench latency``: how soon alerts left, read from the database of an installation that runs or ran."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import click
import orjson
from sqlalchemy import select

from config.settings import settings
from desk.bench.pipeline import percentiles
from store import outbox
from store.database import Database
from store.records import Delivery
from store.tables import deliveries


@click.command(epilog="Example: vigie bench latency --json")
@click.option("--database", help="A SQLite URL. [default: this installation's]")
@click.option("--all-events", is_flag=True, help="Updates too; by default the alerts that opened an incident.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(database: str | None, all_events: bool, as_json: bool) -> None:
    """Time from the receipt of the post that opened the gate to the first attempt to send, p50 and p95.

    Later messages to an agency about the same incident are shown apart: they settle for two minutes on purpose, or
    escalate.
    """
    db = Database.open(database or settings().database)
    with db.read() as conn:
        ids = conn.execute(select(deliveries.c.id).order_by(deliveries.c.created_at)).scalars().all()
        made = [found for id in ids if (found := outbox.get(conn, id))]
    db.close()
    result = measured([each for each in made if all_events or each.event == "new"])
    click.echo(orjson.dumps(result) if as_json else _sentence(result))


def measured(made: Sequence[Delivery]) -> dict[str, float | int | None]:
    """Percentiles of the deliveries that were tried, in milliseconds; ``later`` are not an agency's first."""
    first: dict[tuple[str, str], datetime] = {}
    for each in made:
        told = (each.incident_id, each.agency)
        first[told] = min(first.get(told, each.created_at), each.created_at)
    waits: list[float] = []
    later: list[float] = []
    for each in made:
        if each.first_attempt_at and each.trigger_received_at:
            wait = (each.first_attempt_at - each.trigger_received_at).total_seconds()
            (waits if each.created_at == first[each.incident_id, each.agency] else later).append(wait)
    apart = {f"later_{name}": value for name, value in percentiles(later, 50, 95).items()}
    return {"deliveries": len(waits), **percentiles(waits, 50, 95), "later": len(later), **apart}


def _sentence(result: dict[str, float | int | None]) -> str:
    if not result["deliveries"]:
        return "No alert of an incident was sent yet"
    direct = "{deliveries} messages: p50 {p50_ms} ms, p95 {p95_ms} ms from gate-opening post to first attempt"
    apart = "; {later} later ones, settled or escalated: p50 {later_p50_ms} ms, p95 {later_p95_ms} ms"
    return (direct + (apart if result["later"] else "")).format(**result)
