"""Vigie's image without an engine: its Dockerfile's own instructions, carried out below a folder, and the stack's own
commands and health checks, run there as the image's user.

Every absolute path that the image has of its own stands below the folder instead; names of the stack's network are
addresses of this machine. Nothing else of the commands is changed.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from stack_kit import DOCKER, Made, as_user, dockerfile

from config.settings import ROOT

OWN = ("/opt/", "/locks/", "/var/lib/vigie", "/var/backups/vigie", "/etc/vigie", "/run/secrets/")
USER = 10001
PATIENCE_S = 200
ONCE = ("keys", "boards")
"""The one-shots that come before the pages, in the order of the stack."""
# Neither of these changes what is installed: the machine's cache of packages is used, and code is compiled when it runs
CACHES = {"PIP_NO_CACHE_DIR", "UV_NO_CACHE", "UV_LINK_MODE", "UV_COMPILE_BYTECODE"}


@dataclass
class Image:
    """The image below ``root``; ``env`` is that of its containers, ``names`` what stands for names of the network."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    user: int | None = None
    """As whom containers run; None where that is as oneself, for want of root or of a Python that others may run."""

    def here(self, text: str) -> str:
        """The text with paths of the image below ``root`` and names of the network as addresses of this machine."""
        for path in OWN:
            text = re.sub(rf"(?<![\w./-]){re.escape(path)}", f"{self.root}{path}", text)
        for name, address in self.names.items():
            text = text.replace(name, address)
        return text

    def build(self) -> None:
        """Carry out the Dockerfile: COPY and RUN of the first stage; ENV and the folders of the second."""
        env = {name: value for name, value in os.environ.items() if not name.startswith(("VIGIE_", "VIRTUAL_ENV"))}
        python = base_python()
        self.user = USER if python and os.geteuid() == 0 else None
        (self.root / "python").mkdir()
        (self.root / "python" / "python").symlink_to(python or Path(sys.executable).resolve())
        env["PATH"] = f"{self.root / 'python'}:/usr/local/bin:/usr/bin:/bin"
        for row in dockerfile(DOCKER / "vigie" / "Dockerfile"):
            match (row.stage, row.word):
                case ("build", "COPY"):
                    self._copy(row.rest)
                case ("build", "RUN"):
                    run(self.here(row.rest), env)
                case ("build", "ENV"):
                    env |= {name: value for name, value in pairs(row.rest).items() if name not in CACHES}
                case ("vigie", "ENV"):
                    self.env |= {name: self.here(value) for name, value in pairs(row.rest).items()}
                case ("vigie", "RUN") if named := re.search(r"useradd --uid 10001 .* (\w+) &&", row.rest):
                    self.env["LOGNAME"] = named[1]  # what the image's /etc/passwd says, and Airflow asks
                    self._folders(row.rest)

    def _copy(self, rest: str) -> None:
        *sources, target = rest.split()
        for source in sources:
            if source == ".":
                shutil.copytree(ROOT, self.here(target + "/"), ignore=self._ignored, dirs_exist_ok=True)
                continue
            Path(self.here(target)).mkdir(parents=True, exist_ok=True)
            if Path(source).name.startswith("requirements-"):
                shutil.copy(ROOT / source, self.here(target))
            else:
                shutil.copy(ROOT / source, Path(self.here(target)) / Path(source).name)

    def _ignored(self, folder: str, names: list[str]) -> set[str]:
        """What Docker leaves out of the context: `.dockerignore` read as far as ours goes."""
        lines = (DOCKER / "vigie" / "Dockerfile.dockerignore").read_text().splitlines()
        rules = [line for line in lines if line and not line.startswith("#")]
        allowed = [rule[1:] for rule in rules if rule.startswith("!")]
        never = [rule.removeprefix("**/") for rule in rules if rule.startswith("**/")]

        def kept(name: str) -> bool:
            path = str((Path(folder) / name).relative_to(ROOT))
            inside = any(fnmatch(path, rule) or path.startswith(f"{rule}/") for rule in allowed)
            above = any(rule.startswith(f"{path}/") for rule in allowed)
            return (inside or above) and name not in never

        return {name for name in names if not kept(name)}

    def _folders(self, command: str) -> None:
        """`install -d` of the image, for the user as whom containers run here."""
        made = re.search(r"install -d -o vigie -g vigie -m 0700 ([^&]+)", command)
        assert made, "the image lays out no folders"
        for path in made[1].split():
            folder = Path(self.here(path))
            folder.mkdir(parents=True, mode=0o700)
            if self.user is not None:
                os.chown(folder, self.user, self.user)


def base_python() -> Path | None:
    """A Python of this version that any user may run, as the base image's: this one's may lie in somebody's home."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    known = [Path(sys.executable).resolve(), Path("/usr/bin", name), Path("/usr/local/bin", name)]
    return next((path for path in known if path.exists() and open_to_all(path.resolve())), None)


def open_to_all(path: Path) -> bool:
    return all(part.stat().st_mode & 0o001 for part in (path, *path.parents))


def pairs(text: str) -> dict[str, str]:
    """What an ENV says."""
    return dict(part.split("=", 1) for part in shlex.split(text))


def run(command: str, env: Mapping[str, str]) -> None:
    """One RUN, as `/bin/sh -c` does it."""
    done = subprocess.run(["/bin/sh", "-c", command], env=env, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"


def lay_out(image: Image, made: Made) -> None:
    """Secrets and bundle, where containers find them."""
    for source, target in ((made.private, "/run/secrets/"), (made.bundle, "/etc/vigie/bundle")):
        folder = Path(image.here(target))
        folder.mkdir(parents=True)
        for file in source.iterdir():
            if file.is_file() and file.stat().st_mode & 0o004:
                shutil.copy(file, folder / file.name)


@dataclass
class Container:
    """A service of the stack, run here: its process, its log, and how its health is checked."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    check: Sequence[str]
    env: Mapping[str, str]
    cwd: Path

    def said(self) -> str:
        return f"{self.name}: {self.log.read_text(errors='replace')[-3000:]}"

    def healthy(self) -> str:
        """What its own health check says; "" when it is well."""
        done = subprocess.run(self.check, cwd=self.cwd, env=self.env, capture_output=True, text=True)
        return "" if done.returncode == 0 else done.stdout + done.stderr or "unwell"

    def until_healthy(self, patience_s: float) -> None:
        """Wait until the health check passes; fail where the process ends, or in time."""
        end = time.monotonic() + patience_s
        while reason := self.healthy():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < end, f"{reason}\n{self.said()}"
            time.sleep(0.5)

    def ended(self, patience_s: float) -> int:
        """Its exit status, once it ended by itself."""
        return self.process.wait(patience_s)


@contextmanager
def container(
    image: Image, name: str, service: Mapping[str, Any], folder: Path, *, user: int | None = None
) -> Iterator[Container]:
    """The service's command, as the image's user or that other one, with the service's environment.

    It is told to stop when the block ends.
    """
    command = [image.here(word) for word in service["command"]]
    env = image.env | {key: image.here(value) for key, value in service.get("environment", {}).items()}
    cwd, log = image.root / "opt" / "vigie", folder / f"{name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            as_user(user or image.user, *command), cwd=cwd, env=env, stdout=out, stderr=out, start_new_session=True
        )
    test = service.get("healthcheck", {}).get("test", ["CMD", "true"])
    check = as_user(user or image.user, *(image.here(word) for word in test[1:]))
    made = Container(name, process, log, check, env, cwd)
    try:
        yield made
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
