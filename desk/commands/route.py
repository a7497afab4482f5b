"""``vigie route``: who would be told of an incident, and why."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import click

from alerts import line
from alerts.errors import LineError
from alerts.router import route
from config.faults import BundleError
from config.settings import settings
from config.world import World
from store import times


class Moment(click.ParamType[datetime]):
    """A time in ISO 8601 with its zone."""

    name = "time"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The time in UTC, or a usage error."""
        try:
            return times.from_iso(value)
        except ValueError as error:
            self.fail(f"{error}", param, ctx)


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option("--explain", is_flag=True, help="Write recipients and rejected with their reasons, as JSON.")
@click.option("--config", "folder", type=click.Path(path_type=Path, file_okay=False), help="The bundle to ask.")
@click.option("--at", type=Moment(), help="Decide as if it were this time, such as 2026-03-02T03:12:00+01:00.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON, as --explain does.")
def command(file: BinaryIO, explain: bool, folder: Path | None, at: datetime | None, as_json: bool) -> None:
    """Say who would be told of the incident in FILE (- for standard input). Nobody is told.

    FILE holds one JSON object with the fields of a line that `vigie replay` writes. Nothing is remembered: whoever
    should know is told, as if the incident were heard of for the first time.

    Example: head -n 1 alerts.jsonl | vigie route - --explain
    """
    try:
        world = World.load(folder or settings().config)
        told = line.event(line.one_object(file.read()), at)
    except BundleError as error:
        raise click.ClickException(str(error)) from error
    except LineError as error:
        name = getattr(file, "name", "standard input")
        raise click.ClickException(f"{name}: {error}") from error
    routing = route(told, world, told.at)
    if explain or as_json:
        click.echo(json.dumps(routing.explain(), ensure_ascii=False, indent=2))
        return
    for one in routing.recipients:
        click.echo(f"{one.agency} ({one.role}) {one.contact} by {one.channel}, {times.to_iso(one.at)}: {one.reason}")
    if not routing.recipients:
        click.echo("; ".join(("nobody is told", *routing.reason)))
