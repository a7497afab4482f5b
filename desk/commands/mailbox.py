"""`vigie mailbox`: a local mail server and webhook receiver for drills, which keep what they get as files."""

from __future__ import annotations

import errno
import itertools
import json
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import click
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from config.settings import HOST, settings

AT_MOST = 1_000_000


class Folder:
    """Numbered files: ``000001.eml``, ``000002.json``…"""

    def __init__(self, path: Path, *, as_json: bool = False) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._as_json = as_json
        self._lock = threading.Lock()
        self._numbers = itertools.count(1 + len(list(path.iterdir())))

    def keep(self, content: bytes, suffix: str, note: str) -> None:
        """Write one message and say who it was for."""
        with self._lock:
            path = self.path / f"{next(self._numbers):06d}{suffix}"
            path.write_bytes(content)
        click.echo(json.dumps({"file": str(path), "note": note}) if self._as_json else f"{path.name}: {note}")


class Mail:
    """What aiosmtpd calls for each message."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002 -- aiosmtpd
        """Keep one message."""
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode()
        self._folder.keep(raw, ".eml", f"to {', '.join(envelope.rcpt_tos)}")
        return "250 kept"


def webhooks(folder: Folder, port: int) -> ThreadingHTTPServer:
    """A server that keeps the body of each POST; raises OSError where the port is taken."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = min(int(self.headers.get("content-length") or 0), AT_MOST)
            folder.keep(self.rfile.read(length), ".json", f"to {self.path}")
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """What was kept is said already."""

    return ThreadingHTTPServer((HOST, port), Handler)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line for each message kept.")
def command(as_json: bool) -> None:
    """Receive mail and webhooks on this machine only, and keep them as files: nothing leaves in a drill.

    Ports: VIGIE_MAILBOX_PORT (SMTP, 8713) and VIGIE_WEBHOOK_PORT (HTTP, 8714).

    Example: vigie mailbox
    """
    chosen = settings()
    folder = Folder(chosen.home / "mailbox", as_json=as_json)
    try:
        name, port = "VIGIE_WEBHOOK_PORT", chosen.webhook_port
        receiver = webhooks(folder, port)
        name, port = "VIGIE_MAILBOX_PORT", chosen.mailbox_port
        mail = Controller(Mail(folder), hostname=HOST, port=port)
        mail.start()
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise click.ClickException(
            f"port {port} is in use: end what holds it, or set {name} to another port"
        ) from error
    click.echo(
        f"keeping mail for port {chosen.mailbox_port} and webhooks for port {chosen.webhook_port} in {folder.path}",
        err=as_json,
    )
    with suppress(KeyboardInterrupt):
        receiver.serve_forever()
    mail.stop()
    receiver.server_close()
