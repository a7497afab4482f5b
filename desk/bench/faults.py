"""``vigie bench faults``: Vigie is harmed in every way that we know of, and what was lost or doubled is counted."""

from __future__ import annotations

import logging
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from random import Random, SystemRandom

import click
import orjson

from desk.trials.registry import trials
from desk.trials.trial import Outcome, Trial

log = logging.getLogger(__name__)
QUICK_KILLS = 5
FORM = "{:<44.44}  {:>6}  {:>8}  {:>5}  {:>7}  {:>16}  {}"
HEAD = FORM.format("fault", "tried", "survived", "lost", "doubled", "longest recovery", "what the desk or the log said")


@click.command(epilog="Example: vigie bench faults --seed 7 --kills 20 --only writers")
@click.option("--seed", type=int, help="Of everything that is drawn. [default: a new one, printed]")
@click.option("--kills", default=300, show_default=True, type=click.IntRange(min=1), help="Kills at random instants.")
@click.option("--only", multiple=True, metavar="NAME", help="This trial; may be given several times.")
@click.option("--quick", is_flag=True, help=f"{QUICK_KILLS} kills, and no trial that takes more than half a minute.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(seed: int | None, kills: int, only: tuple[str, ...], quick: bool, as_json: bool) -> None:
    """Kill, starve and mislead Vigie, and print what it survived, lost and doubled. Ends with 1 where that was any.

    Every trial has a store and receivers of its own, and leaves a running Vigie alone. The seed draws every chance;
    what depends on the machine's speed besides (the instant in which a kill meets the work) does not repeat exactly.
    """
    logging.basicConfig(level=logging.CRITICAL)
    seed = SystemRandom().randrange(1_000_000) if seed is None else seed
    chosen = _chosen(trials(QUICK_KILLS if quick else kills), only, quick)
    if not as_json:
        click.echo(f"seed {seed}\n{HEAD}")
    outcomes = []
    for trial, outcome in measured(chosen, seed):
        outcomes.append({"name": trial.name, **asdict(outcome), "good": outcome.good})
        if not as_json:
            click.echo(row(outcome))
    good = all(one["good"] for one in outcomes)
    if as_json:
        click.echo(orjson.dumps({"seed": seed, "good": good, "trials": outcomes}))
    sys.exit(0 if good else 1)


def _chosen(known: Sequence[Trial], only: Sequence[str], quick: bool) -> list[Trial]:
    """The trials of these names, or all. Raises click.BadParameter for a name that is none."""
    names = [trial.name for trial in known]
    if unknown := sorted(set(only) - set(names)):
        raise click.BadParameter(f"no trial {', '.join(unknown)}; there are {', '.join(names)}", param_hint="--only")
    return [trial for trial in known if (trial.name in only if only else not (quick and trial.slow))]


def measured(chosen: Sequence[Trial], seed: int) -> Iterator[tuple[Trial, Outcome]]:
    """Each trial with its outcome, as soon as it is there; each draws from the seed and its own name alone."""
    for number, trial in enumerate(chosen, 1):
        _show(f"[{number}/{len(chosen)}] {trial.name} …")
        with tempfile.TemporaryDirectory(prefix=f"vigie-{trial.name}-", ignore_cleanup_errors=True) as folder:
            outcome = settled(trial, Random(f"{seed}:{trial.name}"), Path(folder))
        _show("")
        yield trial, outcome


def settled(trial: Trial, draw: Random, work: Path) -> Outcome:
    """What the trial gave; one that could not be carried through has survived nothing, and says why."""
    with ThreadPoolExecutor(1, thread_name_prefix=trial.name) as alone:
        running = alone.submit(trial.run, draw, work)
    error = running.exception()
    if error is None:
        return running.result()
    log.critical("trial %s ended in an error", trial.name, exc_info=error)
    return Outcome(trial.name, 1, 0, said=f"the trial itself failed: {type(error).__name__}: {error}")


def _show(what: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{what}")
        sys.stderr.flush()


def row(one: Outcome) -> str:
    """The outcome as a line of the table."""
    waited = "-" if one.longest_recovery_s is None else f"{one.longest_recovery_s:.1f} s"
    counts = (f"{one.tried:,}", f"{one.survived:,}", one.lost, one.doubled, waited)
    return FORM.format(one.fault, *counts, one.said)
