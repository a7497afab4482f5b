"""``vigie hold``: what must not be erased by age while somebody answers for keeping it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click
from sqlalchemy import Connection

from config.settings import settings
from store import holds, times
from store.database import Database
from store.records import Hold

AS_JSON = click.option("--json", "as_json", is_flag=True, help="JSON.")


@click.group()
def command() -> None:
    """Legal holds: keep an incident, a post, or everything from being erased by age. Each goes to the ledger.

    What its source deletes is deleted all the same.

    Example: vigie hold list
    """


@command.command()
@click.argument("subject")
@click.option("--by", required=True, help="Who answers for it.")
@click.option("--reason", required=True, help="Why it must be kept.")
@click.option("--legal-basis", required=True, help="On what ground.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Its end (UTC); without it, until it is released.")
@AS_JSON
def add(subject: str, by: str, reason: str, legal_basis: str, until: datetime | None, as_json: bool) -> None:
    """Keep SUBJECT: incident:ID (with its posts, alerts and messages), post:ID, or all.

    Example: vigie hold add incident:inc-4f1c --by "Prefect's office" --reason inquiry --legal-basis "order 12"
    """
    now, end = times.now(), until.replace(tzinfo=UTC) if until else None
    if not all(part.strip() for part in (by, reason, legal_basis)):
        raise click.BadParameter("--by, --reason and --legal-basis cannot be empty")
    if end and end <= now:
        raise click.BadParameter(f"{end:%Y-%m-%d} is over", param_hint="--until")
    try:
        with _written() as conn:
            made = holds.place(conn, subject, by=by, reason=reason, legal_basis=legal_basis, now=now, until=end)
    except holds.NoSuchThing as error:
        raise click.BadParameter(str(error), param_hint="SUBJECT") from error
    click.echo(json.dumps(_plain(made, now), ensure_ascii=False) if as_json else _line(made, now))


@command.command("list")
@click.option("--all", "every", is_flag=True, help="Also those that have ended.")
@AS_JSON
def list_holds(every: bool, as_json: bool) -> None:
    """List the holds in force.

    Example: vigie hold list --all --json
    """
    db, now = Database.open(settings().database), times.now()
    with db.read() as conn:
        found = [hold for hold in holds.every(conn) if every or holds.in_force(hold, now)]
    db.close()
    if as_json:
        click.echo(json.dumps([_plain(hold, now) for hold in found], ensure_ascii=False, indent=1))
        return
    for hold in found:
        click.echo(_line(hold, now))


@command.command()
@click.argument("hold")
@click.option("--by", required=True, help="Who releases it.")
@AS_JSON
def release(hold: str, by: str, as_json: bool) -> None:
    """End the hold of that id: what is too old then goes with the next retention.

    Example: vigie hold release hold-3f7a0c --by "Prefect's office"
    """
    now = times.now()
    with _written() as conn:
        ended = holds.release(conn, hold, by=by, now=now)
    if ended is None:
        raise click.BadParameter(f"there is no hold {hold!r} in force: see vigie hold list", param_hint="HOLD")
    click.echo(json.dumps(_plain(ended, now), ensure_ascii=False) if as_json else _line(ended, now))


@contextmanager
def _written() -> Iterator[Connection]:
    db = Database.open(settings().database)
    try:
        with db.write(durable=True) as conn:
            yield conn
    finally:
        db.close()


def _plain(hold: Hold, now: datetime) -> dict[str, Any]:
    told = {name: times.to_iso(v) if isinstance(v, datetime) else v for name, v in asdict(hold).items()}
    return told | {"in_force": holds.in_force(hold, now)}


def _line(hold: Hold, now: datetime) -> str:
    end = "released" if hold.released_at else f"until {hold.until:%Y-%m-%d}" if hold.until else "until released"
    state = end if holds.in_force(hold, now) or hold.released_at else "over"
    return (
        f"{hold.id} {hold.subject} since {hold.since:%Y-%m-%d} {state}: {hold.reason} ({hold.legal_basis}), {hold.by}"
    )
