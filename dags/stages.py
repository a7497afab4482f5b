"""The five stages under Airflow: three endless DAGs of one task each, so that a killed task starts again at once; and,
where there is a cluster to feed, one for the search index."""

from __future__ import annotations

import os
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
    """Run one endless task of :func:`vigie.tasks`."""
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


@dag(dag_id="vigie_index", **ENDLESS)
def index() -> None:
    """**Index**: brings what changes into Elasticsearch, and builds its indices anew where they were lost."""
    hold.override(task_id="index")("index")


listen()
understand()
dispatch()
if os.environ.get("VIGIE_ELASTICSEARCH", "").strip(" ,"):
    index()
