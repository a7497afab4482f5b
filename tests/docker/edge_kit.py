"""The edge as it runs in the stack: the real Caddy with its Caddyfile, the real pages, a stand-in for Kibana."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
from stack_kit import BIN, DOCKER, Made, as_user

from config.settings import ROOT

DESK, ACKNOWLEDGE, KIBANA = "desk.localhost", "ack.localhost", "kibana.localhost"
USER = 10002
UP_S = 120.0


@dataclass(frozen=True)
class Edge:
    """Where the edge answers, the authority of its certificates, the password of ``veille``, the home behind it, and
    what Kibana was asked, as (path, headers)."""

    port: int
    plain_port: int
    root: Path
    password: str
    home: Path
    asked: list[tuple[str, Mapping[str, str]]]
    log: Path

    def client(self, name: str, *, signed: bool = False, source: str = "127.0.0.1", **more: object) -> Client:
        """A browser at ``source`` that was given the authority's certificate, and speaks to one of the names."""
        trust = ssl.create_default_context(cafile=str(self.root))
        return Client(
            httpx.Client(
                base_url=f"https://127.0.0.1:{self.port}",
                headers={"host": f"{name}:{self.port}"},
                auth=("veille", self.password) if signed else None,
                transport=httpx.HTTPTransport(verify=trust, local_address=source),
                timeout=30,
                **more,  # type: ignore[arg-type]
            ),
            name,
        )


@dataclass(frozen=True)
class Client:
    """An httpx client that names the server in the TLS handshake, as browsers do."""

    http: httpx.Client
    name: str

    def ask(self, method: str, path: str, **more: object) -> httpx.Response:
        return self.http.request(method, path, extensions={"sni_hostname": self.name}, **more)  # type: ignore[arg-type]

    def get(self, path: str, **more: object) -> httpx.Response:
        return self.ask("GET", path, **more)

    def stream(self, path: str):
        return self.http.stream("GET", path, extensions={"sni_hostname": self.name})


@contextmanager
def running(argv: Sequence[str | Path], env: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is ended, and must end in order, when the block does."""
    with log.open("wb") as out:
        process = subprocess.Popen(argv, cwd=ROOT, env=env, stdout=out, stderr=out, start_new_session=True)
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) in (0, -signal.SIGTERM), log.read_text(errors="replace")[-2000:]
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def until(there: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for that, and fail with the log where the process ends first."""
    end = time.monotonic() + UP_S
    while not there():
        assert process.poll() is None, log.read_text(errors="replace")[-2000:]
        assert time.monotonic() < end, log.read_text(errors="replace")[-2000:]
        time.sleep(0.1)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code < 500
    except httpx.HTTPError:
        return False


def free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        taken = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in taken]


@contextmanager
def kibana(made: Made, asked: list[tuple[str, Mapping[str, str]]]) -> Iterator[int]:
    """What answers in Kibana's place, with the certificate that `docker/secrets` made for it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            self.send_response(200)
            self.send_header("content-length", "6")
            self.end_headers()
            self.wfile.write(b"kibana")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.private / "kibana_certificate", made.private / "kibana_key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@contextmanager
def edge(made: Made, folder: Path) -> Iterator[Edge]:
    """All of it; ``folder`` can be entered by anybody."""
    desk, acknowledge, port, plain, health = free_ports(5)
    home, root = folder / "home", folder / "caddy" / "caddy" / "pki" / "authorities" / "local" / "root.crt"
    asked: list[tuple[str, Mapping[str, str]]] = []
    for name in ("desk_users", "ca"):
        shutil.copy(made.private / name, folder / name)
        (folder / name).chmod(0o444)
    (folder / "caddy").mkdir()
    if os.geteuid() == 0:
        os.chown(folder / "caddy", USER, USER)
    plain_env = {name: value for name, value in os.environ.items() if not name.startswith(("VIGIE_", "EDGE_"))}
    env = plain_env | {
        "VIGIE_HOME": str(home),
        "VIGIE_DESK_PORT": str(desk),
        "VIGIE_ACKNOWLEDGE_PORT": str(acknowledge),
        "VIGIE_DESK_URL": f"https://{DESK}:{port}",
        "VIGIE_SECRET": "invented for this test",
        "VIGIE_PROXY": "*",
    }
    with ExitStack() as up:
        ports = {"EDGE_KIBANA": f"localhost:{up.enter_context(kibana(made, asked))}"}
        ports |= {"EDGE_DESK": f"127.0.0.1:{desk}", "EDGE_ACKNOWLEDGE": f"127.0.0.1:{acknowledge}"}
        ports |= {"EDGE_HTTP_PORT": str(plain), "EDGE_HTTPS_PORT": str(port), "EDGE_HEALTH_PORT": str(health)}
        ports |= {"EDGE_USERS": str(folder / "desk_users"), "EDGE_CA": str(folder / "ca")}
        caddy = [BIN / "caddy", "run", "--config", DOCKER / "edge" / "Caddyfile", "--adapter", "caddyfile"]
        data = {"XDG_DATA_HOME": str(folder / "caddy"), "XDG_CONFIG_HOME": str(folder / "caddy"), "HOME": "/tmp"}
        commands = {
            "desk": ([sys.executable, "-m", "desk.cli", "desk"], env, f"http://127.0.0.1:{desk}/healthz"),
            "acknowledge": ([sys.executable, "-m", "desk.cli", "acknowledge"], env, f"http://127.0.0.1:{acknowledge}/"),
            "edge": (as_user(USER, *map(str, caddy)), plain_env | ports | data, f"http://127.0.0.1:{health}/"),
        }
        started = []
        for name, (argv, given, url) in commands.items():
            log = folder / f"{name}.log"
            started.append((up.enter_context(running(argv, given, log)), log, url))
        for process, log, url in started:
            until(lambda url=url: answers(url), process, log)
        until(root.exists, process, log)
        password = (made.private / "desk_password").read_text().strip()
        yield Edge(port, plain, root, password, home, asked, folder / "edge.log")
