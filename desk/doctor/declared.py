"""What is declared: the configuration, the credentials it names, the channels it leads to."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

from config.bundle import Bundle, Channel
from config.check import check_folder
from config.faults import BundleError
from config.secrets import MissingSecret, secret
from config.world import World
from desk.doctor.finding import Finding, Patient
from store import config_versions

TIMEOUT_S = 3.0
PORTS = {"https": 443, "http": 80}


def configuration(patient: Patient) -> Iterator[Finding]:
    """The bundle's folder: its faults, and whether it is what is in force."""
    folder = patient.settings.config
    faults = check_folder(folder)
    errors = [fault for fault in faults if fault.level == "error"]
    if errors:
        said = f"{folder}: {len(errors)} errors, such as {errors[0]}"
        yield Finding("configuration", "fail", said, "see `vigie check`; what was published before stays in force")
        return
    try:
        version = World.load(folder).version
    except BundleError as error:
        yield Finding("configuration", "fail", f"{folder} does not load: {error}", "see `vigie check`")
        return
    said = f"{folder}: version {version}, {len(faults)} warnings"
    in_force = _in_force(patient)
    if in_force and in_force != version:
        do = "wait a few seconds while Vigie runs; else start it, or look for another VIGIE_CONFIG"
        yield Finding("configuration", "warn", f"{said}; in force is {in_force}", do)
    else:
        yield Finding("configuration", "ok", said)


def _in_force(patient: Patient) -> str | None:
    if patient.db is None:
        return None
    with patient.db.read() as conn:
        return config_versions.newest(conn)


def credentials(patient: Patient) -> Iterator[Finding]:
    """Whether every secret that the bundle names is there; no value is shown."""
    if patient.world is None:
        return
    wanted = dict(named(patient.world.bundle))
    missing = []
    for name, what in wanted.items():
        try:
            if not secret(name, patient.env):
                missing.append(f"{name} ({what}) is empty")
        except MissingSecret as error:
            missing.append(f"{what}: {error}")
    if missing:
        yield Finding("credentials", "warn", "; ".join(missing), "set them, else these sources and channels stay off")
    else:
        yield Finding("credentials", "ok", f"{len(wanted)} named, all there" if wanted else "none named")


def named(bundle: Bundle) -> Iterator[tuple[str, str]]:
    """The name of each secret, and what needs it."""
    for source in bundle.sources:
        if source.enabled and source.kind in ("x_stream", "x_search"):
            yield source.secrets.get("bearer_token", "X_BEARER_TOKEN"), f"source {source.id}"
    for channel in bundle.channels:
        for name in channel.secrets.values():
            yield name, f"channel {channel.id}"


def channels(patient: Patient) -> Iterator[Finding]:
    """Whether the receivers of messages take connections; asked with --reach only, and nothing is sent."""
    if patient.world is None or not patient.reach:
        return
    places = sorted(set(_places(patient.world.bundle)))
    away = [f"{host}:{port} ({why})" for host, port in places if (why := _refusal(host, port))]
    if away:
        yield Finding("channels", "fail", f"no connection to {', '.join(away)}", "look at the network and the receiver")
    else:
        yield Finding("channels", "ok", f"{len(places)} receivers take connections")


def _places(bundle: Bundle) -> Iterator[tuple[str, int]]:
    webhooks = {channel.id for channel in bundle.channels if channel.kind == "webhook"}
    for channel in bundle.channels:
        if channel.kind == "mail":
            yield _mail_host(channel)
    for agency in bundle.agencies:
        for contact in agency.contacts:
            url = urlsplit(contact.address)
            if contact.channel in webhooks and url.hostname:
                yield url.hostname, url.port or PORTS.get(url.scheme, 443)


def _mail_host(channel: Channel) -> tuple[str, int]:
    default = 465 if channel.settings.get("tls") == "tls" else 25
    return str(channel.settings.get("host", "127.0.0.1")), int(channel.settings.get("port", default))


def _refusal(host: str, port: int) -> str:
    try:
        socket.create_connection((host, port), timeout=TIMEOUT_S).close()
    except OSError as error:
        return error.strerror or type(error).__name__
    return ""
