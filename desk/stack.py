"""The processes that `vigie run` keeps alive, and what each needs from the environment."""

from __future__ import annotations

import sys
from pathlib import Path

from config.settings import HOST, ROOT, Settings
from desk.supervise import Child

DRILL = ROOT / "listeners" / "standin" / "drill.jsonl"
DRILL_TOKEN = "drill"


def airflow_environment(settings: Settings) -> dict[str, str]:
    """Airflow's settings: SQLite metadata, :class:`dags.executor.WarmExecutor`, the API at ``airflow_url``, DAGs that
    run from the start.

    Reading a DAG's file may take minutes: on a machine that is busy, a task that misses that deadline as it starts is
    put off for several more.
    """
    home = settings.home / "airflow"
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "dags.executor.WarmExecutor",
        "AIRFLOW__CORE__PARALLELISM": "8",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "300",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{settings.airflow_url}/execution/",
        "AIRFLOW__API__HOST": settings.listen,
        "AIRFLOW__API__PORT": str(settings.airflow_port),
        "AIRFLOW__API__BASE_URL": settings.airflow_url,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "10",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "2",
        "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "5",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
        # A task whose heartbeats find no API goes on: nobody could start another in its place.
        "AIRFLOW__WORKERS__MAX_FAILED_HEARTBEATS": "1000000",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
        "AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": "360",
        "AIRFLOW__WORKERS__MISSING_DAG_RETRY_DELAY": "5",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "PYTHONPATH": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
    }


def drill_environment(settings: Settings) -> dict[str, str]:
    """What makes Vigie listen to the stand-in instead of X, with every record marked as an exercise."""
    return {
        "X_BEARER_TOKEN": DRILL_TOKEN,
        "VIGIE_X_BASE_URL": f"http://{HOST}:{settings.standin_port}",
        "VIGIE_WEBHOOK_KEY": DRILL_TOKEN,
        "VIGIE_STATUS": "Exercise",
    }


def own_children(settings: Settings, *, drill: bool, watch: bool) -> list[Child]:
    """Vigie's own processes: pages and watchdog, the drill's stand-in and mailbox, `vigie watch` without Airflow."""
    airflow = "--no-airflow" if watch else "--airflow"
    commands = {
        "desk": vigie("desk"),
        "acknowledge": vigie("acknowledge"),
        "watchdog": vigie("watchdog", airflow),
    }
    if drill:
        port = str(settings.standin_port)
        commands["mailbox"] = vigie("mailbox")
        commands["simulate-x"] = vigie("simulate-x", str(DRILL), "--port", port, "--speed", str(settings.drill_speed))
    if watch:
        commands["watch"] = vigie("watch")
    return [child(settings, name, argv, environment(settings, drill=drill)) for name, argv in commands.items()]


def airflow_child(settings: Settings, name: str, *arguments: str, drill: bool) -> Child:
    """One of Airflow's processes; the tasks it starts inherit its environment."""
    env = environment(settings, drill=drill) | airflow_environment(settings)
    return child(settings, f"airflow-{name}", python("airflow", *arguments), env)


def child(settings: Settings, name: str, argv: list[str], env: dict[str, str]) -> Child:
    """A process whose output goes to ``log/NAME.log`` in the installation's home."""
    return Child(name, argv, settings.home / "log" / f"{name}.log", env)


def environment(settings: Settings, *, drill: bool) -> dict[str, str]:
    """What every process of this installation gets."""
    return {"VIGIE_HOME": str(settings.home), **(drill_environment(settings) if drill else {})}


def vigie(*arguments: str) -> list[str]:
    """The command line of one of our own commands, in this Python."""
    return python("desk.cli", *arguments)


def python(module: str, *arguments: str) -> list[str]:
    """The command line of a module, in this Python."""
    return [sys.executable, "-m", module, *arguments]


def ports(settings: Settings, *, drill: bool, airflow: bool) -> dict[str, int]:
    """Which setting gives which port."""
    named = {"VIGIE_DESK_PORT": settings.desk_port, "VIGIE_ACKNOWLEDGE_PORT": settings.acknowledge_port}
    if drill:
        named |= {"VIGIE_STANDIN_PORT": settings.standin_port, "VIGIE_MAILBOX_PORT": settings.mailbox_port}
        named["VIGIE_WEBHOOK_PORT"] = settings.webhook_port
    if airflow:
        named["VIGIE_AIRFLOW_PORT"] = settings.airflow_port
    return named
