"""`vigie watch`: the stages in one process, without Airflow."""

from __future__ import annotations

import logging
import signal
import sys
import threading

import click

import vigie
from store.leases import LeaseLost, alive, holder


@click.command()
@click.option("--seconds", type=click.FloatRange(min=0), default=0, help="End after so many seconds; 0: never.")
def command(seconds: float) -> None:
    """Run the five stages here: listen, understand, dispatch; and what runs now and then, such as searches.

    Says who runs them where somebody does already.

    Example: vigie watch --seconds 60
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    house = vigie.open_house()
    _refuse_held(house)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: house.stop.set())
    failed: list[str] = []
    threads = [threading.Thread(target=_run, args=(name, house, failed), name=name) for name in vigie.TASKS]
    schedules = threading.Thread(target=vigie.run_schedules, args=(house,), name="schedules", daemon=True)
    for thread in (*threads, schedules):
        thread.start()
    house.stop.wait(seconds or None)
    house.stop.set()
    for thread in threads:
        thread.join()
    if failed:
        sys.exit(1)


def _run(name: str, house: vigie.House, failed: list[str]) -> None:
    """Run one task; one that ends in an error is named in ``failed``, and ends the others."""
    failed.append(name)
    try:
        vigie.run_task(name, house)
        failed.remove(name)
    except LeaseLost as lost:
        logging.getLogger("vigie.watch").error("%s", lost)
    finally:
        house.stop.set()


def _refuse_held(house: vigie.House) -> None:
    with house.db.read() as conn:
        held = [lease for stage in vigie.STAGES if (lease := holder(conn, stage.name))]
    others = sorted({lease.owner for lease in held if alive(lease, house.clock())})
    if others:
        raise click.ClickException(f"the stages are run by {', '.join(others)}: end that first")
