"""A signed webhook: JSON (or CAP) by POST, with an idempotency key and an HMAC over time and body.

The receiver checks ``Vigie-Signature: v1=<hex>`` = HMAC-SHA256(key, ``Vigie-Timestamp`` + "." + body), refuses times
older than a few minutes, and takes an ``Idempotency-Key`` that it has seen as done already.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

import orjson
import requests
import urllib3

from alerts.errors import PermanentError, TransientError
from alerts.messages.message import Message
from store.records import Delivery

TIMEOUT_S = 10.0
LATER = frozenset({408, 421, 423, 425, 429})
LONGEST_WAIT_S = 3600.0
LOCAL = ("127.0.0.1", "localhost", "::1")

Settings = Mapping[str, str | int | bool]


def send(delivery: Delivery, message: Message, settings: Settings, secrets: Mapping[str, str]) -> None:
    """POST to ``message.to``. Settings: timeout (seconds), format (json, cap), plain_http (true allows http:// to
    another machine). The secret ``key`` signs.

    Redirects are not followed, and of the answer only the status and headers are read. Raises TransientError for
    timeouts, broken connections, 408, 425, 429 and 5xx; PermanentError for every other answer that is no 2xx.
    """
    _check(message.to, bool(settings.get("plain_http", False)))
    body, kind = _body(message, str(settings.get("format", "json")))
    headers = {"Content-Type": kind, "Idempotency-Key": delivery.id, "User-Agent": "Vigie"}
    headers |= signature(secrets.get("key", ""), int(message.at.timestamp()), body)
    try:
        status, retry_after = _post(message.to, body, headers, float(settings.get("timeout", TIMEOUT_S)))
    except requests.exceptions.SSLError as error:
        raise PermanentError("tls-certificate", "the webhook's certificate does not hold") from error
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidHeader) as error:
        raise PermanentError("bad-address", "the webhook's address is no URL that can be called") from error
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise TransientError("http-unreachable", f"the webhook cannot be reached: {type(error).__name__}") from error
    _judge(status, retry_after)


def signature(key: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The two headers that prove who sends and when (seconds since 1970). Raises PermanentError without a key."""
    if not key:
        raise PermanentError("no-key", "this webhook has no key: name one, as secrets: {key: VIGIE_WEBHOOK_KEY}")
    digest = hmac.new(key.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Vigie-Timestamp": str(timestamp), "Vigie-Signature": f"v1={digest}"}


def _body(message: Message, form: str) -> tuple[bytes, str]:
    if form == "cap":
        return message.cap.encode(), "application/cap+xml"
    if form != "json":
        raise PermanentError("bad-setting", f"format must be json or cap, not {form!r}")
    return orjson.dumps(message.payload), "application/json"


def _check(url: str, plain_http: bool) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError as error:
        raise PermanentError("bad-address", "the webhook's address is no URL") from error
    if not host or parts.scheme not in ("http", "https"):
        raise PermanentError("bad-address", "the webhook's address must be an https:// URL")
    if parts.scheme == "http" and host not in LOCAL and not plain_http:
        raise PermanentError("plain-http", "the webhook's address is http://; use https://, or set plain_http: true")


def _post(url: str, body: bytes, headers: Mapping[str, str], timeout: float) -> tuple[int, str | None]:
    """The status and Retry-After of the answer, whose body is left unread: nobody can fill our memory with it."""
    with requests.Session() as session:
        session.trust_env = False  # no password from a .netrc, no proxy that nobody configured
        with session.post(
            url, data=body, headers=dict(headers), timeout=timeout, allow_redirects=False, stream=True
        ) as answer:
            return answer.status_code, answer.headers.get("Retry-After")


def _judge(status: int, retry_after: str | None) -> None:
    if 200 <= status < 300:
        return
    if status in LATER or status >= 500:
        seconds = float(retry_after) if retry_after and retry_after.isascii() and retry_after.isdigit() else None
        asked = min(seconds, LONGEST_WAIT_S) if seconds else None
        raise TransientError(f"http-{status}", f"the webhook answered {status}", retry_after=asked)
    what = f"{status}, a redirect, which is not followed" if 300 <= status < 400 else str(status)
    raise PermanentError(f"http-{status}", f"the webhook answered {what}")
