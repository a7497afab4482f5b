"""Connections that can be ended from another thread before there is any answer: a timeout of a socket counts from byte
to byte, so that a head that drips would be waited for for ever.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


def pools(opened: Callable[[HTTPConnection], None]) -> dict[str, type[HTTPConnectionPool]]:
    """urllib3's pools by scheme, whose connections are told to ``opened`` as they begin."""

    class Plain(HTTPConnection):
        def connect(self) -> None:
            opened(self)
            super().connect()

    class Secure(HTTPSConnection):
        def connect(self) -> None:
            opened(self)
            super().connect()

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def end(connection: HTTPConnection | None) -> None:
    """Whoever reads or writes there ends with an error; the socket itself stays theirs to close."""
    sock = connection.sock if connection else None
    if sock is not None:
        with suppress(OSError):  # closed already
            socket.socket.shutdown(sock, socket.SHUT_RDWR)  # not TLS's own, which would wait for the other side
