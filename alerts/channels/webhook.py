"""A signed webhook: JSON (or CAP) by POST, with an idempotency key and an HMAC over time and body.

The receiver checks ``Vigie-Signature: v1=<hex>`` = HMAC-SHA256(key, ``Vigie-Timestamp`` + "." + body), refuses times
older than a few minutes, and takes an ``Idempotency-Key`` that it has seen as done already.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import SplitResult, quote, unquote, urlsplit

import orjson

from alerts.channels.wire import Slot, bad_certificate, broken, place
from alerts.errors import PermanentError, SetupError, TransientError
from alerts.messages.message import Message
from store.records import Delivery

TIMEOUT_S = 10.0
LATER = frozenset({408, 421, 423, 425, 429})
TO_CORRECT = frozenset({401, 403, 404, 405, 407, 410})
LOCAL = ("127.0.0.1", "localhost", "::1")
SAFE = "/%:@!$&'()*+,;=~-._"

Settings = Mapping[str, str | int | bool]


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads. ``path`` and ``login`` may hold secrets, ``where`` never does."""

    host: str
    port: int
    path: str
    secure: bool
    login: str

    @property
    def where(self) -> str:
        """The receiver, as errors name it."""
        return place(self.host, self.port)


def send(delivery: Delivery, message: Message, settings: Settings, secrets: Mapping[str, str]) -> None:
    """POST to ``message.to``. Settings: timeout (seconds in all), format (json, cap), plain_http (true allows http://
    to another machine), private_network (true allows a name that leads into it). The secret ``key`` signs.

    Redirects are not followed, and of the answer only the status and headers are read. Raises TransientError for
    timeouts, broken connections, 408, 425, 429 and 5xx; SetupError for what somebody here can correct;
    PermanentError for every other answer that is no 2xx.
    """
    target = _target(message.to, bool(settings.get("plain_http", False)))
    body, kind = _body(message, str(settings.get("format", "json")))
    headers = {"Content-Type": kind, "Idempotency-Key": delivery.id, "User-Agent": "Vigie"}
    headers |= signature(secrets.get("key", ""), int(message.at.timestamp()), body)
    public = not settings.get("private_network", False)
    with Slot(float(settings.get("timeout", TIMEOUT_S))) as slot:
        try:
            status, retry_after = _post(slot, target, body, headers, public)
        except ssl.SSLCertVerificationError as error:
            raise bad_certificate(target.where, error) from error
        except (OSError, http.client.HTTPException) as error:
            raise broken("http", target.where, error, slot) from error
    _judge(target.where, status, retry_after)


def signature(key: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The two headers that prove who sends and when (seconds since 1970). Raises SetupError without a key."""
    if not key:
        raise SetupError("no-key", "this webhook has no key: name one under secrets, as key: VIGIE_WEBHOOK_KEY")
    digest = hmac.new(key.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Vigie-Timestamp": str(timestamp), "Vigie-Signature": f"v1={digest}"}


def _body(message: Message, form: str) -> tuple[bytes, str]:
    if form == "cap":
        return message.cap.encode(), "application/cap+xml"
    if form != "json":
        raise SetupError("bad-setting", f"format must be json or cap, not {form!r}")
    return orjson.dumps(message.payload), "application/json"


def _target(url: str, plain_http: bool) -> Target:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise SetupError("bad-address", "the webhook's address is no URL") from error
    if not host or parts.scheme not in ("http", "https"):
        raise SetupError("bad-address", "the webhook's address must be an https:// URL")
    if parts.scheme == "http" and host not in LOCAL and not plain_http:
        raise SetupError("plain-http", "the webhook's address is http://; use https://, or set plain_http: true")
    secure = parts.scheme == "https"
    path = quote(parts.path or "/", SAFE) + (f"?{quote(parts.query, SAFE + '?')}" if parts.query else "")
    return Target(_ascii(host), port or (443 if secure else 80), path, secure, _login(parts))


def _ascii(host: str) -> str:
    try:
        return host.encode("idna").decode("ascii") if not host.isascii() else host
    except UnicodeError as error:
        raise SetupError("bad-address", "the webhook's address names no host") from error


def _login(parts: SplitResult) -> str:
    if parts.username is None:
        return ""
    named = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return "Basic " + base64.b64encode(named.encode()).decode("ascii")


def _post(slot: Slot, target: Target, body: bytes, headers: dict[str, str], public: bool) -> tuple[int, str | None]:
    """The status and Retry-After of the answer, whose body is left unread: nobody can fill our memory with it."""
    sock = slot.connect(target.host, target.port, public=public)
    try:
        connection = http.client.HTTPConnection(target.host, target.port)
        if target.secure:
            connection = http.client.HTTPSConnection(target.host, target.port, context=_tls())
            sock = _tls().wrap_socket(sock, server_hostname=target.host)
        connection.sock = sock
        login = {"Authorization": target.login} if target.login else {}
        connection.request("POST", target.path, body, headers | login)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Retry-After")
    finally:
        sock.close()


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _judge(where: str, status: int, retry_after: str | None) -> None:
    if 200 <= status < 300:
        return
    if status in LATER or status >= 500:
        seconds = float(retry_after) if retry_after and retry_after.isascii() and retry_after.isdigit() else None
        raise TransientError(f"http-{status}", f"the webhook {where} answered {status}", retry_after=seconds)
    if 300 <= status < 400:
        what = f"the webhook {where} answered {status}, a redirect, which is not followed: correct its address"
        raise SetupError(f"http-{status}", what)
    if status in TO_CORRECT:
        raise SetupError(f"http-{status}", f"the webhook {where} answered {status}: correct its address or its key")
    raise PermanentError(f"http-{status}", f"the webhook {where} answered {status}: it refuses the message")
