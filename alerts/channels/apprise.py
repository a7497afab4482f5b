"""Any of the services that apprise speaks to (SMS, chat, push), by a URL kept as a secret."""

from __future__ import annotations

from collections.abc import Mapping

import apprise

from alerts.errors import PermanentError, TransientError
from alerts.messages.message import Message
from store.records import Delivery


def send(
    delivery: Delivery,  # noqa: ARG001 - apprise has no place for an idempotency key
    message: Message,
    settings: Mapping[str, str | int | bool],  # noqa: ARG001 - everything stands in the URL
    secrets: Mapping[str, str],  # noqa: ARG001 - the URL itself is the secret
) -> None:
    """Notify the apprise URL in ``message.to``. apprise does not say why it failed, so every failure is transient.

    Raises PermanentError for a URL that apprise does not know, TransientError where the service did not take it.
    """
    out = apprise.Apprise()
    if not message.to or not out.add(message.to):
        raise PermanentError("bad-address", "apprise does not know this kind of address: see its list of services")
    kind = apprise.NotifyType.WARNING if message.urgent else apprise.NotifyType.INFO
    form = apprise.NotifyFormat.TEXT
    if not out.notify(title=message.subject, body=message.text, notify_type=kind, body_format=form):
        raise TransientError("apprise-failed", "apprise could not hand the message over")
