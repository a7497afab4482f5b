"""``vigie doctor``: is this installation well, and what to do where it is not."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict

import click
from sqlalchemy.exc import SQLAlchemyError

from config.faults import BundleError
from config.publish import Configuration
from config.settings import Settings, settings
from config.world import World
from desk.doctor import declared, index, kept, machine
from desk.doctor.airflow import airflow
from desk.doctor.finding import Finding, Look, Patient
from store import migrations, times
from store.database import Database, file_of
from store.trouble import ADVICE, FAULTS, ailment

LOOKS: tuple[Look, ...] = (
    machine.versions,
    machine.schema,
    machine.clock,
    machine.disk,
    machine.files,
    kept.database,
    kept.movement,
    kept.clock_of_posts,
    kept.holes,
    kept.set_aside,
    kept.chain,
    kept.copy,
    declared.configuration,
    declared.credentials,
    declared.channels,
    index.cluster,
    index.index,
    airflow,
)
MARKS = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}


@click.command(epilog="Example: vigie doctor --reach --json")
@click.option("--reach", is_flag=True, help="Connect to X and to the channels' receivers too; nothing is sent.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(reach: bool, as_json: bool) -> None:
    """Look at versions, clock, disk, database, queues, ledger, backup, configuration, credentials, the search index
    and Airflow.

    Each line says ok, warn or FAIL, and what to do. The exit status is 1 where one fails. Nothing is changed, and no
    secret is shown.
    """
    patient = _patient(settings(), reach)
    findings = list(_findings(patient))
    if patient.db:
        patient.db.close()
    failed = [one for one in findings if one.level == "fail"]
    if as_json:
        click.echo(json.dumps({"well": not failed, "findings": [asdict(one) for one in findings]}, ensure_ascii=False))
    else:
        for one in findings:
            click.echo(f"{MARKS[one.level]}  {one.name}: {one.said}" + (f"\n      → {one.do}" if one.do else ""))
    sys.exit(1 if failed else 0)


def _findings(patient: Patient) -> Iterator[Finding]:
    for look in LOOKS:
        try:
            yield from look(patient)
        except FAULTS as error:
            what = ailment(error)
            if what is None:
                raise
            yield Finding(look.__name__, "fail", str(getattr(error, "orig", None) or error), ADVICE[what])


def _patient(here: Settings, reach: bool) -> Patient:
    db = _opened(here)
    return Patient(here, os.environ, times.now(), db, _world(here, db), reach)


def _opened(here: Settings) -> Database | None:
    """The database, where it is of this Vigie's version: a look neither makes nor migrates one."""
    file = file_of(here.database)
    try:
        if file.exists() and machine.schema_of(file) == migrations.HEAD:
            return Database.open(here.database, patience=1.0)
    except FAULTS as error:
        if ailment(error) is None:
            raise
    return None


def _world(here: Settings, db: Database | None) -> World | None:
    """The configuration in force, else the folder's, else None."""
    try:
        published = Configuration(db).current() if db else None
        return published or World.load(here.config)
    except (BundleError, SQLAlchemyError):
        return None
