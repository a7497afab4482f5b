"""Real Elasticsearch nodes on this machine, without Docker: the server's core as published to Maven."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import requests

from config.settings import HOST, ROOT

SOURCES = ROOT / "tests" / "engine"
BUILT = ROOT / ".venv" / "elasticsearch"
JAVA = 21
BUILD_S, UP_S, DOWN_S = 300.0, 240.0, 20.0


class NoEngine(RuntimeError):
    """No Elasticsearch can be started here; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a node answers: HTTP, and the other nodes."""

    http: int
    transport: int


class Node:
    """One node, with a home of its own; :meth:`start` it, stop it, kill it, and start it again on the same data."""

    def __init__(self, home: Path, ports: Ports, **options: str) -> None:
        self.home, self.ports, self._options = home, ports, options
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{HOST}:{self.ports.http}"

    def start(self) -> Node:
        """Start it, without waiting for it. What it says goes to ``node.log`` in its home."""
        options = {"http.port": str(self.ports.http), "transport.port": str(self.ports.transport), **self._options}
        with (self.home / "node.log").open("ab") as out:
            self.process = subprocess.Popen(
                [str(SOURCES / "start"), str(self.home), *(f"{key}={value}" for key, value in options.items())],
                stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        return self

    def wait(self, *, nodes: int = 1) -> Node:
        """Wait until it is in a cluster of at least so many nodes. Raises NoEngine with the end of its log."""
        until = time.monotonic() + UP_S
        while time.monotonic() < until and self.process and self.process.poll() is None:
            with suppress(requests.RequestException):  # not up yet: asked again until its time is over
                health = requests.get(f"{self.url}/_cluster/health", timeout=2)
                if health.ok and health.json()["number_of_nodes"] >= nodes:
                    return self
            time.sleep(0.2)
        raise NoEngine(f"Elasticsearch did not come up: {(self.home / 'node.log').read_text()[-2000:]}")

    def signal(self, number: int) -> None:
        """Send a signal: SIGKILL as a power cut, SIGSTOP as a machine that hangs."""
        if self.process and self.process.poll() is None:
            os.kill(self.process.pid, number)

    def end(self) -> None:
        """End it, at last by force."""
        if not self.process:
            return
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            self.process.wait(DOWN_S)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            self.process.wait(DOWN_S)


@contextmanager
def one_node(work: Path) -> Iterator[Node]:
    """A cluster of one, up and empty. Raises NoEngine."""
    home = _home(work / "node")
    node = Node(home, _ports(), **{"discovery.type": "single-node", "cluster.name": f"vigie-{os.getpid()}"})
    try:
        yield node.start().wait()
    finally:
        node.end()


@contextmanager
def three_nodes(work: Path, **options: str) -> Iterator[list[Node]]:
    """A cluster of three, up and empty. ``options`` go to each node. Raises NoEngine."""
    ports = [_ports() for _ in range(3)]
    names = ",".join(f"n{number}" for number in range(3))
    shared = {
        "cluster.name": f"vigie-{os.getpid()}",
        "cluster.initial_master_nodes": names,
        "discovery.seed_hosts": ",".join(f"{HOST}:{one.transport}" for one in ports),
        **options,
    }
    nodes = [
        Node(_home(work / f"n{number}"), each, **{"node.name": f"n{number}", **shared})
        for number, each in enumerate(ports)
    ]
    try:
        for node in nodes:
            node.start()
        for node in nodes:
            node.wait(nodes=3)
        yield nodes
    finally:
        for node in nodes:
            node.end()


def missing() -> str | None:
    """What this machine lacks to build and start a node, None where it lacks nothing."""
    if not SOURCES.is_dir():
        return f"{SOURCES} is not there: only a checkout of the repository can start Elasticsearch"
    if not shutil.which("mvn"):
        return "Maven (mvn) is not installed"
    if not any(_version(home) >= JAVA for home in _homes_of_java()):
        return f"no JDK of {JAVA} or later is at hand: set JAVA_HOME"
    return None


def _homes_of_java() -> list[Path]:
    known = Path(os.environ["JAVA_HOME"]) if os.environ.get("JAVA_HOME") else None
    return [*([known] if known else []), *sorted(Path("/usr/lib/jvm").glob("*"))]


def _version(home: Path) -> int:
    """The major version of a JDK, 0 where there is none."""
    try:
        said = subprocess.run([home / "bin" / "javac", "-version"], capture_output=True, text=True, timeout=20).stdout
        return int(said.split()[-1].split(".")[0])
    except (OSError, IndexError, ValueError):
        return 0


def _home(home: Path) -> Path:
    """A home for a node, built once for all and then linked."""
    built = _build()
    (home / "config").mkdir(parents=True)
    (home / "logs").mkdir()
    (home / "plugins").mkdir()
    for name in ("core", "classes", "modules", "lib"):
        (home / name).symlink_to(built / name)
    shutil.copy(built / "config" / "log4j2.properties", home / "config")
    (home / ".built").touch()
    return home


def _build() -> Path:
    """The built server. Raises NoEngine where it cannot be built."""
    import fcntl

    if lack := missing():
        raise NoEngine(lack)
    BUILT.parent.mkdir(parents=True, exist_ok=True)
    built, stamp = BUILT.resolve(), _stamp()
    with (built.parent / "elasticsearch.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made_of = built / ".made-of"
        if not made_of.exists() or made_of.read_text() != stamp:
            _make(built.with_name("elasticsearch.new"), stamp).rename(_emptied(built))
    return built


def _make(new: Path, stamp: str) -> Path:
    """A new build, of the sources that ``stamp`` says. Raises NoEngine."""
    made = subprocess.run(
        [SOURCES / "start", "--build", _emptied(new)], capture_output=True, text=True, timeout=BUILD_S
    )  # fmt: skip
    if made.returncode:
        raise NoEngine(f"Elasticsearch cannot be built: {(made.stdout + made.stderr)[-2000:]}")
    (new / ".made-of").write_text(stamp)
    return new


def _emptied(folder: Path) -> Path:
    """Nothing is there any more; what runs from it goes on."""
    if folder.exists():
        shutil.rmtree(folder.rename(folder.with_name(f"{folder.name}.old-{os.getpid()}")), ignore_errors=True)
    return folder


def _stamp() -> str:
    """What the sources of the server are: a build of others is made anew."""
    content = b"".join(path.read_bytes() for path in sorted(SOURCES.iterdir()) if path.is_file())
    return hashlib.sha256(content).hexdigest()


def _ports() -> Ports:
    with socket.socket() as one, socket.socket() as two:
        one.bind((HOST, 0))
        two.bind((HOST, 0))
        return Ports(one.getsockname()[1], two.getsockname()[1])
