"""The listening socket of a stand-in, which can be shut for a while."""

from __future__ import annotations

import errno
import logging
from threading import Lock, Thread
from typing import TYPE_CHECKING

from listeners.standin.handler import Server

if TYPE_CHECKING:
    from listeners.standin.server import StandIn


log = logging.getLogger(__name__)


class PortInUse(RuntimeError):
    """Another program listens on the port; the message says what to do."""


class Door:
    """Binds when made. Raises PortInUse, OSError. ``shut`` tells open connections to break."""

    def __init__(self, standin: StandIn) -> None:
        self.standin = standin
        self.shut = False
        self._server = self._bind(standin.options.port)
        self.port = int(self._server.server_address[1])
        self._closed = False
        self._lock = Lock()

    def open(self) -> None:
        """Serves in a thread of its own."""
        serve = self._server.serve_forever
        Thread(target=serve, kwargs={"poll_interval": 0.05}, name="standin", daemon=True).start()

    def close(self) -> None:
        """Ends the server for good; calls after the first change nothing."""
        with self._lock:
            if not self._closed and not self.shut:
                self._end()
            self._closed = True

    def shut_for(self, seconds: float) -> None:
        """Closes the port, breaks what is open, and opens again after ``seconds``, in a thread of its own."""
        with self._lock:
            if self.shut or self._closed:
                return
            self.shut = True
            self._end()
        Thread(target=self._reopen, args=(seconds,), name="standin-door", daemon=True).start()

    def _reopen(self, seconds: float) -> None:
        while not self.standin.closing.wait(seconds):
            with self._lock:
                try:
                    self._server = self._bind(self.port)
                except PortInUse as error:  # a client's own end may have been given the number meanwhile
                    log.warning("%s; trying again", error)
                    seconds = 0.2
                    continue
                self.shut = False
                self.open()
                return

    def _end(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _bind(self, port: int) -> Server:
        try:
            return Server(self.standin, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise PortInUse(
                f"port {port} on {self.standin.options.host} is in use: stop the program that listens there, or choose "
                "another port with --port (and set VIGIE_X_BASE_URL to it)"
            ) from error
