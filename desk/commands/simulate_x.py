"""``vigie simulate-x``: the stand-in for X, played from a file."""

from __future__ import annotations

import sys
from pathlib import Path
from threading import Event

import click
import orjson

from config.settings import settings
from listeners.standin import script
from listeners.standin.playback import FileFault
from listeners.standin.script import ScriptError
from listeners.standin.server import Options, PortInUse, StandIn


@click.command(epilog="Example: vigie simulate-x listeners/standin/drill.jsonl --speed 6")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Port on 127.0.0.1; 0 takes a free one. [default: VIGIE_STANDIN_PORT or 8712]",
)
@click.option(
    "--speed",
    type=click.FloatRange(0, min_open=True),
    default=1.0,
    show_default=True,
    help="How many times faster than the file's own times.",
)
@click.option("--loop", is_flag=True, help="Start again, with new ids, when the file ends.")
@click.option("--at-once", is_flag=True, help="Play from now, not from the first connection to the stream.")
@click.option(
    "--faults",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A script (YAML) of what breaks when: docs/x.md describes it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line when it listens.")
def command(
    file: Path, port: int | None, speed: float, loop: bool, at_once: bool, faults: Path | None, as_json: bool
) -> None:
    """Speak X's protocol on this machine and play FILE (JSON lines of posts) until interrupted.

    Everything that comes from here is marked as an exercise. Set VIGIE_X_BASE_URL to the address that is printed,
    and any X_BEARER_TOKEN but "rejected" or "forbidden", to listen to it.
    """
    try:
        options = Options(
            port=settings().standin_port if port is None else port,
            speed=speed,
            loop=loop,
            at_once=at_once,
            faults=tuple(script.read(faults)) if faults else (),
        )
        standin = StandIn.of_file(file, options)
    except (FileFault, PortInUse, ScriptError) as error:
        raise click.ClickException(str(error)) from error
    with standin:
        _say(standin, as_json)
        _until_interrupted()


def _say(standin: StandIn, as_json: bool) -> None:
    if as_json:
        click.echo(orjson.dumps({"url": standin.url, **standin.status()}))
    else:
        click.echo(f"The stand-in for X listens on {standin.url} with {len(standin.play.drafts)} posts (exercise only)")
        click.echo(f"Its state: {standin.url}/health", err=True)
    sys.stdout.flush()


def _until_interrupted() -> None:
    try:
        Event().wait()
    except KeyboardInterrupt:
        click.echo("Stopped", err=True)
