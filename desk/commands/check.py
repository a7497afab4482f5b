"""``vigie check``: everything that is wrong with a bundle, at once."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from config.check import check_folder
from config.faults import Fault
from config.settings import settings
from config.vocabulary import HAZARDS, LISTS


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--vocabulary", is_flag=True, help="Print the closed lists instead: hazards, needs, levels, CAP's words.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
def command(folder: Path | None, vocabulary: bool, as_json: bool) -> None:
    """Check the bundle in FOLDER (VIGIE_CONFIG, or config/default): every fault at once, with file, line and advice.

    Exit status 1 where a fault is an error; warnings alone pass.

    \b
    Example: vigie check config/default
    """
    if vocabulary:
        _print_vocabulary(as_json)
        return
    folder = folder or settings().config
    faults = check_folder(folder)
    if as_json:
        ok = not any(fault.level == "error" for fault in faults)
        click.echo(
            json.dumps({"folder": str(folder), "ok": ok, "faults": list(map(asdict, faults))}, ensure_ascii=False)
        )
    else:
        _print(folder, faults)
    if any(fault.level == "error" for fault in faults):
        raise SystemExit(1)


def _print(folder: Path, faults: list[Fault]) -> None:
    for fault in faults:
        click.echo(str(fault))
    errors = sum(fault.level == "error" for fault in faults)
    if faults:
        click.echo(f"{folder}: {errors} errors, {len(faults) - errors} warnings")
    else:
        click.echo(f"{folder}: no fault")


def _print_vocabulary(as_json: bool) -> None:
    hazards = [{"name": h.name, "cap": h.cap, "fr": h.label.fr, "en": h.label.en} for h in HAZARDS.values()]
    others = {
        name: [{"name": item, "fr": label.fr, "en": label.en} for item, label in labels.items()]
        for name, labels in LISTS.items()
    }
    lists: dict[str, list[dict[str, str]]] = {"hazards": hazards, **others}
    if as_json:
        click.echo(json.dumps(lists, ensure_ascii=False))
        return
    for name, rows in lists.items():
        click.echo(f"{name}:")
        for row in rows:
            category = f" [{row['cap']}]" if "cap" in row else ""
            click.echo(f"  {row['name']:<42}{row['fr']} / {row['en']}{category}")
