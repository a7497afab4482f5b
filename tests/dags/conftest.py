import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from config.settings import settings
from desk import stack

READ = """
import json, os
from airflow.dag_processing.dagbag import DagBag
out, into = os.pipe()
if not os.fork():
    os.environ["VIGIE_ELASTICSEARCH"] = "http://127.0.0.1:9200"
    os.write(into, json.dumps(sorted(DagBag().dags)).encode())
    os._exit(0)
os.close(into)
bag = DagBag()
print(json.dumps({
    "with_a_cluster": json.loads(os.read(out, 4096)),
    "errors": bag.import_errors,
    "dags": {one.dag_id: {"doc": one.doc_md, "tasks": len(one.tasks), "schedule": str(one.schedule),
                          "retries": [task.retries for task in one.tasks]} for one in bag.dags.values()},
}))
"""

IMPORT = """
import importlib, json, os, sys
import airflow.sdk
def loaded(file):
    out, into = os.pipe()
    if not os.fork():
        importlib.import_module(f"dags.{file}")
        os.write(into, b"yes" if "vigie" in sys.modules else b"no")
        os._exit(0)
    os.close(into)
    return os.read(out, 9).decode()
told = {file: loaded(file) for file in ("stages", "schedules")}
import vigie, dags.schedules
print(json.dumps(told | {"agree": dags.schedules.EVERY == {one.name: one.every for one in vigie.SCHEDULES}}))
"""

RUN = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
states = {}
for one in DagBag().dags.values():
    run = one.test(run_conf={"seconds": 1} if "seconds" in one.params else None)
    states[one.dag_id] = str(run.state)
print(json.dumps(states))
"""


@pytest.fixture(scope="session")
def airflow(tmp_path_factory):
    """Runs `airflow …` or Python beside it, on a metadata database of its own; returns what it printed."""
    home = tmp_path_factory.mktemp("airflow")
    chosen = replace(settings({}), home=home)
    env = {**os.environ, **stack.airflow_environment(chosen), "VIGIE_HOME": str(home)}

    def run(*arguments):
        done = subprocess.run([sys.executable, *arguments], env=env, capture_output=True, text=True, timeout=180)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    run("-m", "airflow", "db", "migrate")
    run("-m", "airflow", "dags", "reserialize")
    return run


@pytest.fixture(scope="session")
def dags(airflow):
    """The DAGs that Airflow finds, and the names of those that it finds where a cluster is set."""
    return json.loads(airflow("-c", READ).splitlines()[-1])


@pytest.fixture(scope="session")
def imported(airflow):
    """What importing a file of DAGs brings with it, each in a process of its own; and whether the schedules agree."""
    return json.loads(airflow("-c", IMPORT).splitlines()[-1])


@pytest.fixture(scope="session")
def ended(airflow):
    """The state in which a run of each DAG ended, by its id."""
    return json.loads(airflow("-c", RUN).splitlines()[-1])
