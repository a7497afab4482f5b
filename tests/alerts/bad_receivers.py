"""Receivers that do wrong on purpose, over real sockets. Each is a function that talks to one connection."""

import socket
import ssl
import subprocess
import threading
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def served(talk, *, tls=None):
    """The port of a server that lets ``talk(connection, done)`` deal with each connection, and what raised there."""
    done = threading.Event()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.settimeout(0.05)
        thread = threading.Thread(target=_accept, args=(listening, talk, tls, done))
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            done.set()
            thread.join(5)


def _accept(listening, talk, tls, done):
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


def _talk(conn, talk, tls, done):
    with conn, suppress(OSError):
        conn.settimeout(5)
        talk(tls.wrap_socket(conn, server_side=True) if tls else conn, done)


def dripping(first=b"", each=b"x"):
    """Sends ``first``, then ``each`` every 20 ms for ever."""

    def talk(conn, done):
        conn.sendall(first)
        while not done.wait(0.02):
            conn.sendall(each)

    return talk


def silent(conn, done):
    """Takes the connection, and says nothing."""
    done.wait(5)


def flooding(first=b"", size=10_000_000):
    """Sends ``size`` bytes without a line's end."""

    def talk(conn, done):
        conn.recv(65536)
        conn.sendall(first + b"x" * size)
        done.wait(1)

    return talk


class Smtp:
    """An SMTP server that answers ``answers[verb]`` (``.`` is the end of the message), and keeps what it took.

    An answer may be a function of the connection: it says what it likes. After None the connection is cut.
    """

    def __init__(self, **answers):
        self.answers = {"220": b"220 ready\r\n", "DATA": b"354 go on\r\n", "QUIT": b"221 bye\r\n"} | answers
        self.taken = []

    def __call__(self, conn, done):
        if not self._say(conn, "220", done):
            return
        reader, message = conn.makefile("rb"), None
        for line in reader:
            if message is not None and line != b".\r\n":
                message.append(line)
                continue
            verb = "." if message is not None else line[:4].decode().strip().upper()
            if verb == ".":
                self.taken.append(b"".join(message))
            message = [] if verb == "DATA" else None
            if not self._say(conn, verb, done):
                return

    def _say(self, conn, verb, done):
        answer = self.answers.get(verb, b"250 OK\r\n")
        if callable(answer):
            answer(conn, done)
            return True
        if answer is not None:
            conn.sendall(answer)
        return answer is not None


def certificate(folder: Path, name: str) -> ssl.SSLContext:
    """A server context with a fresh self-signed certificate for ``name``."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run(
        [
            *made,
            "-keyout",
            key,
            "-out",
            cert,
            "-days",
            "2",
            "-subj",
            f"/CN={name}",
            "-addext",
            f"subjectAltName=DNS:{name}",
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context
