"""Elasticsearch's security and Kibana's spaces and import, as far as `docker compose up` asks them, over real TLS."""

from __future__ import annotations

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass
class Cluster:
    """What was made: keys by what they are sent as, roles, users, spaces, imports; ``password`` is that of elastic."""

    password: str
    port: int = 0
    keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    roles: dict[str, Any] = field(default_factory=dict)
    users: dict[str, Any] = field(default_factory=dict)
    spaces: set[str] = field(default_factory=set)
    imports: list[tuple[str, int]] = field(default_factory=list)
    starting: int = 0
    """How many questions are answered with 503, as a node does that starts."""

    def answer(self, method: str, path: str, who: str, body: bytes) -> tuple[int, Any]:
        if self.starting > 0:
            self.starting -= 1
            return 503, {"error": "starting"}
        scheme, _, proof = who.partition(" ")
        if scheme == "ApiKey":
            if proof not in self.keys:
                return 401, {"error": {"reason": "unable to authenticate"}}
            return self.keyed(path, self.keys[proof], body)
        if base64.b64decode(proof).decode() != f"elastic:{self.password}":
            return 401, {"error": {"reason": "unable to authenticate user [elastic]"}}
        return self.admin(method, path, json.loads(body) if body else {})

    def keyed(self, path: str, key: dict[str, Any], body: bytes) -> tuple[int, Any]:
        if path == "/_security/_authenticate":
            return 200, {"username": "elastic"}
        (may,) = key["role_descriptors"].values()
        space = path.removeprefix("/s/").partition("/")[0]
        granted = [f"space:{space}" in app["resources"] for app in may.get("applications", ())]
        if not path.endswith("/api/saved_objects/_import?overwrite=true") or not any(granted):
            return 403, {"message": "Forbidden"}
        if space not in self.spaces:
            return 404, {"message": "Not Found"}
        count = body.count(b'"type":"') and sum(line.startswith(b"{") for line in body.splitlines())
        self.imports.append((space, count))
        return 200, {"success": True, "successCount": count}

    def admin(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        *_, kind, name = path.split("/")
        match method, kind, name:
            case "PUT", "role", _:
                self.roles[name] = body
            case "PUT", "user", _:
                self.users[name] = body
            case "GET", "user", _:
                return (200, {name: {}}) if name in self.users else (404, {})
            case "POST", "kibana_system", "_password":
                self.users["kibana_system"] = body
            case "DELETE", "_security", "api_key":
                old = [sent for sent, key in self.keys.items() if key["name"] == body["name"]]
                for sent in old:
                    del self.keys[sent]
                return (200 if old else 404), {"invalidated_api_keys": old}
            case "POST", "_security", "api_key":
                sent = base64.b64encode(f"{len(self.keys)}:{body['name']}".encode()).decode()
                self.keys[sent] = body
                return 200, {"id": str(len(self.keys)), "name": body["name"], "encoded": sent}
            case "POST", "spaces", "space":
                if body["id"] in self.spaces:
                    return 409, {"message": "conflict"}
                self.spaces.add(body["id"])
            case _:
                return 404, {"error": {"reason": f"no handler for {method} {path}"}}
        return 200, {}


@contextmanager
def serving(cluster: Cluster, certificate: Path, key: Path) -> Iterator[Cluster]:
    """The stand-in at ``https://localhost:port``."""

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            status, told = cluster.answer(self.command, self.path, self.headers.get("authorization", ""), body)
            written = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(written)))
            self.end_headers()
            self.wfile.write(written)

        do_GET = do_POST = do_PUT = do_DELETE = handle_any

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    cluster.port = server.server_port
    yield cluster
    server.shutdown()
    server.server_close()
