import json
import logging
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import psutil
import pytest

from dags import orphans

INSTANCE = SimpleNamespace(dag_id="vigie_listen", run_id="scheduled__1", task_id="listen")
RUN = "/api/v2/dags/vigie_listen/dagRuns/scheduled__1"


@pytest.fixture
def api(tmp_path, monkeypatch):
    """Airflow's API as far as it is asked here; the requests that came, as (method, path, bearer, body)."""
    came = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            came.append((self.command, self.path, self.headers["authorization"], body))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"access_token": "t"}')

        do_POST = do_PATCH = answer

        def log_message(self, format, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (tmp_path / "simple_auth_manager_passwords.json.generated").write_text('{"admin": "secret"}')
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", f"http://127.0.0.1:{server.server_port}")
    yield came
    server.shutdown()
    server.server_close()


@pytest.fixture
def dead():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    found = psutil.Process(process.pid)
    process.kill()
    process.communicate()
    return found


def test_an_orphan_says_that_it_failed_so_that_the_next_one_starts(api, dead):
    orphans.report(dead, INSTANCE)
    assert api[0][3] == {"username": "admin", "password": "secret"}
    assert api[1] == ("PATCH", f"{RUN}/taskInstances/listen", "Bearer t", {"new_state": "failed"})


def test_a_task_whose_supervisor_lives_says_nothing(api):
    orphans.report(psutil.Process(os.getpid()), INSTANCE)
    assert api == []


def test_an_orphan_that_cannot_reach_airflow_says_so_and_ends(dead, tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    with caplog.at_level(logging.WARNING):
        orphans.report(dead, INSTANCE)
    assert "could not be told" in caplog.text
