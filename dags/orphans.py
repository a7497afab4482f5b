"""What a task does last when the Airflow process above it was killed: tell Airflow, which notices after 30 s only."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

import psutil
import requests

TIMEOUT_S = 15.0

log = logging.getLogger(__name__)


def parent() -> psutil.Process | None:
    """The Airflow process that supervises this task."""
    return psutil.Process().parent()


def report(supervisor: psutil.Process | None, instance: Any) -> None:
    """Mark the task as failed where its supervisor is gone, so that the next one starts at once.

    The task, not its run: a run that is marked from outside has no successor until the DAG's file is read again.
    It asks Airflow's API as the user that Airflow made at its start; where that cannot be done, Airflow finds out by
    itself that nobody speaks for the task any more.
    """
    if supervisor is None or supervisor.is_running():
        return
    api = os.environ.get("AIRFLOW__API__BASE_URL", "http://127.0.0.1:8080")
    try:
        token = requests.post(f"{api}/auth/token", json=_user(), timeout=TIMEOUT_S)
        token.raise_for_status()
        mine = f"{api}/api/v2/dags/{instance.dag_id}/dagRuns/{instance.run_id}/taskInstances/{instance.task_id}"
        bearer = {"Authorization": f"Bearer {token.json()['access_token']}"}
        told = requests.patch(mine, json={"new_state": "failed"}, headers=bearer, timeout=TIMEOUT_S)
        told.raise_for_status()
    except (requests.RequestException, OSError, ValueError, KeyError) as error:
        log.warning("Airflow could not be told that this task is an orphan: %s", error)


def _user() -> dict[str, str]:
    """Name and password of the first user of Airflow's simple auth manager. Raises OSError, ValueError."""
    path = Path(os.environ["AIRFLOW_HOME"]) / "simple_auth_manager_passwords.json.generated"
    name, password = next(iter(json.loads(path.read_text()).items()))
    return {"username": name, "password": password}
