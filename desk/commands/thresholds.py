"""``vigie thresholds``: which operating point keeps within a number of pages a night, and what it would have missed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import timedelta

import click

from config.settings import settings
from desk.commands.desk import adopted
from nlp.detect.again import Outcome, outcomes
from store import times
from store.database import Database

SCORES = tuple(round(0.3 + 0.05 * step, 2) for step in range(14))
FORM = "{:>9}  {:>9}  {:>13}  {:>21}  {:>19}"


@click.command()
@click.option(
    "--pages-a-night",
    "budget",
    type=click.FloatRange(min=0),
    default=2,
    show_default=True,
    help="How many new incidents between 22 and 6 o'clock, local, are bearable.",
)
@click.option("--days", type=click.IntRange(1, 90), default=30, show_default=True, help="Of the last so many days.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(budget: float, days: int, as_json: bool) -> None:
    """Print, for each value of `gate.min_score`, what the last days would have paged, and which of the incidents that
    the desk confirmed would have been missed; and name the value that keeps within the budget.

    Decisions are taken again in memory, on what the store holds; nothing is changed, nobody is told.

    Example: vigie thresholds --pages-a-night 2
    """
    chosen, now = settings(), times.now()
    with closing(Database.open(chosen.database)) as db:
        world = adopted(db, chosen)()
        found = list(outcomes(db, world, SCORES, now - timedelta(days=days), now))
    best = within(found, budget, days)
    if as_json:
        asked = {"days": days, "budget": budget, "now": world.bundle.gate.min_score, "min_score": best}
        click.echo(json.dumps(asked | {"points": [asdict(one) for one in found]}))
        return
    click.echo("\n".join(_table(found, days)))
    click.echo(f"\nin force: gate.min_score: {world.bundle.gate.min_score:g}")
    click.echo(
        f"at most {budget:g} a night: " + (f"gate.min_score: {best:g}" if best else "no value keeps within that")
    )


def within(found: Sequence[Outcome], budget: float, days: int) -> float | None:
    """The lowest score from which on no more than ``budget`` incidents a night would have been opened."""
    kept: float | None = None
    for one in sorted(found, key=lambda each: -each.min_score):
        if one.at_night > budget * days:
            break
        kept = one.min_score
    return kept


def _table(found: Sequence[Outcome], days: int) -> list[str]:
    lines = [FORM.format("min_score", "incidents", "a night", "confirmed, found", "refuted, opened")]
    for one in found:
        confirmed, refuted = f"{one.found} of {one.confirmed}", f"{one.mistaken} of {one.refuted}"
        lines.append(FORM.format(f"{one.min_score:g}", one.opened, f"{one.at_night / days:.2f}", confirmed, refuted))
    return lines
