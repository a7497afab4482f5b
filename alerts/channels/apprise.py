"""Any of the services that apprise speaks to (SMS, chat, push), by a URL kept as a secret.

apprise reads answers whole and has no time limit over all, so each message is sent in a process of its own that is
ended when its time is over. They are forked from one that has loaded every service: that takes seconds, once.

There is no place for an idempotency key: the text ends with the delivery's id, by which a person sees that two
messages are one.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Mapping
from functools import cache
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext

from alerts.errors import SetupError, TransientError
from alerts.messages.message import Message
from store.records import Delivery

TIMEOUT_S = 20.0
MEMORY = 2 << 30
SENT, UNKNOWN, FAILED = 0, 3, 4


def send(
    delivery: Delivery,
    message: Message,
    settings: Mapping[str, str | int | bool],
    secrets: Mapping[str, str],  # noqa: ARG001 - the URL itself is the secret
) -> None:
    """Notify the apprise URL in ``message.to``; setting: timeout (seconds in all). Redirects are not followed.

    apprise does not say why it failed, so every failure is transient. Raises SetupError for a URL that apprise does
    not know, TransientError where the service did not take it in time.
    """
    timeout = float(settings.get("timeout", TIMEOUT_S))
    said = (message.to, message.subject, f"{message.text}\n[{delivery.id}]", message.urgent)
    process = _processes().Process(target=notify, args=said, daemon=True)
    process.start()
    process.join(timeout)
    if process.is_alive():
        process.kill()
        raise TransientError("apprise-timeout", f"the service did not take the message in {timeout:g} s")
    if process.exitcode == UNKNOWN:
        raise SetupError("bad-address", "apprise does not know this kind of address: see its list of services")
    if process.exitcode != SENT:
        said_so = "apprise could not hand the message over: check the secret and the service"
        raise TransientError("apprise-failed", said_so)


def notify(url: str, title: str, text: str, urgent: bool) -> None:
    """Send and end this process; its exit status says what became of the message."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    import apprise

    out = apprise.Apprise(asset=apprise.AppriseAsset(http_redirects=False))
    if not url or not out.add(url):
        sys.exit(UNKNOWN)
    kind = apprise.NotifyType.WARNING if urgent else apprise.NotifyType.INFO
    sent = out.notify(title=title, body=text, notify_type=kind, body_format=apprise.NotifyFormat.TEXT)
    sys.exit(SENT if sent else FAILED)


@cache
def _processes() -> ForkServerContext:
    made = get_context("forkserver")
    made.set_forkserver_preload(["__main__", "alerts.channels.services"])
    return made
