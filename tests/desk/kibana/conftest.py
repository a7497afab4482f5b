"""A Kibana as far as its import goes: it reads the multipart body and answers as the real one does."""

import email
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

KEY = "dmlnaWU6a2V5"
KNOWN = {"index-pattern", "dashboard", "search", "map", "links"}


@dataclass
class Stand:
    """``objects``: what was imported, by space and by (type, id); ``says`` answers instead, ``lacks`` are types that
    this Kibana does not know."""

    url: str = ""
    objects: dict[str, dict[tuple[str, str], dict]] = field(default_factory=dict)
    says: tuple[int, dict] | None = None
    lacks: set[str] = field(default_factory=set)

    def take(self, path: str, headers, body: bytes) -> tuple[int, dict]:
        if self.says:
            return self.says
        if headers.get("Authorization") != f"ApiKey {KEY}":
            return 401, {"statusCode": 401, "error": "Unauthorized", "message": "[security_exception]"}
        if "kbn-xsrf" not in headers:
            return 400, {
                "statusCode": 400,
                "error": "Bad Request",
                "message": "Request must contain a kbn-xsrf header.",
            }
        space, _, rest = path.removeprefix("/s/").partition("/") if path.startswith("/s/") else ("", "", path[1:])
        if rest != "api/saved_objects/_import?overwrite=true":
            return 404, {"statusCode": 404, "error": "Not Found", "message": "Not Found"}
        name, lines = file_in(headers, body)
        if not name.endswith(".ndjson"):
            return 400, {"statusCode": 400, "error": "Bad Request", "message": "Invalid file extension"}
        return 200, self.keep(space, [json.loads(line) for line in lines.decode().splitlines()])

    def keep(self, space: str, sent: list[dict]) -> dict:
        held = self.objects.setdefault(space, {})
        there = {(one["type"], one["id"]) for one in sent} | set(held)
        errors = []
        for one in sent:
            lacking = [r for r in one["references"] if (r["type"], r["id"]) not in there]
            if one["type"] not in KNOWN - self.lacks:
                errors.append(fault(one, type="unsupported_type"))
            elif lacking:
                errors.append(fault(one, type="missing_references", references=lacking))
            else:
                held[one["type"], one["id"]] = one
        told = {"success": not errors, "successCount": len(sent) - len(errors)}
        return told | ({"errors": errors} if errors else {})


def fault(one: dict, **error) -> dict:
    return {"id": one["id"], "type": one["type"], "title": one["attributes"].get("title"), "error": error}


def file_in(headers, body: bytes) -> tuple[str, bytes]:
    message = email.message_from_bytes(b"Content-Type: " + headers["Content-Type"].encode() + b"\r\n\r\n" + body)
    (part,) = [each for each in message.get_payload() if each.get_param("name", header="content-disposition") == "file"]
    return part.get_filename(), part.get_payload(decode=True)


@pytest.fixture
def kibana() -> Iterator[Stand]:
    stand = Stand()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, told = stand.take(self.path, self.headers, body)
            written = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(written)))
            self.end_headers()
            self.wfile.write(written)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    stand.url = f"http://127.0.0.1:{server.server_port}"
    yield stand
    server.shutdown()
    server.server_close()
    thread.join()
