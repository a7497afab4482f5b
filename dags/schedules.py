"""What runs on a schedule rather than all the time: a DAG for each of :data:`vigie.SCHEDULES`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import dag, task

EVERY = {"search": timedelta(minutes=1), "retention": timedelta(days=1), "compliance": timedelta(minutes=10)}
"""As in :data:`vigie.SCHEDULES`: Airflow reads this file twice a minute, and importing vigie takes seconds."""

WORDS = {
    "search": "Asks the sources that are searched, and fills what the streams missed.",
    "retention": "Erases what is older than the bundle's retention, but for what a legal hold keeps.",
    "compliance": "Asks X, once a day, which of the kept posts it took back, and erases them.",
}

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
    import vigie

    return next(known for known in vigie.SCHEDULES if known.name == name).run(vigie.open_house())


def _declare(name: str, every: timedelta) -> None:
    @dag(dag_id=f"vigie_{name}", schedule=every, doc_md=f"**{name.capitalize()}**: {WORDS[name]}", **ORDINARY)
    def turn() -> None:
        """The DAG of one schedule."""
        run.override(task_id=name)(name)

    turn()


for one in EVERY.items():
    _declare(*one)
