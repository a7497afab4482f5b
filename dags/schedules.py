"""What runs on a schedule rather than all the time."""

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


@dag(dag_id="vigie_search", schedule=timedelta(minutes=2), **ORDINARY)
def search() -> None:
    """**Search**: asks each search source for what the stream did not bring, since the last time."""

    @task
    def search_sources() -> int:
        return vigie.search()

    search_sources()


@dag(dag_id="vigie_retention", schedule="@daily", **ORDINARY)
def retention() -> None:
    """**Retention**: erases posts and incidents older than the bundle allows, and says how many in the ledger."""

    @task
    def erase() -> int:
        return vigie.retain()

    erase()


search()
retention()
