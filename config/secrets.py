"""Secrets: from the environment, or from the file that ``NAME_FILE`` points to. They are never logged."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets as random
from collections.abc import Mapping
from pathlib import Path


class MissingSecret(LookupError):
    """A secret that the configuration names is not there; the message says what to set."""


def secret(name: str, env: Mapping[str, str] | None = None) -> str:
    """The value of ``name``, or the stripped content of the file that ``name_FILE`` names.

    Raises MissingSecret where neither is set or the file cannot be read.
    """
    env = os.environ if env is None else env
    if value := env.get(name):
        return value
    path = env.get(f"{name}_FILE")
    if not path:
        raise MissingSecret(f"{name} is not set: export {name}, or {name}_FILE with the path of a file that holds it")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise MissingSecret(f"{name}_FILE points to {path}, which cannot be read: {error.strerror}") from error


def installation_key(home: Path, purpose: str) -> bytes:
    """32 bytes for one purpose, derived from ``VIGIE_SECRET`` or from a key file made once in ``home`` (mode 0600)."""
    return hmac.new(_master(home), purpose.encode(), hashlib.sha256).digest()


def _master(home: Path) -> bytes:
    try:
        return secret("VIGIE_SECRET").encode()
    except MissingSecret:
        path = home / "secret"
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True)
        mine = path.with_name(f"secret.{os.getpid()}")
        mine.touch(mode=0o600)
        mine.write_text(random.token_hex(32), encoding="ascii")
        try:
            os.link(mine, path)  # the first process wins, the others read what it wrote
        except FileExistsError:
            return path.read_bytes()
        finally:
            mine.unlink()
    return path.read_bytes()
