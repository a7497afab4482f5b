import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from config.settings import settings
from desk import stack

READ = """
import json
from airflow.dag_processing.dagbag import DagBag
bag = DagBag()
print(json.dumps({
    "errors": bag.import_errors,
    "dags": {one.dag_id: {"doc": one.doc_md, "tasks": len(one.tasks), "schedule": str(one.schedule),
                          "retries": [task.retries for task in one.tasks]} for one in bag.dags.values()},
}))
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
    return json.loads(airflow("-c", READ).splitlines()[-1])


@pytest.fixture(scope="session")
def ended(airflow):
    """The state in which a run of each DAG ended, by its id."""
    return json.loads(airflow("-c", RUN).splitlines()[-1])
