"""`vigie watchdog`: tells people when Vigie itself stands still."""

from __future__ import annotations

import fcntl
import json
import logging
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import click

from alerts.channels import senders
from config.settings import Settings, settings
from desk.pulse.troubles import Trouble
from desk.pulse.watchdog import Watchdog
from store import times

EVERY_S = 5.0


@click.command()
@click.option("--once", is_flag=True, help="Look once and end, for cron or a timer; what was seen is remembered.")
@click.option("--airflow/--no-airflow", default=False, help="Whether Airflow is to run, and is looked at too.")
@click.option("--json", "as_json", is_flag=True, help="With --once: print what stands still as one line of JSON.")
def command(once: bool, airflow: bool, as_json: bool) -> None:
    """Look every few seconds whether Vigie hears, understands and sends; tell the bundle's `watchdog` contacts if not.

    It tells past the outbox, Airflow and the database. With --once the exit status is 1 while something stands still.
    A second watchdog waits until the first ends. `vigie run` starts one.

    Example: vigie watchdog --once --json
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    chosen = settings()
    chosen.home.mkdir(parents=True, exist_ok=True)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    with _alone(chosen, stop, wait=not once) as alone:
        if not alone:
            click.echo("another watchdog looks already", err=True)
            return
        with closing(Watchdog(chosen, senders(), times.now, airflow=airflow)) as dog:
            found = dog.turn()
            while not once and not stop.wait(EVERY_S):
                found = dog.turn()
    if once:
        _say(found, as_json=as_json)
        sys.exit(1 if found else 0)


@contextmanager
def _alone(chosen: Settings, stop: threading.Event, *, wait: bool) -> Iterator[bool]:
    """Whether this process is the only watchdog of the home; waits for that where it should."""
    with (chosen.home / "watchdog.lock").open("w") as lock:
        mine = _lock(lock.fileno())
        if not mine and wait:
            logging.getLogger("vigie.watchdog").warning("another watchdog looks already: standing by")
        while wait and not mine and not stop.wait(1.0):
            mine = _lock(lock.fileno())
        yield mine


def _lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _say(found: list[Trouble], *, as_json: bool) -> None:
    rows = [{"code": one.code, "since": one.since and times.to_iso(one.since), "detail": one.detail} for one in found]
    if as_json:
        click.echo(json.dumps({"ok": not found, "troubles": rows}))
        return
    for row in rows:
        click.echo(f"{row['code']} since {row['since']} {row['detail']}")
    if not rows:
        click.echo("nothing stands still")
