"""What mail servers and webhooks may answer: the sender learns sent, again or never, in its time."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hostile_kit import ANY_TEXT, answering, cases
from hypothesis import given
from hypothesis import strategies as st

from alerts.channels import mail, webhook
from alerts.errors import ChannelError
from alerts.messages.message import Message
from store.records import Delivery

NOON = datetime(2031, 5, 4, 12, tzinfo=UTC)
MESSAGE = Message(
    "duty@example.org", "Incendie – Cholet", "Incendie à Cholet.\n\nhttp://127.0.0.1/a/x", "http://127.0.0.1/a/x", NOON
)
DELIVERY = Delivery("d-1", "a-1", "i-1", "new", "sdis", "lead", "duty", "mail", NOON)
PATIENCE_S = 1
REPLY = st.sampled_from(
    [
        b"220 ready\r\n",
        b"250 ok\r\n",
        b"250-SIZE 99\r\n250 AUTH PLAIN\r\n",
        b"354 go\r\n",
        b"421 later\r\n",
        b"450 busy\r\n",
        b"550 no\r\n",
        b"554 never\r\n",
        b"999 what\r\n",
        b"25",
        b"\r\n",
        b"250",
        b"abc def\r\n",
        b"250-" + b"x" * 70_000 + b"\r\n",
        b"250-again\r\n" * 500,
        b"\xff\xfe\r\n",
        b"-1 no\r\n",
        b"250 \x00\r\n",
    ]
) | st.binary(max_size=60)
ANSWER = st.builds(
    lambda version, status, reason, heads, body: b"%s %s %s\r\n%s\r\n%s" % (version, status, reason, heads, body),
    st.sampled_from([b"HTTP/1.1", b"HTTP/1.0", b"HTTP/9", b"ICY", b""]),
    st.sampled_from(
        [b"200", b"204", b"100", b"301", b"302", b"400", b"404", b"410", b"429", b"500", b"503", b"000", b"abc"]
    ),
    ANY_TEXT.map(lambda text: text.encode("utf-8", "replace").replace(b"\n", b" ")),
    st.lists(
        st.sampled_from(
            [
                b"Retry-After: 5\r\n",
                b"Retry-After: -5\r\n",
                b"Retry-After: 9999999999\r\n",
                b"Location: http://10.0.0.1/\r\n",
                b"Content-Length: 99999999999\r\n",
                b"Content-Length: x\r\n",
                b"Transfer-Encoding: chunked\r\n",
                b"X: \xff\xfe\r\n",
                b"Content-Encoding: gzip\r\n",
                b": empty\r\n",
                b"Set-Cookie: a=b\r\n",
            ]
        ),
        max_size=6,
    ).map(b"".join),
    st.binary(max_size=200),
)


class Server:
    """Answers each thing that it is told with the next of ``replies``, then hangs up."""

    def __init__(self) -> None:
        self.replies: list[bytes] = []
        self.greets = True

    def __call__(self, connection: socket.socket) -> None:
        connection.settimeout(0.05)
        for number, reply in enumerate(self.replies):
            if number or not self.greets:
                with suppress(TimeoutError):
                    connection.recv(65536)
            connection.sendall(reply)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Server, int]]:
    talk = Server()
    with answering(talk) as port:
        yield talk, port


def judged(send: object, *arguments: object) -> None:
    began = time.monotonic()
    with suppress(ChannelError):
        send(*arguments)  # type: ignore[operator]
    assert time.monotonic() - began < 8 * PATIENCE_S


@cases("SMTP replies", 250)
@given(replies=st.lists(REPLY, max_size=9))
def test_whatever_a_mail_server_says_the_sender_knows_what_to_do(
    server: tuple[Server, int], replies: list[bytes]
) -> None:
    talk, port = server
    talk.replies, talk.greets = replies, True
    where = {"host": "127.0.0.1", "port": port, "timeout": PATIENCE_S, "from": "vigie@example.org"}
    judged(mail.send, DELIVERY, MESSAGE, where, {})


@cases("webhook answers", 700)
@given(answer=ANSWER | st.binary(max_size=300))
def test_whatever_a_webhook_answers_the_sender_knows_what_to_do(server: tuple[Server, int], answer: bytes) -> None:
    talk, port = server
    talk.replies, talk.greets = [answer], False
    message = Message(f"http://127.0.0.1:{port}/", "s", "t", "l", NOON)
    judged(webhook.send, DELIVERY, message, {"timeout": PATIENCE_S}, {"key": "shared"})
