"""A way to the cluster that can be shut and opened again."""

import contextlib
import socket
import threading


class Gate:
    """Passes connections on to an address as long as it is open; shut, nothing answers there."""

    def __init__(self, to: str) -> None:
        host, _, port = to.removeprefix("http://").rpartition(":")
        self._to, self._server, self._open = (host, int(port)), None, []
        self._port = 0
        self.open()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def open(self) -> None:
        self._server = socket.create_server(("127.0.0.1", self._port))
        self._port = self._server.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._server,), daemon=True).start()

    def shut(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for one in self._open:
            with contextlib.suppress(OSError):  # closed by the other side
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._open.clear()

    def _accept(self, server: socket.socket) -> None:
        while True:
            try:
                near, _ = server.accept()
            except OSError:
                return
            far = socket.create_connection(self._to)
            self._open += [near, far]
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=_pass, args=(a, b), daemon=True).start()


def _pass(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):  # shut meanwhile
        while some := source.recv(65_536):
            target.sendall(some)
        target.shutdown(socket.SHUT_WR)
