"""``vigie corpus``: the written corpus, checked, frozen, read a second time and learnt from."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

import click
import orjson

from desk.draw import Curve, chart
from nlp.training.sources import shared_data
from nlp.training.written import agreement as agreeing
from nlp.training.written import blind as blinding
from nlp.training.written import card as carding
from nlp.training.written import curve as learning
from nlp.training.written import freeze as freezing
from nlp.training.written.check import check as checks
from nlp.training.written.finding import Finding, Table
from nlp.training.written.read import CORPUS, PARTS, read_corpus

DRAWN = {"about recall": "about", "emerging_incident recall": "incident", "emerging_incident both right": "incident"}
"""The figures of a curve that are drawn, and how they are called there."""
KEEP = click.option("--keep", is_flag=True, help="Keep the figures in the corpus' folder, for its card.")
SHOWN = 20
"""Faults shown of one check, unless all are asked for."""
FOLDER = click.option(
    "--corpus", "folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=CORPUS,
    help="The folder of the corpus. [default: nlp/corpus]",
)  # fmt: skip
PART = click.option(
    "--part", type=click.Choice(PARTS), default="test", show_default=True, help="The part that is read."
)
JSON = click.option("--json", "as_json", is_flag=True, help="JSON instead of text.")


@click.group(epilog="Example: vigie corpus check --json")
def command() -> None:
    """The posts written for the project (nlp/corpus): check them, measure what they teach, describe them."""


@command.command(epilog="Example: vigie corpus check --tables")
@FOLDER
@JSON
@click.option("--all", "everything", is_flag=True, help="Show every fault, not the first twenty of each check.")
@click.option("--tables", is_flag=True, help="Show the tables too: coverage, style, openings and vocabulary.")
@click.option("--models", is_flag=True, help="Fit heads too: does telling written from real help? Takes some minutes.")
@KEEP
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of what is drawn.")
def check(folder: Path, as_json: bool, everything: bool, tables: bool, models: bool, keep: bool, seed: int) -> None:
    """Every check of the corpus: form, labels, pairs, coverage, near-copies, privacy, style, vocabulary.

    Exit status 1 where one fails; warnings, and checks that could not be made, pass.
    """
    found = []
    for finding in checks(folder, _data(), models=models, seed=seed):
        found.append(finding)
        if as_json:
            click.echo(orjson.dumps(asdict(finding), option=orjson.OPT_NON_STR_KEYS))
        else:
            _print(finding, None if everything else SHOWN, tables)
    if keep:
        carding.keep_findings(found, folder)
    sys.exit(1 if any(finding.ok is False for finding in found) else 0)


@command.command(epilog="Example: vigie corpus freeze")
@FOLDER
def freeze(folder: Path) -> None:
    """Freeze the test part: write the hash of its files to test/FROZEN, once."""
    try:
        click.echo(f"{freezing.freeze(folder)}  {folder / 'test'}")
    except freezing.AlreadyFrozen as error:
        raise click.ClickException(str(error)) from error


@command.command(epilog="Example: vigie corpus blind --part test -o texts.jsonl")
@FOLDER
@PART
@click.option("-o", "--out", type=click.File("wb"), default="-", help="Where to write. [default: standard output]")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the order.")
def blind(folder: Path, part: str, out: BinaryIO, seed: int) -> None:
    """Texts without labels or marks, in an order drawn anew, under ids that tell nothing: for a second reader.

    The second reader writes lines of labels with these ids; `vigie corpus agreement` compares them.
    """
    out.write(_lines(blinding.blind(read_corpus(folder, (part,)).posts, seed=seed)))


@command.command(epilog="Example: vigie corpus agreement second.jsonl --json")
@click.argument("second", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@FOLDER
@PART
@JSON
@KEEP
@click.option("--field", "fields", metavar="NAME", multiple=True, help="Only this one; may be given several times.")
def agreement(second: Path, folder: Path, part: str, as_json: bool, keep: bool, fields: tuple[str, ...]) -> None:
    """Krippendorff's alpha by field between the corpus and a SECOND labelling of it.

    SECOND holds lines {"id", ...labels}: about, relevance, tags, hazard, need, urgency, source, stance, when, refuted,
    and text with its places and quantities marked where these were read too. Defaults are as in the corpus. With
    --field, fields that were not read are left out; what --keep keeps of them stays. Exit status 1 where a line is bad
    or a field stays below .8.
    """
    pairs, faults = agreeing.second(second, read_corpus(folder, (part,)).posts)
    for fault in faults:
        click.echo(str(fault), err=True)
    if not pairs:
        raise click.ClickException(f"{second} holds no reading of a post of the {part} part")
    found = [one for one in agreeing.agreements(pairs) if not fields or one.field in fields]
    if not found:
        raise click.UsageError(f"no such field: {', '.join(fields)}; `vigie corpus agreement SECOND` names them")
    if keep:
        carding.keep_agreements(found, folder)
    if as_json:
        click.echo(_lines(map(asdict, found)), nl=False)
    else:
        click.echo(f"{len(pairs):,} posts read twice")
        for one in found:
            click.echo(_agreed(one))
    sys.exit(1 if faults or any(one.alpha < agreeing.GOAL for one in found) else 0)


@command.command(epilog="Example: vigie corpus curve --steps 0,1 --json")
@FOLDER
@JSON
@KEEP
@click.option("--steps", help="Numbers of rounds to learn from, such as 0,2,4. [default: none, one, … all]")
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="Where to draw the curve (PNG).")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the fits.")
def curve(folder: Path, as_json: bool, keep: bool, steps: str | None, out: Path | None, seed: int) -> None:
    """The learning curve: heads fitted on growing shares of the rounds, measured on what they never saw.

    Reads the folder that VIGIE_SHARED_DATA names. Some minutes to read all texts, then one or two a point.
    """
    data = _data()
    if data is None:
        raise click.ClickException("the curve is measured on real posts: set VIGIE_SHARED_DATA")
    numbers = [int(step) for step in steps.split(",")] if steps else None
    points = []
    for point in learning.curve(learning.material(data, folder), numbers, seed=seed, report=_progress):
        points.append(point)
        if as_json:
            click.echo(orjson.dumps(asdict(point)))
    if not as_json:
        _print_table(carding.curve_table([(point.posts, [asdict(one) for one in point.figures]) for point in points]))
    if keep:
        carding.keep_curve(points, folder)
        out = out or folder / "figures" / "curve.png"
    if out:
        out.write_bytes(_drawn(points))


@command.command(epilog="Example: vigie corpus card")
@FOLDER
def card(folder: Path) -> None:
    """Write the tables of CARD.md and the examples of GUIDE.md anew, from the corpus and the kept figures."""
    for path in carding.write(folder):
        click.echo(str(path))


def _drawn(points: Sequence[learning.Point]) -> bytes:
    """The shares that matter most, over the number of posts learnt from."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for point in points:
        for one in point.figures:
            if one.measure in DRAWN:
                lines.setdefault(f"{one.lang} {DRAWN[one.measure]} {one.task}", []).append((point.posts, one.value))
    chosen = {name: told for name, told in lines.items() if "ordinary" not in name and " seen" not in name}
    curves = [Curve(name.replace("test, ", ""), tuple(told)) for name, told in chosen.items()]
    return chart("Recall where 0.3 % of ordinary posts alarm", "posts of the training part", curves)


def _progress(step: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"  {step}", err=True)


def _agreed(one: agreeing.Agreement) -> str:
    differ = "; ".join(f"{first} / {again} {count}" for first, again, count in one.differ[:3])
    mark = "FAIL" if one.alpha < agreeing.GOAL else "ok  "
    told = f"{mark} {one.field:24} {one.alpha:.3f} [{one.low:.3f}, {one.high:.3f}]  n={one.units:,}"
    return f"{told}  same {one.same:.1%}  {differ}".rstrip()


def _data() -> Path | None:
    try:
        return shared_data()
    except FileNotFoundError as error:
        click.echo(f"Not compared with real posts: {error}", err=True)
        return None


def _print(finding: Finding, shown: int | None, tables: bool) -> None:
    mark = {True: "ok  ", False: "FAIL", None: "--  "}[finding.ok]
    click.echo(f"{mark} {finding.name}: {finding.told}")
    faults = sorted(finding.faults, key=lambda fault: fault.level)
    for fault in faults[:shown]:
        click.echo("     " + str(fault).replace("\n", "\n     "))
    if shown is not None and len(faults) > shown:
        click.echo(f"     … and {len(faults) - shown} more: --all")
    for table in finding.tables if tables else ():
        _print_table(table)


def _print_table(table: Table) -> None:
    click.echo(f"\n  {table.title}")
    rows = [table.columns, *table.rows]
    widths = [max(len(str(row[i])) for row in rows) for i in range(len(table.columns))]
    for row in rows:
        click.echo("  " + "  ".join(_cell(value, width) for value, width in zip(row, widths, strict=True)).rstrip())
    click.echo()


def _cell(value: object, width: int) -> str:
    return str(value).ljust(width) if isinstance(value, str) else str(value).rjust(width)


def _lines(rows: Iterable[object]) -> bytes:
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)
