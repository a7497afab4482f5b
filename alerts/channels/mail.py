"""Mail through SMTP: text and simple HTML, with the delivery's id as Message-ID, so that a second copy can be told."""

from __future__ import annotations

import html
import smtplib
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import format_datetime
from functools import cache
from typing import BinaryIO

from alerts.channels.wire import Slot, bad_certificate, broken, place
from alerts.errors import ChannelError, PermanentError, SetupError, TransientError
from alerts.messages.message import Message
from alerts.messages.wording import Wording
from store.records import Delivery

TIMEOUT_S = 10.0
TLS = ("none", "starttls", "tls")
CREDENTIAL = frozenset({530, 534, 535, 538})
MOST_SAID = 65536

Settings = Mapping[str, str | int | bool]


def send(delivery: Delivery, message: Message, settings: Settings, secrets: Mapping[str, str]) -> None:
    """Hand the message to the SMTP server of ``settings``: host, port, from, tls (none, starttls, tls), timeout
    (seconds in all).

    ``secrets`` may hold username and password. Raises TransientError for 4xx answers and broken connections,
    SetupError for a rejected credential, a certificate that does not hold and bad settings, PermanentError for other
    5xx answers. Once the server has taken the message, nothing that follows makes it a failure.
    """
    tls, host = str(settings.get("tls", "none")), str(settings.get("host", "127.0.0.1"))
    if tls not in TLS:
        raise SetupError("bad-setting", f"tls must be none, starttls or tls, not {tls!r}")
    port = int(settings.get("port", 465 if tls == "tls" else 25))
    mail = compose(delivery, message, str(settings.get("from", "vigie@localhost")))
    with Slot(float(settings.get("timeout", TIMEOUT_S))) as slot:
        server = Server(slot, host, tls)
        try:
            _hand_over(server, port, mail, secrets)
        except (OSError, smtplib.SMTPException) as error:
            raise _fault(error, place(host, port), slot) from error
        finally:
            server.close()


def _hand_over(server: Server, port: int, mail: EmailMessage, secrets: Mapping[str, str]) -> None:
    server.open(port)
    if "username" in secrets:
        server.login(secrets["username"], secrets.get("password", ""))
    server.send_message(mail)
    with suppress(OSError, smtplib.SMTPException):  # the message is taken; its answer to this is of no interest
        server.putcmd("quit")


class Server(smtplib.SMTP):
    """A session in ``slot`` with the server at ``host``, whose answers are bounded in time and length."""

    def __init__(self, slot: Slot, host: str, tls: str) -> None:
        super().__init__(local_hostname=_own_name())
        self._slot, self._host, self._tls = slot, host, tls

    def open(self, port: int) -> None:
        """Connect and secure the connection. Raises SMTPException or OSError."""
        code, said = self.connect(self._host, port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, said)
        if self._tls == "starttls":
            self.starttls(context=_tls())

    def getreply(self) -> tuple[int, bytes]:
        """The next answer of the server, as smtplib reads it, at most 64 KiB in all."""
        if self.file is None and self.sock is not None:
            self.file = _Bounded(self.sock.makefile("rb"))
        return super().getreply()

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:  # noqa: ARG002 - smtplib's seam
        made = self._slot.connect(host, port)
        return _tls().wrap_socket(made, server_hostname=host) if self._tls == "tls" else made


class _Bounded:
    """The server's side of a session; ends it where the server talks without end."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._left = file, MOST_SAID
        self.close = file.close

    def readline(self, most: int) -> bytes:
        line = self._file.readline(most)
        self._left -= len(line)
        if self._left < 0:
            raise smtplib.SMTPServerDisconnected("the server says more than anybody needs to know")
        return line


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


@cache
def _own_name() -> str:
    """This machine's name, asked once: a slow name service would cost every message its time."""
    return socket.getfqdn()


def compose(delivery: Delivery, message: Message, sender: str) -> EmailMessage:
    """The mail itself. Raises SetupError where an address cannot stand in a header."""
    mail = EmailMessage()
    domain = sender.rpartition("@")[2].strip(" >") or "localhost"
    try:
        mail["From"], mail["To"], mail["Subject"] = sender, message.to, message.subject
    except (ValueError, MessageError) as error:
        raise SetupError("bad-address", "the address or sender of this channel cannot stand in a mail") from error
    mail["Date"] = format_datetime(message.at)
    mail["Message-ID"] = f"<{delivery.id}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["Content-Language"] = message.language
    if message.urgent:
        mail["Importance"], mail["X-Priority"] = "high", "1"
    mail.set_content(message.text)
    mail.add_alternative(page(message), subtype="html")
    if message.cap:
        mail.add_attachment(message.cap.encode(), maintype="application", subtype="cap+xml", filename="alert.cap.xml")
    return mail


def page(message: Message) -> str:
    """The text as simple HTML with the link, where there is one, as a button; no image, no script, nothing fetched."""
    first, _, rest = message.text.removesuffix(message.link).rstrip().partition("\n")
    return (
        f'<!doctype html><html lang="{message.language}"><body style="font:16px/1.4 sans-serif;max-width:36em">'
        f"<p><strong>{html.escape(first)}</strong></p>"
        f'<p style="white-space:pre-line">{html.escape(rest)}</p>{_button(message)}</body></html>'
    )


def _button(message: Message) -> str:
    if not message.link:
        return ""
    label = html.escape(Wording(message.language, "UTC").say("take.button"))
    return (
        f'<p><a href="{html.escape(message.link)}" style="display:inline-block;padding:.8em 1.2em;'
        f'background:#0b3d91;color:#fff;text-decoration:none;border-radius:.3em">{label}</a></p>'
    )


def _fault(error: OSError | smtplib.SMTPException, where: str, slot: Slot) -> ChannelError:
    """What went wrong, as the outbox takes it."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = max((code for code, _ in error.recipients.values()), default=550)
        return _answered(code, f"{where} answered {code}: it refuses the recipient")
    if isinstance(error, smtplib.SMTPResponseException):
        return _response(error, where, slot)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return SetupError("smtp-unsupported", f"{where} cannot do what is asked: {error}: check tls, host and secrets")
    if isinstance(error, ssl.SSLCertVerificationError):
        return bad_certificate(where, error)
    return broken("smtp", where, error, slot)


def _response(error: smtplib.SMTPResponseException, where: str, slot: Slot) -> ChannelError:
    if not isinstance(error.smtp_error, bytes) or not 400 <= error.smtp_code < 600:
        return broken("smtp", where, error, slot)  # no answer of a server: smtplib says that it is none
    if isinstance(error, smtplib.SMTPAuthenticationError) or error.smtp_code in CREDENTIAL:
        said = f"{where} refuses the user name or password: correct the secrets of the channel"
        return SetupError(f"smtp-{error.smtp_code}", said)
    return _answered(error.smtp_code, f"{where} answered {error.smtp_code}: {_readable(error.smtp_error)}")


def _answered(code: int, said: str) -> ChannelError:
    kind = PermanentError if code >= 500 else TransientError
    return kind(f"smtp-{code}", f"the SMTP server {said}")


def _readable(answer: bytes) -> str:
    return " ".join(answer.decode("utf-8", "replace").split())[:200]
