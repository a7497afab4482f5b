"""Airflow's API hangs for longer than Airflow waits for a task: the stages, loops of their own, go on."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from random import Random

import psutil

from desk.trials.back import ALL, Installation, installation
from desk.trials.trial import Outcome

AWAY_S = 60.0
LOOK_S = 1.0
BACK_S = 90.0


def api_hangs(draw: Random, work: Path) -> Outcome:
    """Stop the API for a minute, under `vigie run`, and let it go on."""
    with installation(work, []) as house:
        time.sleep(draw.uniform(5, 15))
        before = {task: house.moved(task) for task in ("listen", "understand")}
        holders = {task: house.holder(task) for task in ALL}
        api = _api(house)
        stopped = [api, *api.children(recursive=True)]
        for process in stopped:
            process.suspend()
        kept = _watched(house, holders)
        moved = [task for task, count in before.items() if house.moved(task) > count]
        for process in stopped:
            process.send_signal(signal.SIGCONT)
        began = time.monotonic()
        _steady(house)
        back = time.monotonic() - began
    said = f"{kept} of {len(ALL)} tasks kept their leases for {AWAY_S:g} s, {' and '.join(moved)} went on"
    return Outcome("Airflow's API hangs", len(ALL), kept if len(moved) == 2 else 0, 0, 0, back, said)


def _api(house: Installation) -> psutil.Process:
    """Airflow's API, which renames itself once it serves. Raises StopIteration where it does not run."""
    named = ("airflow api_server", "airflow api-server")
    return next(one for one in house.run.children() if any(name in " ".join(one.cmdline()) for name in named))


def _watched(house: Installation, holders: dict[str, int | None]) -> int:
    """How many tasks were run by the same process all the time that the API was away."""
    lost: set[str] = set()
    until = time.monotonic() + AWAY_S
    while time.monotonic() < until:
        house.say()
        lost |= {task for task, pid in holders.items() if house.holder(task) != pid}
        time.sleep(LOOK_S)
    return len(holders) - len(lost)


def _steady(house: Installation) -> None:
    """Wait until every task is held, and was for ten seconds: Airflow ends and starts them once its API is back."""
    until, since = time.monotonic() + BACK_S, time.monotonic()
    while time.monotonic() < until and time.monotonic() - since < 10:
        if not all(_alive(house, task) for task in ALL):
            since = time.monotonic()
        time.sleep(0.2)


def _alive(house: Installation, task: str) -> bool:
    pid = house.holder(task)
    return pid is not None and psutil.pid_exists(pid)
