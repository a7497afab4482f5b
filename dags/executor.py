"""Airflow's LocalExecutor with everything loaded that a stage needs: a task that was killed is at work in seconds."""

from __future__ import annotations

from airflow.executors.local_executor import LocalExecutor


class WarmExecutor(LocalExecutor):  # type: ignore[misc]  # Airflow ships no types that mypy is shown
    """Its workers, and the tasks that these start, are forks of one process: what that one loaded they all share."""

    def start(self) -> None:
        """Load the rooms and the models, then start the workers."""
        import vigie

        vigie.prepare()
        super().start()
