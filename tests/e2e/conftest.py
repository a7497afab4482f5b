import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import yaml

from config.settings import ROOT

NAMES = ("DESK", "ACKNOWLEDGE", "STANDIN", "MAILBOX", "WEBHOOK", "AIRFLOW")


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class House:
    """`vigie run` in a home of its own, on free ports, with the default bundle pointed at them."""

    def __init__(self, home: Path, *arguments: str, **more: str):
        self.home = home
        self.ports = dict(zip(NAMES, free_ports(len(NAMES)), strict=True))
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("VIGIE_", "X_BEARER"))}
        self.env |= {f"VIGIE_{name}_PORT": str(port) for name, port in self.ports.items()}
        self.env |= {"VIGIE_HOME": str(home), "VIGIE_CONFIG": str(self.bundle()), "PYTHONPATH": str(ROOT)}
        self.env |= {"VIGIE_DRILL_SPEED": "40", **more}
        self.started = time.monotonic()
        self.out = (home / "run.log").open("wb")
        self.process = subprocess.Popen(self.vigie("run", *arguments), env=self.env, stdout=self.out, stderr=self.out)

    def bundle(self) -> Path:
        folder = self.home / "bundle"
        shutil.copytree(ROOT / "config" / "default", folder)
        for path in folder.glob("*.yaml"):
            text = path.read_text()
            text = text.replace("8713", str(self.ports["MAILBOX"])).replace("8714", str(self.ports["WEBHOOK"]))
            path.write_text(text.replace("8711", str(self.ports["ACKNOWLEDGE"])))
        assert yaml.safe_load((folder / "bundle.yaml").read_text())
        return folder

    def vigie(self, *arguments):
        return [sys.executable, "-m", "desk.cli", *arguments]

    def json(self, *arguments):
        """What a command prints with --json."""
        done = subprocess.run(
            self.vigie(*arguments, "--json"), env=self.env, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def eventually(self, look, seconds, what):
        """The first true answer of ``look``, or a failure that shows the logs."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            assert self.process.poll() is None, self.logs()
            if found := look():
                return found
            time.sleep(0.25)
        pytest.fail(f"{what} did not happen within {seconds} s\n{self.logs()}")

    def received(self, suffix):
        return sorted((self.home / "mailbox").glob(f"*{suffix}"))

    def answers(self, url):
        try:
            with urllib.request.urlopen(url, timeout=3) as answer:
                return answer.read().decode()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return None

    def logs(self):
        return "\n".join(
            f"== {path.name}\n{path.read_text(errors='replace')[-1500:]}" for path in self.home.glob("**/*.log")
        )

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        self.out.close()


@pytest.fixture
def start_house(tmp_path):
    houses = []

    def start(*arguments, **more):
        houses.append(House(tmp_path, *arguments, **more))
        return houses[-1]

    yield start
    for house in houses:
        house.end()
