"""What tests of several rooms share: a migrated database to copy, one Elasticsearch with a prefix for each test, and
the order in which test files are started.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from desk.trials import engine
from store.database import Database
from store.index.cluster import Cluster

KEEPER = """
import contextlib, os, shutil, sys, time, psutil
from pathlib import Path
from desk.trials.engine import one_node
work, parent = Path(sys.argv[1]), int(sys.argv[2])
with one_node(work) as node:
    (work / "url.new").write_text(node.url)
    (work / "url.new").rename(work / "url")
    while psutil.pid_exists(parent):
        time.sleep(0.5)
shutil.rmtree(work)  # the node wrote on while the run cleared its files away
with contextlib.suppress(OSError):  # other files are there to be looked at
    work.parent.rmdir()
"""

FIRST = (
    "e2e/test_house.py",
    "dags/test_dags.py",
    "desk/test_kills.py",
    "desk/test_browser.py",
    "store/index/test_secured_cluster.py",
    "desk/test_bad_surroundings.py",
    "test_hard_times.py",
    "desk/test_storage.py",
    "hostile/",
    "desk/test_stream_trial.py",
)
"""Files that take long, the longest first: of two processes, none is left alone with one of them at the end."""


SHARED_MEMORY, ROOM = Path("/dev/shm"), 4 << 30


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Temporary files lie in memory where it has room: what the tests write is synced so often that a slow disk makes
    a run half as long again."""
    os.environ.setdefault("VIGIE_ENGINE_JAVA", "-XX:TieredStopAtLevel=1")  # a node lives too briefly to be optimised
    os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")  # compiling would take longer than what is computed
    if config.option.basetemp is None and SHARED_MEMORY.is_dir() and shutil.disk_usage(SHARED_MEMORY).free >= ROOM:
        config.option.basetemp = str(SHARED_MEMORY / f"vigie-tests-{os.getpid()}")
        config.add_cleanup(lambda: shutil.rmtree(config.option.basetemp, ignore_errors=True))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long files first, the others as they come; within a file nothing changes."""
    items.sort(key=lambda item: next((n for n, one in enumerate(FIRST) if f"tests/{one}" in item.nodeid), len(FIRST)))


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty, migrated database: copying it is twenty times faster than migrating one for each test."""
    path = tmp_path_factory.mktemp("migrated") / "vigie.db"
    Database.open(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session")
def elasticsearch_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the node of this run answers. Skips, loudly, where none can be started; never in CI."""
    if lack := engine.missing():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"no Elasticsearch was tried: {lack}")
    base = tmp_path_factory.getbasetemp()
    base = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    work, first = base / "elasticsearch", os.getppid() if os.environ.get("PYTEST_XDIST_WORKER") else os.getpid()
    with (base / "elasticsearch.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not work.exists():
            work.mkdir()
            _keep(work, first)
    return (work / "url").read_text()


@pytest.fixture
def cluster(elasticsearch_url: str, request: pytest.FixtureRequest) -> Cluster:
    """The node, under a prefix that is this test's own."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:24].strip("-")
    return Cluster((elasticsearch_url,), prefix=f"t{time.time_ns() % 10**9}-{name}")


def _keep(work: Path, parent: int) -> None:
    """Start a process that keeps the node alive as long as this run lives."""
    with (work / "keeper.log").open("wb") as out:
        keeper = subprocess.Popen(
            [sys.executable, "-c", KEEPER, work, str(parent)], stdout=out, stderr=out, cwd=engine.ROOT
        )
    until = time.monotonic() + engine.BUILD_S + engine.UP_S
    while not (work / "url").exists():
        if keeper.poll() is not None or time.monotonic() > until:
            pytest.fail(f"Elasticsearch did not start: {(work / 'keeper.log').read_text()[-2000:]}")
        time.sleep(0.2)
