"""``vigie bench replay``: recorded crises through ``vigie replay``: how many alerts, and how soon the first."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import orjson

from config.settings import ROOT
from config.world import World
from desk.replay import Played, replay
from nlp.crew import Crew
from store.records import Alert

FOLDERS = ("crisislex_t6", "crisislex_t26")
COLUMNS = (
    ("file", "{:<32}"),
    ("posts", "{:>7,}"),
    ("incidents", "{:>9}"),
    ("new", "{:>4}"),
    ("update", "{:>6}"),
    ("closed", "{:>6}"),
    ("first_after_posts", "{!s:>17}"),
    ("first_after", "{!s:>16}"),
    ("voices", "{!s:>6}"),
    ("hazard", "{!s:<14}"),
    ("place", "{!s:<18.18}"),
    ("seconds", "{:>7.1f}"),
    ("ended", "{!s:<5}"),
)


def shared_data() -> Path:
    """Where recorded crises lie: ``VIGIE_SHARED_DATA``, else ``../shared/data`` beside the repository."""
    return Path(os.environ.get("VIGIE_SHARED_DATA", ROOT.parent / "shared" / "data"))


@click.command(epilog="Example: vigie bench replay --json")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--config", "folder", type=click.Path(exists=True, path_type=Path), default=ROOT / "config" / "catch-all",
    help="The bundle. [default: config/catch-all]",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object a file.")
def command(files: tuple[Path, ...], folder: Path, as_json: bool) -> None:
    """Play each of FILES by itself (by default every recorded crisis of the shared data), and print a table.

    The first alert counts from the file's first post: in posts, because recorded crises are thin samples, and in time.
    The place and hazard are those of the incident with the most voices, at its end.
    """
    chosen = list(files) or _recorded()
    if not as_json:
        click.echo("  ".join(form.replace(",", "").replace(".1f", "").format(name) for name, form in COLUMNS))
    failed = False
    for row in measured(chosen, World.load(folder)):
        failed |= not row["ended"]
        click.echo(orjson.dumps(row) if as_json else _line(row))
    sys.exit(1 if failed else 0)


def measured(files: Sequence[Path], world: World) -> Iterator[dict[str, Any]]:
    """One row a file: what its replay gave. ``ended`` says that it had no bad line and left no incident open."""
    with closing(Crew().gather()) as crew:
        for path in files:
            with replay([path], world, annotator=crew) as played:
                yield {"file": path.name.partition(".")[0], **_figures(played)}


def _figures(played: Played) -> dict[str, Any]:
    made, summary = played.alerts(), played.summary()
    last = {alert.incident_id: alert for alert in made}
    largest = max(last.values(), key=lambda alert: alert.incident.voices, default=None)
    place = largest.incident.place if largest else None
    return {
        **{key: summary[key] for key in ("posts", "incidents", "new", "update", "closed", "seconds")},
        **_first(played, made),
        "voices": largest.incident.voices if largest else None,
        "hazard": largest.incident.hazard if largest else None,
        "place": place.name if place else None,
        "ended": not played.bad and all(alert.event == "closed" for alert in last.values()),
    }


def _first(played: Played, made: Sequence[Alert]) -> dict[str, Any]:
    """Posts and time from the first post of the file to its first alert, None without one."""
    began = played.stages.began
    if not made or began is None:
        return {"first_after_posts": None, "first_after": None}
    first = made[0]
    before = sum(1 for _ in _until(played, first))
    return {"first_after_posts": before, "first_after": str(first.at - began).partition(".")[0]}


def _until(played: Played, first: Alert) -> Iterator[str]:
    """The posts up to the one that opened the gate."""
    trigger = first.incident.evidence[0].partition(":")[2]
    for native in played.stages.read:
        yield native
        if native == trigger:
            return


def _recorded() -> list[Path]:
    found = [path for name in FOLDERS for path in sorted((shared_data() / name).glob("*.jsonl.gz"))]
    if not found:
        raise click.ClickException(f"no recorded crises under {shared_data()}: name files, or set VIGIE_SHARED_DATA")
    return found


def _line(row: dict[str, Any]) -> str:
    shown = {key: "-" if value is None else value for key, value in row.items()}
    return "  ".join(form.format(shown[name]) for name, form in COLUMNS)
