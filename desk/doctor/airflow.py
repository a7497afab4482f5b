"""Airflow, where it supervises the stages: its API, its scheduler, and that no DAG of Vigie is paused."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from desk.doctor.finding import Finding, Patient
from desk.pulse.looking import around


def airflow(patient: Patient) -> Iterator[Finding]:
    """How Airflow is; nothing where it never ran here."""
    metadata = patient.settings.home / "airflow" / "airflow.db"
    elsewhere = "VIGIE_AIRFLOW_URL" in patient.env
    if not metadata.exists() and not elsewhere:
        yield Finding("airflow", "ok", "never ran in this home: `vigie watch` or `vigie run --no-airflow` needs none")
        return
    for trouble in around(patient.settings, airflow=True):
        if trouble.kind == "airflow":
            do = "is `vigie run` running? Stages that run go on without it; see log/airflow-*.log in the home"
            yield Finding("airflow", "warn", trouble.detail, do)
            return
    paused = _paused(metadata) if metadata.exists() else []
    if paused:
        listed = ", ".join(paused)
        yield Finding("airflow", "fail", f"paused: {listed}", "unpause them on Airflow's page")
    else:
        unseen = "" if metadata.exists() else "; its records are elsewhere: whether a DAG is paused was not looked at"
        yield Finding("airflow", "ok", f"API and scheduler are healthy{unseen or ', no DAG of Vigie is paused'}")


def _paused(metadata: Path) -> list[str]:
    uri = f"{metadata.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, timeout=2)) as conn:
        rows = conn.execute("SELECT dag_id FROM dag WHERE is_paused AND NOT is_stale AND dag_id LIKE 'vigie%'")
        return sorted(name for (name,) in rows)
