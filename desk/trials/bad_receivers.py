"""Receivers that do wrong on purpose, over real sockets: each is a function that talks to one connection."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import BinaryIO

from config.settings import HOST

Talk = Callable[[socket.socket, threading.Event], None]
Answer = bytes | Talk | None


@contextmanager
def served(talk: Talk, *, tls: ssl.SSLContext | None = None, port: int = 0) -> Iterator[int]:
    """The port of a server that lets ``talk(connection, done)`` deal with connections; ``done`` is set at the end."""
    done = threading.Event()
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
        listening.listen()
        listening.settimeout(0.05)
        thread = threading.Thread(target=_accept, args=(listening, talk, tls, done))
        thread.start()
        try:
            yield int(listening.getsockname()[1])
        finally:
            done.set()
            thread.join(5)


def _accept(listening: socket.socket, talk: Talk, tls: ssl.SSLContext | None, done: threading.Event) -> None:
    threads = []
    while not done.is_set():
        try:
            conn, _ = listening.accept()
        except TimeoutError:
            continue
        threads.append(threading.Thread(target=_talk, args=(conn, talk, tls, done)))
        threads[-1].start()
    for one in threads:
        one.join(5)


def _talk(conn: socket.socket, talk: Talk, tls: ssl.SSLContext | None, done: threading.Event) -> None:
    with conn, suppress(OSError):  # the other side went: that is what it should do
        conn.settimeout(5)
        talk(tls.wrap_socket(conn, server_side=True) if tls else conn, done)


def silent(conn: socket.socket, done: threading.Event) -> None:  # noqa: ARG001 - what a receiver is called with
    """Take the connection, and say nothing."""
    done.wait(5)


def dripping(first: bytes = b"", each: bytes = b"x") -> Talk:
    """Sends ``first``, then ``each`` every 20 ms for ever."""

    def talk(conn: socket.socket, done: threading.Event) -> None:
        conn.sendall(first)
        while not done.wait(0.02):
            conn.sendall(each)

    return talk


def flooding(first: bytes = b"", size: int = 10_000_000) -> Talk:
    """Sends ``first``, then ``size`` bytes without a line's end."""

    def talk(conn: socket.socket, done: threading.Event) -> None:
        conn.sendall(first + b"x" * size)
        done.wait(1)

    return talk


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that a receiver has: its idempotency key, its bytes, and whether it said yes to it."""

    key: str
    content: bytes
    said_yes: bool


@dataclass
class Smtp:
    """An SMTP server that answers ``answers[verb]`` (``220`` is its greeting, ``.`` the end of the message).

    An answer may be a function of the connection, which says what it likes; after None the connection is cut.
    """

    answers: dict[str, Answer] = field(default_factory=dict)
    taken: list[Taken] = field(default_factory=list)

    def __call__(self, conn: socket.socket, done: threading.Event) -> None:
        """Talk to one connection."""
        reader: BinaryIO = conn.makefile("rb")
        verb, message = "220", list[bytes]()
        while self._say(conn, verb, done):
            line = reader.readline()
            if verb == "DATA":
                while line not in (b".\r\n", b""):
                    message.append(line)
                    line = reader.readline()
                self._take(b"".join(message))
                message.clear()
            verb = "." if line == b".\r\n" else line[:4].decode("latin-1").strip().upper()
            if not line:
                return

    def _take(self, content: bytes) -> None:
        key = str(message_from_bytes(content)["Message-ID"]).strip("<>").partition("@")[0]
        answer = self.answers.get(".", b"250")
        self.taken.append(Taken(key, content, isinstance(answer, bytes) and answer.startswith(b"2")))

    def _say(self, conn: socket.socket, verb: str, done: threading.Event) -> bool:
        usual = {"220": b"220 ready\r\n", "DATA": b"354 go on\r\n", "QUIT": b"221 bye\r\n"}.get(verb, b"250 OK\r\n")
        answer = self.answers.get(verb, usual)
        if callable(answer):
            answer(conn, done)
        elif answer is not None:
            conn.sendall(answer)
        return answer is not None


@dataclass
class Hook:
    """A webhook receiver that notes each request and answers ``answer``: bytes, a function, or None (cut)."""

    answer: Answer = b"HTTP/1.1 204 No Content\r\n\r\n"
    taken: list[Taken] = field(default_factory=list)

    def __call__(self, conn: socket.socket, done: threading.Event) -> None:
        """Talk to one connection."""
        reader: BinaryIO = conn.makefile("rb")
        headers: dict[str, str] = {}
        while (line := reader.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        body = reader.read(int(headers.get("content-length", 0)))
        yes = isinstance(self.answer, bytes) and self.answer.startswith(b"HTTP/1.1 2")
        self.taken.append(Taken(headers.get("idempotency-key", ""), body, yes))
        if callable(self.answer):
            self.answer(conn, done)
        elif self.answer is not None:
            conn.sendall(self.answer)
