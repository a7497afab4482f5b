"""Running several processes as one: started, watched, started again when they die, ended together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PAUSE_S = (0.5, 1, 2, 5, 10, 30)
STEADY_S = 10


@dataclass
class Child:
    """One process to keep alive. ``env`` is added to this process's environment; output goes to ``log``."""

    name: str
    argv: Sequence[str]
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0
    deaths: int = 0
    start_again_at: float = 0

    def start(self) -> None:
        """Start the process in a group of its own, with its output appended to the log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**_kept(), **self.env},
                start_new_session=True,
            )
        self.started_at = time.monotonic()

    def signal(self, number: int) -> None:
        """Send a signal to the process and all that it started in its group."""
        if self.process:
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                self.process = None


def _kept() -> dict[str, str]:
    """This process's environment; what Python compiled is kept whatever it says, for it is half of a start."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


class Supervisor:
    """Keeps children alive until :meth:`stop`: each that ends is started again, ever later when it keeps ending."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._children: list[Child] = []
        self._say = say
        self._stop = threading.Event()

    def add(self, *children: Child) -> None:
        """Start these and keep them alive from now on; any thread may call this."""
        self._children.extend(children)

    def run(self) -> None:
        """Start and watch every child until told to stop; ends them all before it returns."""
        try:
            while not self._stop.wait(0.3):
                for child in list(self._children):
                    self._look_at(child)
        finally:
            self._end_all()

    def stop(self) -> None:
        """Make :meth:`run` end its children and return."""
        self._stop.set()

    def _look_at(self, child: Child) -> None:
        now = time.monotonic()
        if child.process and child.process.poll() is not None:
            if now - child.started_at > STEADY_S:
                child.deaths = 0
            pause = PAUSE_S[min(child.deaths, len(PAUSE_S) - 1)]
            self._say(
                f"{child.name} ended ({_ending(child.process.returncode)}); again in {pause:g} s, see {child.log}"
            )
            child.signal(signal.SIGKILL)  # what it left behind in its group
            child.process, child.deaths, child.start_again_at = None, child.deaths + 1, now + pause
        if not child.process and now >= child.start_again_at:
            child.start()

    @property
    def stopping(self) -> bool:
        """Whether :meth:`stop` was called."""
        return self._stop.is_set()

    def _end_all(self, patience_s: float = 8) -> None:
        for child in self._children:
            child.signal(signal.SIGTERM)
        until = time.monotonic() + patience_s
        for child in self._children:
            if child.process:
                try:
                    child.process.wait(max(0.1, until - time.monotonic()))
                except subprocess.TimeoutExpired:
                    self._say(f"{child.name} does not end: killed")
            child.signal(signal.SIGKILL)


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit status {code}"


def taken(host: str, port: int) -> bool:
    """Whether something already listens on that TCP port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def answers(url: str) -> bool:
    """Whether a server says at that address that all is well."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False
