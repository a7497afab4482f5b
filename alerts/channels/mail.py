"""Mail through SMTP: text and simple HTML, with the delivery's id as Message-ID, so that a second copy can be told."""

from __future__ import annotations

import html
import smtplib
import ssl
from collections.abc import Mapping
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import format_datetime

from alerts.errors import PermanentError, TransientError
from alerts.messages.message import Message
from alerts.messages.wording import Wording
from store.records import Delivery

TIMEOUT_S = 10
TLS = ("none", "starttls", "tls")

Settings = Mapping[str, str | int | bool]


def send(delivery: Delivery, message: Message, settings: Settings, secrets: Mapping[str, str]) -> None:
    """Hand the message to the SMTP server of ``settings``: host, port, from, tls (none, starttls, tls), timeout.

    ``secrets`` may hold username and password. Raises TransientError for 4xx answers and broken connections,
    PermanentError for 5xx answers, a rejected credential, a certificate that does not hold and bad settings.
    """
    mail = compose(delivery, message, str(settings.get("from", "vigie@localhost")))
    try:
        with _connect(settings) as server:
            if "username" in secrets:
                server.login(secrets["username"], secrets.get("password", ""))
            server.send_message(mail)
    except smtplib.SMTPRecipientsRefused as error:
        code = max((code for code, _ in error.recipients.values()), default=550)
        raise _answered(code, f"{code}: the server refuses the recipient") from error
    except smtplib.SMTPResponseException as error:
        raise _answered(error.smtp_code, f"{error.smtp_code}: {_readable(error.smtp_error)}") from error
    except smtplib.SMTPNotSupportedError as error:
        raise PermanentError("smtp-unsupported", f"the SMTP server cannot do what is asked: {error}") from error
    except ssl.SSLCertVerificationError as error:
        raise PermanentError("tls-certificate", "the SMTP server's certificate does not hold") from error
    except (OSError, smtplib.SMTPException) as error:
        raise TransientError(
            "smtp-unreachable", f"the SMTP server cannot be reached: {type(error).__name__}"
        ) from error


def compose(delivery: Delivery, message: Message, sender: str) -> EmailMessage:
    """The mail itself. Raises PermanentError where an address cannot stand in a header."""
    mail = EmailMessage()
    domain = sender.rpartition("@")[2].strip(" >") or "localhost"
    try:
        mail["From"], mail["To"], mail["Subject"] = sender, message.to, message.subject
    except (ValueError, MessageError) as error:
        raise PermanentError("bad-address", "the address or sender of this channel cannot stand in a mail") from error
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


def _connect(settings: Settings) -> smtplib.SMTP:
    host, tls = str(settings.get("host", "127.0.0.1")), str(settings.get("tls", "none"))
    if tls not in TLS:
        raise PermanentError("bad-setting", f"tls must be none, starttls or tls, not {tls!r}")
    timeout, port = int(settings.get("timeout", TIMEOUT_S)), int(settings.get("port", 465 if tls == "tls" else 25))
    if tls == "tls":
        return smtplib.SMTP_SSL(host, port, timeout=timeout, context=ssl.create_default_context())
    server = smtplib.SMTP(host, port, timeout=timeout)
    if tls == "starttls":
        _secure(server)
    return server


def _secure(server: smtplib.SMTP) -> None:
    try:
        server.starttls(context=ssl.create_default_context())
    except (OSError, smtplib.SMTPException):
        server.close()
        raise


def _answered(code: int, said: str) -> TransientError | PermanentError:
    kind = PermanentError if code >= 500 else TransientError
    return kind(f"smtp-{code}", f"the SMTP server answered {said}")


def _readable(answer: bytes | str) -> str:
    plain = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return " ".join(plain.split())[:200]
