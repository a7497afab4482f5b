"""Time, operations, channels and sources: what must hold while Vigie runs."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import available_timezones

from config.faults import Fault, nearest
from config.rules.case import Case

NEEDED = {"mail": ("host",), "webhook": (), "apprise": ()}


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


def channels(case: Case) -> Iterator[Fault]:
    """A channel without what it needs, or with a secret written in clear."""
    for index, channel in enumerate(case.bundle.channels):
        for name in NEEDED[channel.kind]:
            if name not in channel.settings:
                message = f'a {channel.kind} channel needs the setting "{name}"'
                yield case.error(("channels", index), message, f"add settings: {{{name}: …}}")
        for name in channel.settings:
            if _secret(name):
                yield _clear(case, ("channels", index, "settings", name), name)
    for index, source in enumerate(case.bundle.sources):
        for name in source.settings:
            if _secret(name):
                yield _clear(case, ("sources", index, "settings", name), name)
        if source.kind in ("x_stream", "x_search") and "bearer_token" not in source.secrets:
            advice = "add secrets: {bearer_token: X_BEARER_TOKEN}"
            yield case.error(("sources", index), f'"{source.id}" has no bearer token', advice)


def _secret(name: str) -> bool:
    return any(word in name.lower() for word in ("password", "token", "secret", "apikey", "api_key"))


def _clear(case: Case, path: tuple[str | int, ...], name: str) -> Fault:
    advice = f"name an environment variable under secrets: {{{name}: NAME_OF_VARIABLE}}"
    return case.error(path, f'"{name}" looks like a secret written in clear', advice)
