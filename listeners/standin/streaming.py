"""One open stream: posts as they come, keep-alives between, and whatever a fault makes of them."""

from __future__ import annotations

import os
import select
import socket
import struct
import time
from collections.abc import Callable
from io import BufferedIOBase
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

import orjson

from listeners.standin.breaking import Armed
from listeners.standin.script import CUTS, TWISTS
from listeners.standin.tweet import Deletion, Tweet
from listeners.standin.wire import PROBLEMS, Fields, deletion, envelope, stamp

if TYPE_CHECKING:
    from listeners.standin.server import StandIn

LOOK_SECONDS = 0.05
_DISCONNECT = {
    "title": "operational-disconnect",
    "disconnect_type": "OperationalDisconnect",
    "detail": "This stream has been disconnected for operational reasons.",
    "type": f"{PROBLEMS}/operational-disconnect",
}


class _End(Exception):
    """The stream is to be closed as HTTP closes it."""


def left(connection: socket.socket) -> bool:
    """Whether the client has closed its end. Raises ConnectionError when it broke."""
    readable, _, _ = select.select([connection], [], [], 0)
    return bool(readable) and not connection.recv(1, socket.MSG_PEEK)


def reset(connection: socket.socket) -> None:
    """Breaks a connection with RST instead of FIN. Raises ConnectionResetError, so that nothing more is written."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(connection.detach())
    raise ConnectionResetError("reset by a fault of the script")


def wait_out(standin: StandIn, connection: socket.socket, armed: Armed) -> None:
    """Sends nothing until the fault is over, the client goes or the stand-in closes. Raises ConnectionError."""
    until = armed.until(standin.clock())
    while (until is None or standin.clock() < until) and not standin.breaker.lifted(armed):
        if standin.door.shut:
            reset(connection)
        if standin.closing.wait(LOOK_SECONDS) or left(connection):
            return


class Sender:
    """Sends the stream over one connection."""

    def __init__(self, standin: StandIn, connection: socket.socket, out: BufferedIOBase, fields: Fields) -> None:
        self.standin, self.connection, self.out, self.fields = standin, connection, out, fields
        self._held: list[tuple[Tweet, bytes]] = []
        self._holder: Armed | None = None

    def run(self, begin: Callable[[], None]) -> None:
        """Sends until the client goes, a fault ends it or the stand-in closes.

        ``begin`` sends the head: nothing that comes after it is missed.
        """
        queue = self.standin.subscribe()
        try:
            begin()
            self._send_all(queue)
        except _End:
            self.out.write(b"0\r\n\r\n")
        except ConnectionError:
            return
        finally:
            self.standin.unsubscribe(queue)

    def _send_all(self, queue: SimpleQueue[Tweet | Deletion]) -> None:
        keep_alive = self.standin.options.keep_alive
        spoke = time.monotonic()
        while self._goes_on():
            self._break(None)
            self._let_go_when_over()
            try:
                item = queue.get(timeout=min(LOOK_SECONDS, keep_alive))
            except Empty:
                if time.monotonic() - spoke >= keep_alive:
                    spoke = time.monotonic()
                    self._chunk(b"\r\n")
                continue
            if self._send(item):
                spoke = time.monotonic()
        raise _End

    def _goes_on(self) -> bool:
        if self.standin.door.shut:
            reset(self.connection)
        return not self.standin.closing.is_set() and not left(self.connection)

    def _send(self, item: Tweet | Deletion) -> bool:
        """Sends what is wanted; whether something was."""
        if isinstance(item, Deletion):
            self._chunk(_line(deletion(item)))
            return True
        rules = self.standin.rules.matching(item)
        if not rules:
            return False
        self.standin.breaker.post()
        line = _line(envelope(item, self.fields, rules))
        self._break(line)
        self._twist(item, line, rules)
        return True

    def _break(self, line: bytes | None) -> None:
        """Lets faults strike the stream itself, before ``line`` is sent where there is one."""
        breaker = self.standin.breaker
        if armed := breaker.take(CUTS):
            match armed.trouble.what:
                case "close":
                    raise _End
                case "disconnect":
                    self._chunk(_line({"errors": [_DISCONNECT]}))
                    raise _End
                case "reset":
                    self._half(line or _line(self._made_up("x" * 100)))
                    reset(self.connection)
                case "silence":
                    wait_out(self.standin, self.connection, armed)
                case "garbage":
                    self._chunk(b'{"data":{"id":"1","text":"\xff\xfe not \\u JSON}]\r\n')
                case _:
                    self._chunk(_line(self._made_up("x" * armed.trouble.bytes)))

    def _twist(self, tweet: Tweet, line: bytes, rules: list[dict[str, str]]) -> None:
        armed = self.standin.breaker.take(TWISTS)
        what = armed.trouble.what if armed else ""
        if armed and what == "disorder":
            self._holder = armed
            self._held.append((tweet, line))
            return self._let_go_when_over()
        if armed and what == "drip":
            self._drip(line, armed.trouble.pause)
        elif what == "no-tag":
            self._chunk(_line(envelope(tweet, self.fields, [{"id": rule["id"]} for rule in rules])))
        else:
            self._chunk(line)
        if what == "duplicate":
            self._chunk(line)
            self.standin.count_delivered(tweet)
        return self.standin.count_delivered(tweet)

    def _let_go_when_over(self) -> None:
        """Sends what disorder held back, newest first, once it is over."""
        if self._holder is None or not self.standin.breaker.over(self._holder):
            return
        for tweet, line in reversed(self._held):
            self._chunk(line)
            self.standin.count_delivered(tweet)
        self._held, self._holder = [], None

    def _made_up(self, text: str) -> dict[str, Any]:
        """A post that no file holds."""
        now = self.standin.clock()
        post = {"id": str(int(now.timestamp() * 1e6)), "text": text, "edit_history_tweet_ids": [], "lang": "und"}
        return {"data": post | {"created_at": stamp(now)}, "matching_rules": []}

    def _chunk(self, line: bytes) -> None:
        self.out.write(b"%x\r\n%s\r\n" % (len(line), line))

    def _half(self, line: bytes) -> None:
        self.out.write(b"%x\r\n%s" % (len(line), line[: len(line) // 2]))
        time.sleep(LOOK_SECONDS)  # so that the half is read before the reset is

    def _drip(self, line: bytes, pause: float) -> None:
        self.out.write(b"%x\r\n" % len(line))
        for place in range(len(line)):
            if not self._goes_on():
                raise ConnectionAbortedError
            self.out.write(line[place : place + 1])
            self.standin.closing.wait(pause)
        self.out.write(b"\r\n")


def _line(body: dict[str, Any]) -> bytes:
    return orjson.dumps(body) + b"\r\n"
