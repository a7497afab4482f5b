"""The stack as its files declare it, and what `docker/secrets` makes for it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from config.settings import ROOT

DOCKER = ROOT / "docker"
BIN = Path(sys.executable).parent
FILE = DOCKER / "compose.yaml"
EXAMPLE = DOCKER / "settings.example"


@cache
def stack(*, settings: Path = EXAMPLE) -> dict[str, Any]:
    """The stack with every profile, as Docker Compose resolves it."""
    words = ["--env-file", str(settings), "--file", str(FILE), "--profile", "*", "config", "--format", "json"]
    env = {name: value for name, value in os.environ.items() if not name.startswith(("VIGIE_", "COMPOSE_"))}
    done = subprocess.run([BIN / "docker-compose", *words], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "level=warning" not in done.stderr, done.stderr
    resolved: dict[str, Any] = json.loads(done.stdout)
    return resolved


def ours(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The services that run Vigie's own image."""
    return {name: one for name, one in compose["services"].items() if one["image"].startswith("vigie:")}


def schema() -> dict[str, Any]:
    """The Compose specification's schema, as Docker Compose itself carries it."""
    program = (BIN / "docker-compose").read_bytes()
    found = program.index(b'"$id": "compose_spec.json"')
    text = program[program.rindex(b"{", 0, found) : found + 500_000].decode("utf-8", "replace")
    carried: dict[str, Any] = json.JSONDecoder().raw_decode(text)[0]
    return carried


@dataclass(frozen=True)
class Instruction:
    """One instruction of a Dockerfile: its word, what follows it, and the stage it stands in ("" before the first)."""

    stage: str
    word: str
    rest: str


def dockerfile(path: Path) -> Iterator[Instruction]:
    """The instructions of a Dockerfile, each on one line, in order."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    stage = ""
    for line in text.replace("\\\n", " ").splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            stage = rest.rpartition(" AS ")[2]
        if word:
            yield Instruction(stage, word, rest.strip())


@dataclass(frozen=True)
class Made:
    """What `docker/secrets` made: the folder of secrets, the settings, the bundle; and what it said, by call."""

    private: Path
    settings: Path
    bundle: Path

    def call(self, *words: str, said: str = "") -> subprocess.CompletedProcess[str]:
        """`docker/secrets` again; ``said`` is its standard input."""
        env = os.environ | {
            "VIGIE_PRIVATE": str(self.private),
            "VIGIE_SETTINGS": str(self.settings),
            "VIGIE_BUNDLE_FOLDER": str(self.bundle),
            "CADDY": str(BIN / "caddy"),
        }
        return subprocess.run([DOCKER / "secrets", *words], env=env, input=said, capture_output=True, text=True)


def make_private(folder: Path) -> Made:
    """Everything that the stack needs, in a folder that is not there yet."""
    folder.mkdir()
    made = Made(folder / "private", folder / "env", folder / "bundle")
    done = made.call()
    assert done.returncode == 0, done.stderr
    return made


def as_user(number: int | None, *argv: str) -> list[str]:
    """The command as that user and group, without any privilege; as oneself for None, and where one is not root."""
    if number is None or os.geteuid() != 0:
        return list(argv)
    who = [f"--reuid={number}", f"--regid={number}", "--clear-groups", "--no-new-privs", "--bounding-set=-all"]
    return ["setpriv", *who, *argv]
