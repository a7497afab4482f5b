"""The sign of life to an outside service, which notices when it stays away: the whole machine may be gone."""

from __future__ import annotations

import logging
import threading

import requests

from config.secrets import MissingSecret, secret

log = logging.getLogger(__name__)
TIMEOUT_S = 10.0


class Heartbeat:
    """Calls in a thread of its own, for at most one service at a time: one that drips its answer holds up nobody."""

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._call: threading.Thread | None = None

    def send(self, name: str) -> None:
        """Call the URL that the secret ``name`` holds; comes back after the timeout, whatever the service does."""
        if self._call is None or not self._call.is_alive():
            self._call = threading.Thread(target=beat, args=(name, self._timeout_s), name="heartbeat", daemon=True)
            self._call.start()
            self._call.join(self._timeout_s)
        if self._call.is_alive():
            log.warning("the heartbeat's service does not finish its answer: no other is sent until it does")


def beat(name: str, timeout_s: float = TIMEOUT_S) -> None:
    """Call the URL that the secret ``name`` holds, and read no more than the head of the answer.

    The URL is never logged; a failure is.
    """
    try:
        with requests.get(secret(name), timeout=timeout_s, allow_redirects=False, stream=True) as answer:
            if answer.status_code >= 400:
                log.warning("the heartbeat was answered with %s", answer.status_code)
    except MissingSecret as error:
        log.warning("no heartbeat: %s", error)
    except (requests.RequestException, ValueError) as error:
        log.warning("the heartbeat could not be sent: %s", type(error).__name__)
