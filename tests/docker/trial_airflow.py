"""Airflow as the stack runs it, on a real PostgreSQL: takes minutes, so it runs when asked for by name:

    python -m pytest -n 0 tests/docker/trial_airflow.py

It needs PostgreSQL's `initdb` and `postgres`, of any version that Airflow takes, on the PATH or where Debian puts them.
"""

import os
import pwd
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from edge_kit import free_ports
from image_kit import container
from stack_kit import as_user

from desk.pulse.vitals import STAGES
from store.database import Database
from store.leases import alive, every

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]
PARTS = ("airflow-api", "airflow-dags", "airflow-scheduler")
SLOW_S = 600
SERVER = pwd.getpwnam("nobody").pw_uid
"""PostgreSQL refuses root, and a user without a name."""


@pytest.fixture(scope="module")
def postgres(image, folder) -> Iterator[str]:
    """The address of a fresh server's database for Airflow, with the password that `docker/secrets` made."""
    (port,) = free_ports(1)
    data = image.root / "postgres"
    data.mkdir()
    if os.geteuid() == 0:
        os.chown(data, SERVER, SERVER)
    secret, env = Path(image.here("/run/secrets/postgres_password")), image.env | {"TZ": "UTC"}
    service = {
        "command": [program("initdb"), "-D", str(data), "-U", "airflow", f"--pwfile={secret}", "-A", "scram-sha-256"],
        "environment": env,
    }
    with container(image, "initdb", service, folder, user=SERVER) as one:
        assert one.ended(SLOW_S) == 0, one.said()
    serve = [program("postgres"), "-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", str(data)]
    ready = [program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port), "-U", "airflow"]
    with container(image, "postgres", {"command": serve, "environment": env}, folder, user=SERVER) as one:
        one.check = as_user(SERVER, *ready)
        one.until_healthy(SLOW_S)
        make = {
            "command": [program("createdb"), "-h", "127.0.0.1", "-p", str(port), "-U", "airflow", "airflow"],
            "environment": env | {"PGPASSWORD": secret.read_text().strip()},
        }
        with container(image, "createdb", make, folder, user=SERVER) as made:
            assert made.ended(SLOW_S) == 0, made.said()
        address = Path(image.here("/run/secrets/airflow_database"))
        address.chmod(0o644)
        address.write_text(address.read_text().replace("@postgres:5432/", f"@127.0.0.1:{port}/"))
        yield address.read_text()


def program(name: str) -> str:
    """PostgreSQL's program: Debian keeps the server's out of the PATH."""
    of_debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = str(of_debian[-1]) if of_debian else shutil.which(name)
    assert found, f"no {name}: install PostgreSQL's server"
    return found


def test_the_stages_run_under_airflow_on_postgresql(image, compose, folder, prepared, postgres):
    (health,) = free_ports(1)
    image.names |= {"http://airflow-api:8080": image.names["127.0.0.1:8080"].join(("http://", ""))}
    image.names |= {"127.0.0.1:8974": f"127.0.0.1:{health}", "http://localhost:8080": "http://localhost:1"}
    image.env |= {"AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(health)}
    services, began = compose["services"], time.monotonic()
    with container(image, "airflow-migrate", services["airflow-migrate"], folder) as one:
        assert one.ended(SLOW_S) == 0, one.said()
    told = {"airflow-migrate": time.monotonic() - began}
    with ExitStack() as up:
        for name in ("drill-x", "drill-mailbox", *PARTS):
            one = up.enter_context(container(image, name, services[name], folder))
            began = time.monotonic()
            one.until_healthy(SLOW_S)
            told[name] = time.monotonic() - began
        began = time.monotonic()
        while lacking := set(STAGES) - held(image):
            assert time.monotonic() - began < SLOW_S, f"{lacking}\n{one.said()}"
            time.sleep(1)
        told["every stage held"] = time.monotonic() - began
    print({name: round(seconds) for name, seconds in told.items()}, postgres.partition("+")[0])


def held(image) -> set[str]:
    """The stages that somebody runs now."""
    with closing(Database.open(f"sqlite:///{image.here('/var/lib/vigie')}/vigie.db")) as db, db.read() as conn:
        return {lease.stage for lease in every(conn) if alive(lease, datetime.now(UTC))}
