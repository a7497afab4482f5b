"""``vigie bench hostile``: generated input comes to every door, and what it did there is counted."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click
import orjson

from config.settings import ROOT

DOORS = ROOT / "tests" / "hostile"
ENOUGH = 10_000
FORM = "{:<26.26}  {:>7}  {:>6}  {:>12}  {:>11}"
HEAD = FORM.format("door", "cases", "failed", "slowest", "peak memory")
_SPOILT = (0, 1)
"""What pytest ends with where every test ran: all passed, or some failed."""


@click.command(epilog="Example: vigie bench hostile --seed 7 --only yaml")
@click.option("--seed", type=int, help="Of other cases than the same ones each time.")
@click.option("--share", default=1.0, show_default=True, type=click.FloatRange(min=0.001), help="Of all cases.")
@click.option("--only", metavar="NAME", help="These doors: http, json_lines, receivers, stream_lines or yaml.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(seed: int | None, share: float, only: str | None, as_json: bool) -> None:
    """Send generated input to every door of Vigie, in one process, and print how many cases ran, how many failed (were
    not answered, or crashed, hung or took more than 1.5 GB), the slowest, and the peak of memory.

    Needs a checkout: the doors are those of its tests, which run a fifth of the cases. A failure is counted again
    each time that it is made smaller. Ends with 1 where a case failed, or fewer than 10,000 ran without `--only`.
    """
    doors, log = run(seed, share, only)
    whole = only is None and share >= 1
    good = content(doors.values(), whole=whole)
    if as_json:
        told = {"seed": seed, "good": good, "cases": sum(one["cases"] for one in doors.values()), "doors": doors}
        click.echo(orjson.dumps(told))
    else:
        click.echo("\n".join([HEAD, *(row(name, one) for name, one in doors.items()), total(doors)]))
    if not good:
        click.echo(log[-4000:], err=True)
    sys.exit(0 if good else 1)


def run(seed: int | None, share: float, only: str | None) -> tuple[dict[str, dict[str, Any]], str]:
    """What came to each door, and what pytest printed. Raises click.ClickException where the doors cannot be tried."""
    file = DOORS / f"test_{only}.py" if only else DOORS
    if not file.exists():
        raise click.ClickException(f"{file} is not there: give --only a door, in a checkout with its tests")
    with tempfile.TemporaryDirectory() as work:
        tally = Path(work) / "tally.json"
        env = {**os.environ, "VIGIE_CASES": str(share), "VIGIE_TALLY": str(tally)}
        env |= {"VIGIE_SEED": str(seed)} if seed is not None else {}
        seeded = [f"--hypothesis-seed={seed}"] if seed is not None else []
        omitted = [f"--ignore={DOORS / 'test_how_many.py'}", "--timeout=3600", "-p", "no:cacheprovider", "-n", "0"]
        argv = [sys.executable, "-m", "pytest", *omitted, *seeded, str(file)]
        done = subprocess.run(argv, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode not in _SPOILT or not tally.exists():
            raise click.ClickException(f"the doors could not be tried: {(done.stdout + done.stderr)[-2000:]}")
        return orjson.loads(tally.read_bytes()), done.stdout


def content(doors: Iterable[Mapping[str, Any]], *, whole: bool) -> bool:
    """Whether no case failed and, of a ``whole`` run, enough of them ran."""
    found = list(doors)
    return not any(one["failed"] for one in found) and (not whole or sum(one["cases"] for one in found) >= ENOUGH)


def row(name: str, door: Mapping[str, Any]) -> str:
    """A line of the table."""
    slowest, peak = f"{door['slowest_s']:.2f} s", f"{door['peak_mb']:,.0f} MB"
    return FORM.format(name, f"{door['cases']:,}", door["failed"], slowest, peak)


def total(doors: Mapping[str, Mapping[str, Any]]) -> str:
    """The last line of the table."""
    counted = {key: sum(one[key] for one in doors.values()) for key in ("cases", "failed")}
    most = {key: max((one[key] for one in doors.values()), default=0.0) for key in ("slowest_s", "peak_mb")}
    return row("all", counted | most)
