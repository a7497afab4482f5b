"""`vigie run`: the whole installation on this machine, kept alive."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time

import click

from config.check import check_folder
from config.settings import HOST, Settings, settings
from desk import stack
from desk.supervise import Child, Supervisor, answers, taken
from store.database import Database

MIGRATION_S = 300


@click.command()
@click.option("--airflow/--no-airflow", default=True, help="Supervise the stages with Airflow, or with `vigie watch`.")
def command(airflow: bool) -> None:
    """Run Vigie: the sources, the stages under Airflow, the desk and the acknowledgement page.

    Without X_BEARER_TOKEN it plays the bundled drill through the stand-in for X, marked as an exercise everywhere.

    Example: X_BEARER_TOKEN_FILE=/run/secrets/x vigie run
    """
    chosen = settings()
    drill = not (os.environ.get("X_BEARER_TOKEN") or os.environ.get("X_BEARER_TOKEN_FILE"))
    _refuse_taken_ports(stack.ports(chosen, drill=drill, airflow=airflow))
    _refuse_faults(chosen)
    _prepare_home(chosen)
    supervisor = Supervisor(say)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: supervisor.stop())
    supervisor.add(*stack.own_children(chosen, drill=drill, watch=not airflow))
    _welcome(chosen, drill=drill, airflow=airflow)
    if airflow:
        threading.Thread(target=_bring_up_airflow, args=(supervisor, chosen, drill), daemon=True).start()
    supervisor.run()
    say("Vigie has ended.")


def say(line: str) -> None:
    """One line for the person at the terminal."""
    click.echo(f"{time.strftime('%H:%M:%S')} {line}")


def _refuse_taken_ports(ports: dict[str, int]) -> None:
    busy = [
        f"port {port} is in use: free it, or set {name} to another" for name, port in ports.items() if taken(HOST, port)
    ]
    names = {port: name for name, port in ports.items()}
    twice = [
        f"{name} and {names[port]} are both {port}: set one of them to another port"
        for name, port in ports.items()
        if names[port] != name
    ]
    if busy or twice:
        raise click.ClickException("\n".join(busy + twice))


def _refuse_faults(chosen: Settings) -> None:
    faults = [fault for fault in check_folder(chosen.config) if fault.level == "error"]
    if faults:
        listed = "\n".join(str(fault) for fault in faults)
        raise click.ClickException(f"the configuration in {chosen.config} has faults, see `vigie check`:\n{listed}")


def _prepare_home(chosen: Settings) -> None:
    """The home, writable, and the database, migrated: what every process needs, so that none starts in vain."""
    chosen.home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=chosen.home):
        Database.open(chosen.database).close()


def _welcome(chosen: Settings, *, drill: bool, airflow: bool) -> None:
    if drill:
        say("EXERCISE: no X_BEARER_TOKEN, so the bundled drill plays through the stand-in for X.")
        say(f"Mails of the drill land in {chosen.home / 'mailbox'}.")
    say(f"Desk:    http://{HOST}:{chosen.desk_port}")
    if airflow:
        say(f"Airflow: http://{HOST}:{chosen.airflow_port} (up in about a minute; user admin, password in")
        say(f"         {chosen.home / 'airflow' / 'simple_auth_manager_passwords.json.generated'})")
    say(f"Logs:    {chosen.home / 'log'}    Stop: Ctrl-C")


def _bring_up_airflow(supervisor: Supervisor, chosen: Settings, drill: bool) -> None:
    """Migrate Airflow's database, then start its parts: tasks fail when the scheduler is up before the API."""
    migrate = stack.airflow_child(chosen, "migrate", "db", "migrate", drill=drill)
    if not _run_once(migrate):
        say(f"Airflow's database could not be prepared, see {migrate.log}; ending.")
        supervisor.stop()
        return
    supervisor.add(
        stack.airflow_child(chosen, "api", "api-server", drill=drill),
        stack.airflow_child(chosen, "dags", "dag-processor", drill=drill),
    )
    while not supervisor.stopping and not answers(f"http://{HOST}:{chosen.airflow_port}/api/v2/monitor/health"):
        time.sleep(0.5)
    supervisor.add(stack.airflow_child(chosen, "scheduler", "scheduler", "--skip-serve-logs", drill=drill))
    say("Airflow is up: the stages start.")


def _run_once(child: Child) -> bool:
    child.start()
    assert child.process
    try:
        return child.process.wait(MIGRATION_S) == 0
    except subprocess.TimeoutExpired:
        child.signal(signal.SIGKILL)
        return False
