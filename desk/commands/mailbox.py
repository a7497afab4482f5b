"""`vigie mailbox`: a local mail server for drills, which keeps what it gets as files."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import click
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from config.settings import HOST, settings


class Keeper:
    """Writes each message to ``NUMBER.eml`` and says who it was for."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._numbers = itertools.count(1 + len(list(folder.glob("*.eml"))))

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002
        """Keep one message (the name is aiosmtpd's)."""
        path = self._folder / f"{next(self._numbers):06d}.eml"
        content = envelope.content or b""
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        click.echo(f"{path.name}: to {', '.join(envelope.rcpt_tos)}")
        return "250 kept"


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Port on 127.0.0.1; default VIGIE_MAILBOX_PORT or 8713.")
def command(port: int | None) -> None:
    """Receive mail on this machine only, and keep it as files: nothing leaves in a drill.

    Example: vigie mailbox --port 8713
    """
    chosen = settings()
    folder = chosen.home / "mailbox"
    controller = Controller(Keeper(folder), hostname=HOST, port=port or chosen.mailbox_port)
    try:
        controller.start()
    except OSError as error:
        raise click.ClickException(
            f"cannot listen on {HOST}:{controller.port} ({error.strerror}): set --port"
        ) from error
    click.echo(f"keeping mail for {HOST}:{controller.port} in {folder}")
    while True:
        time.sleep(3600)
