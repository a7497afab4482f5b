"""Those who are told: a mail server and a webhook of the trial's own, which note every message they take."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from config.settings import HOST


@dataclass(frozen=True, slots=True)
class Receipt:
    """A message taken: its idempotency key, through which channel, and when (seconds of the monotonic clock)."""

    key: str
    channel: str
    at: float


@dataclass
class Receivers:
    """Notes what comes in, and answers after a moment drawn up to ``slow_s``, in which its sender can be killed."""

    draw: Random
    slow_s: float = 0.0
    taken: list[Receipt] = field(default_factory=list)
    mail_port: int = 0
    webhook_port: int = 0

    def take(self, key: str, channel: str) -> float:
        """Note a message; gives the seconds to wait before the answer."""
        self.taken.append(Receipt(key, channel, time.monotonic()))
        return self.draw.random() * self.slow_s

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002 -- aiosmtpd
        """What aiosmtpd calls for each mail."""
        content = envelope.content or b""
        mail = message_from_bytes(content if isinstance(content, bytes) else content.encode())
        await asyncio.sleep(self.take(str(mail["Message-ID"]).strip("<>").partition("@")[0], "mail"))
        return "250 taken"


@contextmanager
def receiving(draw: Random, slow_s: float = 0.0) -> Iterator[Receivers]:
    """Receivers on free ports of this machine, until the block ends."""
    receivers = Receivers(draw, slow_s)
    mail = Controller(receivers, hostname=HOST, port=free_port())
    mail.start()
    web = ThreadingHTTPServer((HOST, 0), _handler(receivers))
    thread = threading.Thread(target=web.serve_forever, name="webhooks", daemon=True)
    thread.start()
    receivers.mail_port, receivers.webhook_port = mail.port, web.server_port
    try:
        yield receivers
    finally:
        mail.stop()
        web.shutdown()
        web.server_close()


def free_port() -> int:
    """A TCP port of this machine that nothing listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _handler(receivers: Receivers) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Read all of it, note it, answer."""
            self.rfile.read(int(self.headers.get("content-length") or 0))
            time.sleep(receivers.take(self.headers.get("Idempotency-Key", ""), "webhook"))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """What came is noted already."""

    return Handler
