"""From a delivery to the channel, address and secrets it goes out with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from alerts import directory
from alerts.errors import PermanentError, SetupError
from config.secrets import MissingSecret, secret
from config.world import World
from store.records import Delivery

NAMED = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Route:
    """The way out of one delivery. ``address`` and ``secrets`` are values, never to be logged."""

    kind: str
    address: str
    settings: Mapping[str, str | int | bool]
    secrets: Mapping[str, str]


def route_of(world: World, delivery: Delivery) -> Route:
    """The way out under the bundle in force. Raises PermanentError where the bundle lacks it, SetupError
    where the environment does: it waits there until somebody sets it."""
    contact = directory.contact(world.bundle, delivery.agency, delivery.contact)
    channel = directory.channel(world.bundle, delivery.channel)
    if contact is None or channel is None:
        what = f"contact {delivery.contact}" if contact is None else f"channel {delivery.channel}"
        raise PermanentError("not-in-bundle", f"the bundle has no {what} any more")
    named = NAMED.fullmatch(contact.address)
    try:
        secrets = {setting: secret(name) for setting, name in channel.secrets.items()}
        address = secret(named[1]) if named else contact.address
    except MissingSecret as error:
        raise SetupError("missing-secret", str(error)) from error
    return Route(channel.kind, address, channel.settings, secrets)
