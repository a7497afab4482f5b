"""A small disk of its own for a script: a tmpfs that only the script's mount namespace sees."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from config.settings import ROOT

# Rights on files bind root too without this capability.
BOUND = ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
NAMESPACE = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--user", "--map-root-user"]


def on_a_small_disk(script: str, folder: Path, *, size: str = "12m") -> dict[str, Any]:
    """The JSON object that ``script`` prints last; its first argument is a folder on a disk of ``size``."""
    mount = f'mount -t tmpfs -o size={size} tmpfs "$1"'
    if subprocess.run([*NAMESPACE, "sh", "-c", mount, "-", str(folder)], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a small disk (unshare --mount)")
    inside = f'{mount} && exec "$2" -c "$3" "$1"'
    return _told([*NAMESPACE, "sh", "-c", inside, "-", str(folder), sys.executable, script])


def bound_by_rights(script: str, folder: Path) -> dict[str, Any]:
    """The JSON object that ``script`` prints last; its first argument is ``folder``, and rights on files bind it."""
    return _told([*BOUND, sys.executable, "-c", script, str(folder)])


def _told(command: list[str]) -> dict[str, Any]:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT, env=env)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found | {"log": done.stderr}
