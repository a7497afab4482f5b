import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from config.settings import settings
from desk import stack

LOOK = """
import importlib, json, os, sys
import airflow.sdk

def forked(tell):
    out, into = os.pipe()
    if not os.fork():
        os.write(into, json.dumps(tell()).encode())
        os._exit(0)
    os.close(into)
    return json.loads(os.read(out, 9999))

def loads_vigie(file):
    importlib.import_module(f"dags.{file}")
    return "vigie" in sys.modules

def agree():
    import vigie, dags.schedules
    return dags.schedules.EVERY == {one.name: one.every for one in vigie.SCHEDULES}

def with_a_cluster():
    os.environ["VIGIE_ELASTICSEARCH"] = "http://127.0.0.1:9200"
    return sorted(DagBag().dags)

def airflow_command(*arguments):
    sys.argv = ["airflow", *arguments]
    main()

told = {"loads_vigie": {file: forked(lambda: loads_vigie(file)) for file in ("stages", "schedules")}}
told["agree"] = forked(agree)
from airflow.__main__ import main
airflow_command("db", "migrate")
airflow_command("dags", "reserialize")
from airflow.dag_processing.dagbag import DagBag
told["with_a_cluster"] = forked(with_a_cluster)
bag = DagBag()
told["errors"] = bag.import_errors
told["dags"] = {
    one.dag_id: {"doc": one.doc_md, "tasks": len(one.tasks), "retries": [task.retries for task in one.tasks]}
    for one in bag.dags.values()
}
runs = {one.dag_id: one.test(run_conf={"seconds": 1} if "seconds" in one.params else None) for one in bag.dags.values()}
told["ended"] = {name: str(run.state) for name, run in runs.items()}
print(json.dumps(told))
"""


@pytest.fixture(scope="session")
def dags(tmp_path_factory):
    """What Airflow finds in the folder of DAGs, and how a run of each ended, on a metadata database of its own.

    All in one process, for Airflow takes a quarter of a minute to load; what must not see the rest is forked.
    """
    home = tmp_path_factory.mktemp("airflow")
    env = {**os.environ, **stack.airflow_environment(replace(settings({}), home=home)), "VIGIE_HOME": str(home)}
    done = subprocess.run([sys.executable, "-c", LOOK], env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])
