"""The ways out. One file, one method: ``send(delivery, message, settings, secrets)``.

It returns when the receiver took the message, and raises TransientError or PermanentError where it did not. A new
channel is a new file here, a line in :func:`senders`, and a ``kind`` in ``config/bundle.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from alerts.messages.message import Message
from store.records import Delivery

Settings = Mapping[str, str | int | bool]


class Sender(Protocol):
    """What a channel gives: one message out, or a ChannelError."""

    def __call__(self, delivery: Delivery, message: Message, settings: Settings, secrets: Mapping[str, str]) -> None:
        """Send. ``settings`` are the channel's own, ``secrets`` their values by setting name."""


def senders() -> dict[str, Sender]:
    """Every channel by its kind."""
    from alerts.channels import apprise, mail, webhook

    return {"mail": mail.send, "webhook": webhook.send, "apprise": apprise.send}
