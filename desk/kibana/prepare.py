"""What a cluster with security on needs before Vigie feeds it and people look: keys, a role, a user, a space.

All of it is done as the user ``elastic``, can be done again, and leaves in place what is well already.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import requests

from desk.kibana import rights
from store.index.cluster import Cluster

TIMEOUT_S = 30.0
PAUSE_S = 2.0
USER = "elastic"
T = TypeVar("T")
Verb = Literal["GET", "POST", "PUT", "DELETE"]


class PrepareError(RuntimeError):
    """Something was not done; the message says what and why. It never holds a password or a key."""


class Away(PrepareError):
    """Nothing answers there, or it is still starting; may pass."""


@dataclass(frozen=True, slots=True)
class Admin:
    """The user ``elastic`` at one address; ``ca`` is the file of the authority that signed its certificate (None: the
    machine's own authorities)."""

    url: str
    password: str = field(repr=False)
    ca: Path | None = None

    def ask(self, verb: Verb, path: str, body: Mapping[str, Any] | None = None, *, key: str | None = None) -> Any:
        """The answer, as JSON; with ``key``, of its holder instead. Raises Away, and PrepareError for a refusal."""
        answer = self.answer(verb, path, body, key=key)
        if answer.status_code >= 300:
            raise PrepareError(f"{verb} {path} was refused ({answer.status_code}): {_reason(answer)}")
        return answer.json() if answer.content else {}

    def answer(
        self, verb: Verb, path: str, body: Mapping[str, Any] | None = None, *, key: str | None = None
    ) -> requests.Response:
        """The answer as it came. Raises Away."""

        def signed(request: requests.PreparedRequest) -> requests.PreparedRequest:
            request.prepare_auth((USER, self.password))
            return request

        def keyed(request: requests.PreparedRequest) -> requests.PreparedRequest:
            request.headers["Authorization"] = f"ApiKey {key}"
            return request

        try:
            answer = requests.request(
                verb,
                f"{self.url}{path}",
                json=body,
                headers={"kbn-xsrf": "vigie"},
                auth=keyed if key else signed,
                verify=str(self.ca) if self.ca else True,
                timeout=TIMEOUT_S,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise Away(f"{self.url} does not answer ({type(error).__name__})") from error
        if answer.status_code in (502, 503, 504):
            raise Away(f"{self.url} is not ready ({answer.status_code})")
        return answer


@dataclass(frozen=True, slots=True)
class Passwords:
    """Those to be given: to Kibana's own user, and to the user ``veille`` of the people who look (None: not made)."""

    kibana_system: str | None = field(default=None, repr=False)
    watch: str | None = field(default=None, repr=False)


def patiently(work: Callable[[], T], wait_s: float, sleep: Callable[[float], None] = time.sleep) -> T:
    """What ``work`` gives, tried again for ``wait_s`` seconds while nothing answers. Raises Away after that."""
    until = time.monotonic() + wait_s
    while True:
        try:
            return work()
        except Away:
            if time.monotonic() >= until:
                raise
            sleep(PAUSE_S)


def people(admin: Admin, cluster: Cluster, space: str, passwords: Passwords) -> list[str]:
    """Make the role of those who look, and give the passwords: that of ``veille`` once, since people change it.

    Returns what was done, in order.
    """
    done = [f"role {rights.WATCH}"]
    admin.ask("PUT", f"/_security/role/{rights.WATCH}", rights.watch(cluster.prefix, space))
    if passwords.kibana_system:
        admin.ask("POST", "/_security/user/kibana_system/_password", {"password": passwords.kibana_system})
        done.append("password of kibana_system")
    if passwords.watch and admin.answer("GET", "/_security/user/veille").status_code == 404:
        user = {"password": passwords.watch, "roles": [rights.WATCH], "full_name": "Veille"}
        admin.ask("PUT", "/_security/user/veille", user)
        done.append("user veille")
    return done


def keys(admin: Admin, cluster: Cluster, space: str, folder: Path) -> list[str]:
    """Make the two keys, each in a file of ``folder`` that only its owner reads; one that still opens is kept.

    Returns the names of those that were made.
    """
    wanted = {"feed.key": rights.feed(cluster.prefix), "kibana.key": rights.boards(space)}
    return [name for name, may in wanted.items() if _key(admin, folder / name, may)]


def there(folder: Path) -> bool:
    """Whether both keys lie there, whether they still open or not."""
    return all((folder / name).is_file() for name in ("feed.key", "kibana.key"))


def space(admin: Admin, name: str) -> bool:
    """Make the space in the Kibana at ``admin.url``; False where it is there already."""
    answer = admin.answer("POST", "/api/spaces/space", {"id": name, "name": name.capitalize()})
    if answer.status_code == 409:
        return False
    if answer.status_code != 200:
        raise PrepareError(f"the space {name} was not made ({answer.status_code}): {_reason(answer)}")
    return True


def _key(admin: Admin, file: Path, may: Mapping[str, Any]) -> bool:
    if file.is_file():
        answer = admin.answer("GET", "/_security/_authenticate", key=file.read_text(encoding="ascii").strip())
        if answer.status_code == 200:
            return False
    (name,) = may
    gone = admin.answer("DELETE", "/_security/api_key", {"name": name, "owner": True})
    if gone.status_code not in (200, 404):
        raise PrepareError(f"the former key {name} was not taken back ({gone.status_code}): {_reason(gone)}")
    made = admin.ask("POST", "/_security/api_key", {"name": name, "role_descriptors": may})
    _write(file, made["encoded"])
    return True


def _write(file: Path, content: str) -> None:
    """Whole or not at all, mode 0600."""
    fresh = file.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_text(content, encoding="ascii")
    os.replace(fresh, file)


def _reason(answer: requests.Response) -> str:
    try:
        told = answer.json()
    except requests.exceptions.JSONDecodeError:
        return answer.reason
    error = told.get("error") if isinstance(told, dict) else None
    return str(error.get("reason") if isinstance(error, dict) else told.get("message") or error or answer.reason)
