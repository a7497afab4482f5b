"""Connections to receivers, bounded as a whole: however slowly a receiver drips, its slot ends when its time is over.

A timeout of a socket counts from byte to byte, so that a receiver that sends one byte a second is never left. A
:class:`Slot` shuts down every connection that was made in it instead, and whoever reads or writes there ends.
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import Any

from alerts.errors import ChannelError, SetupError, TransientError

Address = tuple[Any, ...]


class Slot:
    """A context of ``seconds`` within which one message is handed over."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.over = False
        self._until = time.monotonic() + seconds
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        self._bell = threading.Timer(seconds, self._end)
        self._bell.daemon = True

    def __enter__(self) -> Slot:
        self._bell.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bell.cancel()
        with self._lock:
            for one in self._open:
                one.close()

    @property
    def left(self) -> float:
        """Seconds until the slot ends, never 0."""
        return max(0.001, self._until - time.monotonic())

    def connect(self, host: str, port: int, *, public: bool = False) -> socket.socket:
        """A connection to one of the addresses of ``host``, in their order. ``public`` refuses private ones.

        Raises SetupError for an address that is refused, OSError where none answers.
        """
        addresses = self._addresses(host, port)
        if public:
            check_public(host, [str(one[4][0]) for one in addresses])
        error: OSError = ConnectionError(f"{host} has no address")
        for family, _, _, _, address in addresses:
            try:
                return self._to(family, address)
            except OSError as failed:
                error = failed
        raise error

    def _to(self, family: int, address: Address) -> socket.socket:
        made = socket.socket(family, socket.SOCK_STREAM)
        try:
            with self._lock:
                self._open.append(made.dup())  # stays ours when TLS takes the socket over
            made.settimeout(self.left)
            made.connect(address)
            made.settimeout(self.left + 1)  # the bell ends it, and says why
        except OSError:
            made.close()
            raise
        return made

    def _addresses(self, host: str, port: int) -> list[Address]:
        """What the name service says, which may itself hang: it is asked in a thread that can be left alone."""
        box: queue.SimpleQueue[list[Address] | OSError | UnicodeError] = queue.SimpleQueue()

        def ask() -> None:
            try:
                box.put(list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
            except (OSError, UnicodeError) as error:
                box.put(error)

        threading.Thread(target=ask, daemon=True, name="resolve").start()
        try:
            found = box.get(timeout=self.left)
        except queue.Empty:
            raise TimeoutError(f"{host} was not resolved in time") from None
        if isinstance(found, UnicodeError):
            raise socket.gaierror(socket.EAI_NONAME, "no name of a host")
        if isinstance(found, OSError):
            raise found
        return found

    def _end(self) -> None:
        self.over = True
        with self._lock:
            for one in self._open:
                with suppress(OSError):  # closed or never connected: nothing reads there
                    one.shutdown(socket.SHUT_RDWR)


def check_public(host: str, addresses: Iterable[str]) -> None:
    """Raise SetupError where ``host`` leads into this machine or its own network, without its address saying so.

    An address written out (``10.1.2.3``) and ``localhost`` are taken as meant; link-local ones, where clouds keep their
    credentials, never are.
    """
    written_out = _written_out(host)
    for text in addresses:
        address = ipaddress.ip_address(text.partition("%")[0])
        address = getattr(address, "ipv4_mapped", None) or address
        if address.is_link_local or address.is_multicast or address.is_unspecified:
            raise SetupError("private-address", f"{host} leads to {address}, where no receiver can be: correct it")
        if not (written_out or address.is_global):
            advice = "set private_network: true in the channel's settings if it should"
            raise SetupError("private-address", f"{host} leads to {address}, a private address: {advice}")


def broken(family: str, where: str, error: Exception, slot: Slot) -> TransientError:
    """What a connection that failed says: ``where`` is host:port, ``family`` begins the code (smtp, http)."""
    if slot.over or isinstance(error, TimeoutError):
        said = f"{where} did not finish within {slot.seconds:g} s: is the receiver overloaded?"
        return TransientError(f"{family}-timeout", said)
    if isinstance(error, socket.gaierror):
        said = f"{where} is not known to the name service: check the host, and the network"
        return TransientError(f"{family}-unknown-host", said)
    if isinstance(error, ConnectionRefusedError):
        said = f"{where} refuses connections: is the receiver running, are host and port right?"
        return TransientError(f"{family}-refused", said)
    said = f"{where} broke the connection off ({type(error).__name__}): tried again with the same key"
    return TransientError(f"{family}-broken", said)


def bad_certificate(where: str, error: Exception) -> ChannelError:
    """A certificate that does not hold waits for somebody to renew it, or to correct the host."""
    why = getattr(error, "verify_message", "") or "it cannot be checked"
    return SetupError(
        "tls-certificate", f"the certificate of {where} does not hold ({why}): renew it, or correct the host"
    )


def _written_out(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def place(host: str, port: int) -> str:
    """``host:port``, as messages name a receiver."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
