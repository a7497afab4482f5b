"""``vigie evaluate``: the figures of the shipped models, measured on what they have not seen."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click
import orjson

from nlp.training.evaluate import evaluate
from nlp.training.figures import Figure
from nlp.training.sources import shared_data


@click.command()
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the fits.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON lines.")
def command(seed: int, as_json: bool) -> None:
    """Measure the models on events, hazards and ordinary posts that they have not seen, by language, with intervals.

    Reads the folder that VIGIE_SHARED_DATA names (../shared/data without it). Takes some minutes.

    Example: vigie evaluate --json > figures.jsonl
    """
    try:
        figures = evaluate(shared_data(), seed=seed, report=_progress)
    except FileNotFoundError as error:
        raise click.ClickException(str(error)) from error
    for figure in figures:
        click.echo(orjson.dumps(asdict(figure)) if as_json else _line(figure))


def _line(figure: Figure) -> str:
    between = "" if figure.low is None else f"  [{figure.low:.4f}, {figure.high:.4f}]"
    return f"{figure.task:36} {figure.lang:4} {figure.measure:32} {figure.value:.4f}  n={figure.n:,}{between}"


def _progress(step: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"  {step}", err=True)
