"""`vigie watch`: the stages in one process, without Airflow."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import click

import vigie
from store.leases import LeaseLost, alive, holder
from store.owners import gone

ANSWER_S = 3.0
"""How long an answer to a search is waited for at the end; without it, it is asked for again at the next start."""
AGAIN_S = 5.0


@click.command()
@click.option("--seconds", type=click.FloatRange(min=0), default=0, help="End after so many seconds; 0: never.")
def command(seconds: float) -> None:
    """Run the five stages here: listen, understand, dispatch; and what runs now and then, such as searches. Where
    VIGIE_ELASTICSEARCH names a cluster, its index is fed too.

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
    work = {name: partial(vigie.run_task, name, house) for name in vigie.TASKS}
    threads = [
        threading.Thread(target=_run, args=(name, task, house, failed), name=name) for name, task in work.items()
    ]
    turns = partial(vigie.run_schedules, house)
    others = [threading.Thread(target=_run, args=("schedules", turns, house, failed), name="schedules", daemon=True)]
    if house.settings.cluster:
        others.append(threading.Thread(target=beside, args=(vigie.INDEX.name, house), name="index", daemon=True))
    for thread in (*threads, *others):
        thread.start()
    house.stop.wait(seconds or None)
    house.stop.set()
    for thread in threads:
        thread.join()
    for thread in others:
        thread.join(timeout=ANSWER_S)
    if failed:
        sys.exit(1)


def _run(name: str, task: Callable[[], None], house: vigie.House, failed: list[str]) -> None:
    """Run one task; one that ends in an error is named in ``failed``, and ends the others."""
    try:
        task()
    except LeaseLost as lost:
        failed.append(name)
        logging.getLogger("vigie.watch").error("%s", lost)
    except BaseException:
        failed.append(name)
        raise
    finally:
        house.stop.set()


def beside(name: str, house: vigie.House) -> None:
    """Run a task that nothing waits for: whatever ends it, the others go on, and it is begun again."""
    while not house.stop.is_set():
        own = threading.Event()
        threading.Thread(target=lambda stop=own: (house.stop.wait(), stop.set()), daemon=True).start()
        try:
            vigie.run_task(name, replace(house, stop=own))
        except LeaseLost as lost:
            logging.getLogger("vigie.watch").warning("%s", lost)
        except Exception:
            logging.getLogger("vigie.watch").exception("%s ended, and is begun again; the rest goes on", name)
        house.stop.wait(AGAIN_S)


def _refuse_held(house: vigie.House) -> None:
    with house.db.read() as conn:
        held = [lease for stage in vigie.STAGES if (lease := holder(conn, stage.name))]
    others = sorted({lease.owner for lease in held if alive(lease, house.clock()) and not gone(lease.owner)})
    if others:
        raise click.ClickException(f"the stages are run by {', '.join(others)}: end that first")
