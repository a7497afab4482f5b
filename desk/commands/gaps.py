"""``vigie gaps``: what the sources did not hear, and what became of it."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import click

from config.settings import settings
from store import gaps, times
from store.database import Database
from store.records import Gap


@click.command()
@click.option(
    "--days", type=click.FloatRange(min=0), default=7, show_default=True, help="Holes of the last so many days."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON list.")
def command(days: float, as_json: bool) -> None:
    """List the holes in the sources, newest first: from when to when, why, which filters were deaf, what was filled.

    Those that last or wait to be filled are listed however old they are. Times are UTC.

    Example: vigie gaps --days 30 --json
    """
    db = Database.open(settings().database)
    with db.read() as conn:
        found = [*gaps.in_state(conn, "open", "waiting"), *gaps.since(conn, times.now() - timedelta(days=days))]
    db.close()
    newest = sorted({gap.id: gap for gap in found}.values(), key=lambda gap: gap.started_at, reverse=True)
    if as_json:
        click.echo(json.dumps([_plain(gap) for gap in newest], ensure_ascii=False, indent=1))
        return
    for gap in newest:
        click.echo(_line(gap))
    if not newest:
        click.echo(f"no hole in the last {days:g} days")


def _plain(gap: Gap) -> dict[str, Any]:
    return {name: times.to_iso(v) if isinstance(v, datetime) else v for name, v in asdict(gap).items()}


def _line(gap: Gap) -> str:
    end = times.to_iso(gap.ended_at) if gap.ended_at else "lasts"
    note = f" ({gap.note})" if gap.note else ""
    filters = ", ".join(gap.filters) or "all filters"
    what = f"{gap.source}: {gap.state}, {gap.found} found{note}"
    return f"{times.to_iso(gap.started_at)} – {end}  {what}\n    {gap.reason}; deaf: {filters}"
