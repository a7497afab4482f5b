"""What runs on a schedule rather than all the time: a DAG for each of :data:`vigie.SCHEDULES`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import dag, task

import vigie

ORDINARY: dict[str, Any] = {
    "start_date": datetime(2026, 1, 1, tzinfo=UTC),
    "catchup": False,
    "max_active_runs": 1,
    "default_args": {"retries": 1, "retry_delay": timedelta(seconds=30)},
    "tags": ["vigie"],
}


@task
def run(name: str) -> int:
    """Run one of :data:`vigie.SCHEDULES`."""
    return next(known for known in vigie.SCHEDULES if known.name == name).run(vigie.open_house())


def _declare(schedule: vigie.Schedule) -> None:
    doc = f"**{schedule.name.capitalize()}**: {schedule.run.__doc__}"

    @dag(dag_id=f"vigie_{schedule.name}", schedule=schedule.every, doc_md=doc, **ORDINARY)
    def turn() -> None:
        """The DAG of one schedule."""
        run.override(task_id=schedule.name)(schedule.name)

    turn()


for one in vigie.SCHEDULES:
    _declare(one)
