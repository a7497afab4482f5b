"""The five stages under Airflow: three endless DAGs of one task each, so that a killed task starts again at once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.sdk import Param, dag, get_current_context, task

from dags.orphans import parent, report

ENDLESS: dict[str, Any] = {
    "schedule": "@continuous",
    "start_date": datetime(2026, 1, 1, tzinfo=UTC),
    "catchup": False,
    "max_active_runs": 1,
    "default_args": {"retries": 0},
    "tags": ["vigie"],
    "params": {"seconds": Param(0, type="integer", minimum=0, description="end after so many seconds; 0: never")},
}


@task
def hold(name: str) -> None:
    """Run one endless task of :data:`vigie.TASKS`."""
    import vigie  # seconds of work: Airflow reads this file time and again, and gives each reading a deadline

    context, supervisor = get_current_context(), parent()
    vigie.run_task(name, seconds=context["params"]["seconds"])
    report(supervisor, context["ti"])


@dag(dag_id="vigie_listen", **ENDLESS)
def listen() -> None:
    """**Listen**: keeps the sources open, keeps what a filter wants, publishes the configuration when it changes."""
    hold.override(task_id="listen")("listen")


@dag(dag_id="vigie_understand", **ENDLESS)
def understand() -> None:
    """**Understand**: annotates posts, forms incidents from them, and decides whom to tell."""
    hold.override(task_id="understand")("understand")


@dag(dag_id="vigie_dispatch", **ENDLESS)
def dispatch() -> None:
    """**Dispatch**: sends what was decided, retries, and escalates what nobody acknowledged."""
    hold.override(task_id="dispatch")("dispatch")


listen()
understand()
dispatch()
