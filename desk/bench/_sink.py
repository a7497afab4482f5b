"""What takes bulk requests and does nothing with them: so that only the client's work is left to be measured."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import get_context
from multiprocessing.connection import Connection

from config.settings import HOST

SHORT = b'{"index":{"status":201}}'
LONG = (
    b'{"index":{"_index":"vigie-posts-v1-2026.03","_id":"file:b12345","_version":12345,"result":"created",'
    b'"_shards":{"total":1,"successful":1,"failed":0},"_seq_no":12345,"_primary_term":1,"status":201}}'
)
"""An item as Elasticsearch answers it: with ``filter_path``, and without."""


class _Taker(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        """Say of every document that it is indexed."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        item = SHORT if "filter_path" in self.path else LONG
        items = b'"items":[%b]}' % b",".join([item] * (body.count(b"\n") // 2))
        answer = (b"{" if item is SHORT else b'{"took":1,"errors":false,') + items
        self.send_response(200)
        self.send_header("X-Elastic-Product", "Elasticsearch")
        self.send_header("Content-Type", "application/vnd.elasticsearch+json;compatible-with=9")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_PUT

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _serve(told: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started it ends it
    server = ThreadingHTTPServer((HOST, 0), _Taker)
    told.send(server.server_port)
    server.serve_forever()


@contextmanager
def sink() -> Iterator[str]:
    """The address of one, in a process of its own, whose CPU is not counted with ours."""
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there,), daemon=True)
    process.start()
    try:
        yield f"http://{HOST}:{here.recv()}"
    finally:
        process.kill()
        process.join()
