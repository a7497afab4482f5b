"""Where this installation keeps things and listens: read from the environment, never from YAML."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_network
from pathlib import Path
from typing import Literal

from config.secrets import MissingSecret, secret
from store.index.cluster import PREFIX, Cluster

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
_HOST = re.compile(r"https?://[^\s/?#@]+(:\d{1,5})")
_PREFIX = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")


class SettingsError(ValueError):
    """A ``VIGIE_…`` variable that cannot be used; the message names it and says what it may be."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One installation. Ports are TCP on ``listen``, which is the loopback address unless pages and Airflow's API live
    in a container; ``proxies`` are the addresses whose ``X-Forwarded-For`` is believed. ``x_base_url`` is X itself or a
    stand-in for it, ``airflow_url`` where Airflow's API is asked.

    ``desk_url`` is where people reach the desk; ``cluster`` is Elasticsearch, None where the embedded search is all
    there is; ``status`` marks everything that is heard as an exercise or a test, whatever the bundle says;
    ``drill_speed`` is how many times faster than life the bundled drill plays.
    """

    home: Path
    config: Path
    database: str
    desk_port: int
    acknowledge_port: int
    standin_port: int
    mailbox_port: int
    webhook_port: int
    airflow_port: int
    listen: str
    proxies: str | None
    airflow_url: str
    x_base_url: str
    desk_url: str
    cluster: Cluster | None
    kibana_url: str | None
    status: Literal["Exercise", "Test"] | None
    drill_speed: float


def settings(env: Mapping[str, str] | None = None) -> Settings:
    """The settings that ``VIGIE_…`` variables give, with the embedded defaults.

    Raises SettingsError, naming the variable, where one cannot be used.
    """
    env = os.environ if env is None else env
    home = Path(env.get("VIGIE_HOME", ROOT / "var")).absolute()
    return Settings(
        home=home,
        config=Path(env.get("VIGIE_CONFIG", ROOT / "config" / "default")).absolute(),
        database=env.get("VIGIE_DATABASE", f"sqlite:///{home / 'vigie.db'}"),
        desk_port=_port(env, "VIGIE_DESK_PORT", 8710),
        acknowledge_port=_port(env, "VIGIE_ACKNOWLEDGE_PORT", 8711),
        standin_port=_port(env, "VIGIE_STANDIN_PORT", 8712),
        mailbox_port=_port(env, "VIGIE_MAILBOX_PORT", 8713),
        webhook_port=_port(env, "VIGIE_WEBHOOK_PORT", 8714),
        airflow_port=_port(env, "VIGIE_AIRFLOW_PORT", 8080),
        listen=_address(env.get("VIGIE_LISTEN", HOST)),
        proxies=_proxies(env.get("VIGIE_PROXY", "")),
        airflow_url=_url(env, "VIGIE_AIRFLOW_URL", f"http://{HOST}:{_port(env, 'VIGIE_AIRFLOW_PORT', 8080)}"),
        x_base_url=env.get("VIGIE_X_BASE_URL", "https://api.twitter.com"),
        desk_url=_url(env, "VIGIE_DESK_URL", f"http://{HOST}:{_port(env, 'VIGIE_DESK_PORT', 8710)}"),
        cluster=_cluster(env),
        kibana_url=_url(env, "VIGIE_KIBANA_URL", "") or None,
        status=_status(env.get("VIGIE_STATUS", "")),
        drill_speed=_speed(env.get("VIGIE_DRILL_SPEED", "4")),
    )


def _cluster(env: Mapping[str, str]) -> Cluster | None:
    """The cluster of ``VIGIE_ELASTICSEARCH`` (addresses with commas between), None where it is not set."""
    hosts = tuple(part.strip().rstrip("/") for part in env.get("VIGIE_ELASTICSEARCH", "").split(",") if part.strip())
    if not hosts:
        return None
    for host in hosts:
        if not _HOST.fullmatch(host):
            shown = re.sub(r"//[^/]*@", "//…@", host)
            raise SettingsError(f"VIGIE_ELASTICSEARCH holds {shown!r}: give https://name:9200, with commas between")
    prefix = env.get("VIGIE_ELASTICSEARCH_PREFIX", PREFIX)
    if not _PREFIX.fullmatch(prefix):
        raise SettingsError(f"VIGIE_ELASTICSEARCH_PREFIX must be small letters, digits and dashes, not {prefix!r}")
    ca = env.get("VIGIE_ELASTICSEARCH_CA")
    if ca and not Path(ca).is_file():
        raise SettingsError(f"VIGIE_ELASTICSEARCH_CA names {ca}, which is no file: give the authority's PEM file")
    return Cluster(hosts, prefix, Path(ca).absolute() if ca else None, _api_key(env))


def _api_key(env: Mapping[str, str]) -> str | None:
    if not (env.get("VIGIE_ELASTICSEARCH_API_KEY") or env.get("VIGIE_ELASTICSEARCH_API_KEY_FILE")):
        return None
    try:
        return secret("VIGIE_ELASTICSEARCH_API_KEY", env)
    except MissingSecret as missing:
        raise SettingsError(str(missing)) from missing


def _address(value: str) -> str:
    try:
        return str(IPv4Address(value))
    except ValueError:
        raise SettingsError(f"VIGIE_LISTEN must be an address such as 127.0.0.1 or 0.0.0.0, not {value!r}") from None


def _proxies(value: str) -> str | None:
    """Addresses or networks with commas between, as uvicorn takes them, or ``*``; None where there are none."""
    parts = [part.strip() for part in value.split(",") if part.strip()]
    for part in parts:
        try:
            if part != "*":
                ip_network(part)
        except ValueError:
            raise SettingsError(f"VIGIE_PROXY must hold addresses or networks, or *, not {part!r}") from None
    return ",".join(parts) or None


def _url(env: Mapping[str, str], name: str, default: str) -> str:
    value = env.get(name, default).rstrip("/")
    if value and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", value):
        raise SettingsError(f"{name} must be an address such as https://desk.example.org, not {value!r}")
    return value


def _status(value: str) -> Literal["Exercise", "Test"] | None:
    match value:
        case "Exercise" | "Test":
            return value
        case "" | "Actual":
            return None
    raise SettingsError(f"VIGIE_STATUS must be Exercise or Test, or not set; it is {value!r}")


def _port(env: Mapping[str, str], name: str, default: int) -> int:
    value = env.get(name, str(default))
    if not value.isdigit() or not 0 < int(value) < 65536:
        raise SettingsError(f"{name} must be a port between 1 and 65535, not {value!r}")
    return int(value)


def _speed(value: str) -> float:
    try:
        speed = float(value)
    except ValueError:
        speed = 0
    if not 0 < speed <= 1000:
        raise SettingsError(f"VIGIE_DRILL_SPEED must be a number above 0, at most 1000, not {value!r}")
    return speed
