"""`vigie airflow`: one process of Airflow, with the settings that this installation gives it."""

from __future__ import annotations

import os
from collections.abc import Mapping

import click

from config.settings import Settings, settings
from desk import stack

OWN = "AIRFLOW__"


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    epilog="Example: vigie airflow dags list",
)
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="COMMAND…")
def command(words: tuple[str, ...]) -> None:
    """Become Airflow's own command, with the environment that `vigie run` gives it.

    A variable AIRFLOW__… that is set already, such as the address of a PostgreSQL, goes before ours.
    """
    chosen = settings()
    argv = stack.python("airflow", *words)
    os.execve(argv[0], argv, environment(chosen, os.environ))


def environment(chosen: Settings, env: Mapping[str, str]) -> dict[str, str]:
    """The environment of Airflow's process: ours over ``env``, but for what ``env`` says to Airflow itself."""
    said = {name: value for name, value in env.items() if name.startswith(OWN)}
    return {**env, **stack.environment(chosen, drill=False), **stack.airflow_environment(chosen), **said}
