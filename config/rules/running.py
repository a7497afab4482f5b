"""Time, operations, channels and sources: what must hold while Vigie runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from zoneinfo import available_timezones

from config.bundle import Channel, Source
from config.faults import Fault, nearest
from config.load import KeyPath
from config.rules.case import Case

_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*\Z")
SETTINGS = {
    "mail": ("host", "port", "from", "tls", "timeout", "format"),
    "webhook": ("timeout", "format", "plain_http", "private_network"),
    "apprise": ("timeout", "format"),
    "x_stream": (),
    "x_search": (),
    "file": ("path",),
    "hand": (),
}
SECRETS = {
    "mail": ("username", "password"),
    "webhook": ("key",),
    "x_stream": ("bearer_token",),
    "x_search": ("bearer_token",),
}


def time_zone(case: Case) -> Iterator[Fault]:
    """A time zone that does not exist."""
    zones = available_timezones()
    if case.bundle.time_zone not in zones:
        message = f'there is no time zone "{case.bundle.time_zone}"'
        yield case.error(("time_zone",), message, nearest(case.bundle.time_zone, zones))


def operations(case: Case) -> Iterator[Fault]:
    """An operation that is over, or ends before it begins."""
    for index, operation in enumerate(case.bundle.operations):
        path = ("operations", index, "until")
        if operation.until <= operation.since:
            yield case.error(path, "it ends before it begins", "correct `since` or `until`")
        elif operation.until < case.now:
            message = f'"{operation.id}" ended on {operation.until:%Y-%m-%d}: its incidents page people again'
            yield case.warning(path, message, "delete it, or give it a later end")


def watchdog(case: Case) -> Iterator[Fault]:
    """A watchdog whose every way out can fail at once, or whose heartbeat names no secret."""
    declared = case.bundle.watchdog
    if declared is None:
        return
    through = {c.id: c.channel for agency in case.bundle.agencies for c in agency.contacts}
    used = {through[contact] for contact in declared.contacts if contact in through}
    if len(used) == 1:
        message = f'everybody is told through "{used.pop()}": when that fails, nobody hears that Vigie stopped'
        yield case.warning(("watchdog", "contacts"), message, "add a contact on another channel")
    if declared.heartbeat and not _VARIABLE.match(declared.heartbeat):
        message = f'"{declared.heartbeat}" must name an environment variable'
        yield case.error(("watchdog", "heartbeat"), message, "write a name such as VIGIE_HEARTBEAT_URL, not the URL")


def channels(case: Case) -> Iterator[Fault]:
    """A channel or source without what it needs, with a setting it does not know, or with a secret in clear."""
    for index, channel in enumerate(case.bundle.channels):
        path = ("channels", index)
        if channel.kind == "mail" and "host" not in channel.settings:
            yield case.error(path, 'a mail channel needs the setting "host"', "add settings: {host: …}")
        if channel.kind == "webhook" and "key" not in channel.secrets:
            advice = "add secrets: {key: NAME_OF_VARIABLE}; receivers check the signature with it"
            yield case.error(path, "a webhook channel needs a key to sign with", advice)
        yield from _settings(case, path, channel)
    for index, source in enumerate(case.bundle.sources):
        yield from _settings(case, ("sources", index), source)


def anchors(case: Case) -> Iterator[Fault]:
    """A place for the ledger's head that is neither a file nor a contact that can keep it, or both."""
    kinds = {channel.id: channel.kind for channel in case.bundle.channels}
    contacts = {one.id: kinds.get(one.channel) for agency in case.bundle.agencies for one in agency.contacts}
    for index, place in enumerate(case.bundle.anchors):
        path = ("anchors", index)
        if bool(place.file) == bool(place.contact):
            yield case.error(path, f'"{place.id}" needs a file or a contact, and not both', "write one of the two")
        elif place.contact and contacts.get(place.contact) == "apprise":
            advice = "name a contact that is reached by mail or webhook"
            yield case.error((*path, "contact"), f'"{place.contact}" cannot keep what it is sent', advice)


def _settings(case: Case, path: KeyPath, declared: Channel | Source) -> Iterator[Fault]:
    for part, known in (("settings", SETTINGS), ("secrets", SECRETS)):
        for name in getattr(declared, part):
            allowed = known.get(declared.kind, ())
            if part == "settings" and _secret(name):
                advice = f"name an environment variable under secrets: {{{name}: NAME_OF_VARIABLE}}"
                yield case.error((*path, part, name), f'"{name}" looks like a secret written in clear', advice)
            elif name not in allowed:
                say = case.error if isinstance(declared, Channel) else case.warning
                message = f'{declared.kind} does not know the {part[:-1]} "{name}"'
                yield say((*path, part, name), message, nearest(name, allowed) if allowed else "delete it")
    for name, variable in declared.secrets.items():
        if not _VARIABLE.match(variable):
            message = f'"{name}" must name an environment variable'
            yield case.error(
                (*path, "secrets", name), message, "write a name such as VIGIE_SMTP_PASSWORD, not the secret"
            )


def _secret(name: str) -> bool:
    return any(word in name.lower() for word in ("password", "token", "secret", "apikey", "api_key"))
