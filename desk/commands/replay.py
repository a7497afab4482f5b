"""``vigie replay``: all five stages on recorded posts."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click
import orjson

from config.faults import BundleError
from config.settings import ROOT
from config.world import World
from desk.replay import Played, alert_line, replay
from listeners.replay import BadLine


class Speed(click.ParamType[float | None]):
    """``max``, or how many times faster than the posts' own time."""

    name = "max|N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | None:
        """None for ``max``, else a number above 0."""
        if value == "max":
            return None
        try:
            speed = float(value)
        except ValueError:
            speed = 0.0
        if not 0.0 < speed < float("inf"):
            self.fail(f"{value!r} is neither max nor a number above 0, such as 60 for a minute in a second", param, ctx)
        return speed


FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
WRITTEN = click.Path(dir_okay=False, writable=True, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command(epilog="Example: vigie replay posts.jsonl.gz --out alerts.jsonl --config config/catch-all")
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--out", required=True, type=WRITTEN, help="Where alerts go, a JSON line for each event.")
@click.option("--posts", type=WRITTEN, help="Where what became of each post goes, a JSON line each.")
@click.option(
    "--config", "folder", type=FOLDER, default=ROOT / "config" / "default", help="The bundle. [default: config/default]"
)
@click.option("--speed", type=Speed(), default="max", show_default=True, help="max, or times the posts' own pace.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
def command(
    files: tuple[Path, ...], out: Path, posts: Path | None, folder: Path, speed: float | None, as_json: bool
) -> None:
    """Play recorded posts (JSON lines, plain or gzip) through every stage, on their own time; nothing is sent.

    Files are merged by time. After the last post the clock runs on until every incident is closed. Lines that hold no
    post, or no created_at, are told on stderr; the rest goes on, and the exit status is 1.
    """
    _refuse_outputs(files, [path for path in (out, posts) if path])
    try:
        world = World.load(folder)
        with replay(files, world, speed=speed, report=_report, progress=_progress) as played:
            _write(out, map(alert_line, played.alerts()))
            if posts:
                _write(posts, played.posts())
            _summarise(played, as_json)
            failed = bool(played.bad)
    except (BundleError, OSError) as error:
        raise click.ClickException(str(error)) from error
    sys.exit(1 if failed else 0)


def _refuse_outputs(files: Sequence[Path], outputs: Sequence[Path]) -> None:
    """Say before the work, not after it, that a result cannot be written or would overwrite what is read."""
    for path in outputs:
        if not path.parent.is_dir():
            raise click.ClickException(f"{path}: there is no folder {path.parent}; make it first")
        if path.exists() and any(path.samefile(file) for file in files):
            raise click.ClickException(f"{path} is a file to read: give another one to write")


def _write(path: Path, lines: Iterable[dict[str, Any]]) -> None:
    with path.open("wb") as file:
        file.writelines(orjson.dumps(line) + b"\n" for line in lines)


def _report(bad: BadLine) -> None:
    click.echo(f"{bad.file}:{bad.line}: {bad.reason}", err=True)


def _progress(done: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{done:,} posts", nl=False, err=True)


def _summarise(played: Played, as_json: bool) -> None:
    summary = played.summary()
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", nl=False, err=True)
    if as_json:
        click.echo(orjson.dumps(summary))
        return
    click.echo(
        "{posts:,} posts read, {kept:,} kept: {incidents} incidents, alerts {new} new, {update} updates, "
        "{closed} closed; {deliveries} messages recorded, none sent ({seconds} s)".format(**summary)
    )
