"""``vigie ledger``: what was decided, sent and answered, in a log that nobody can quietly change."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import datetime
from typing import Any

import click

from alerts.entries import KINDS
from config.settings import settings
from store import ledger, times
from store.database import Database
from store.records import LedgerEntry

KINDS_HELP = "Only this kind, such as delivery.sent. Those of alerts: " + ", ".join(KINDS)


@click.group(invoke_without_command=True)
@click.option("--kind", help=KINDS_HELP)
@click.option("--subject", help="Only about this id: an incident, an alert or a delivery.")
@click.option("--after", type=click.IntRange(min=0), default=0, help="Only lines after this number.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help="At most so many lines.")
@click.option("--json", "as_json", is_flag=True, help="One JSON list.")
@click.pass_context
def command(ctx: click.Context, kind: str | None, subject: str | None, after: int, limit: int, as_json: bool) -> None:
    """List the ledger, oldest first; `vigie ledger verify` proves that nobody changed it.

    Example: vigie ledger --kind acknowledged --json
    """
    if ctx.invoked_subcommand is not None:
        return
    db = Database.open(settings().database)
    with db.read() as conn:
        found = ledger.entries(conn, after=after, limit=limit, kind=kind, subject=subject)
    db.close()
    if as_json:
        click.echo(json.dumps([_plain(entry) for entry in found], ensure_ascii=False, indent=1))
        return
    for entry in found:
        click.echo(_line(entry))


@command.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def verify(as_json: bool) -> None:
    """Check every line against the one before it; the exit status is 1 where the chain is broken.

    Example: vigie ledger verify
    """
    db = Database.open(settings().database)
    with db.read() as conn:
        bad = ledger.verify(conn)
    db.close()
    said = "the ledger is intact" if bad is None else f"line {bad} is missing, changed or out of order"
    click.echo(json.dumps({"intact": bad is None, "first_bad": bad}) if as_json else said)
    if bad is not None:
        sys.exit(1)


def _plain(entry: LedgerEntry) -> dict[str, Any]:
    return {name: times.to_iso(v) if isinstance(v, datetime) else v for name, v in asdict(entry).items()}


def _line(entry: LedgerEntry) -> str:
    detail = " ".join(f"{name}={_short(value)}" for name, value in entry.detail.items())
    return f"{entry.seq:>6} {times.to_iso(entry.at)} {entry.kind:<20} {entry.subject} {entry.actor} {detail}"


def _short(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
