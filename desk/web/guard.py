"""What stands before every request: the right host, a small body, our own forms only, and strict headers."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 32_768
COOKIE = "vigie_form"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class TooLarge(ValueError):
    """A body that is larger than any form of the desk."""


class Guard:
    """ASGI middleware. ``hosts`` are the allowed Host headers; another one may be DNS rebinding and gets 421."""

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self.app, self.hosts = app, frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass the request on with a limit on its body and strict headers on its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if refusal := self._refusal(scope["method"], headers):
            await _plain(send, *refusal)
            return
        await self.app(scope, _limited(receive), _with_headers(scope, send))

    def _refusal(self, method: str, headers: Headers) -> tuple[int, str] | None:
        if headers.get("host", "").lower() not in self.hosts:
            return 421, f"This desk answers only to {', '.join(sorted(self.hosts))}."
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > LARGEST_BODY:
            return 413, f"The request is larger than {LARGEST_BODY} bytes."
        if method not in ("GET", "HEAD", "POST"):
            return 405, "Only GET, HEAD and POST."
        if method == "POST" and not self._ours(headers):
            return 403, "This form was sent from another site."
        return None

    def _ours(self, headers: Headers) -> bool:
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return False
        origin = headers.get("origin")
        return origin is None or origin.lower().split("://")[-1] == headers["host"].lower()


def hosts(port: int, names: Collection[str] = ()) -> set[str]:
    """The Host headers of a desk on ``port``: loopback names, and ``names`` exactly as they are given."""
    local = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}
    return local | {name.lower() for name in names}


def browser(request: Request) -> str:
    """The random name of this browser, from its cookie, or a new one."""
    return request.cookies.get(COOKIE) or secrets.token_urlsafe(18)


def token(key: bytes, name: str) -> str:
    """The form token of one browser: an HMAC of its cookie, which another site can neither read nor make."""
    return hmac.new(key, name.encode(), hashlib.sha256).hexdigest()


def token_holds(key: bytes, request: Request, given: str) -> bool:
    """Whether the form came with the token of this browser's cookie."""
    name = request.cookies.get(COOKIE)
    return bool(name) and hmac.compare_digest(token(key, name or "").encode(), given.encode("utf-8", "replace"))


def _limited(receive: Receive) -> Receive:
    seen = 0

    async def limited() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > LARGEST_BODY:
            raise TooLarge(f"more than {LARGEST_BODY} bytes")
        return message

    return limited


def _with_headers(scope: Scope, send: Send) -> Send:
    async def sender(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            if not scope["path"].startswith("/static/"):
                headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return sender


async def _plain(send: Send, status: int, text: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
