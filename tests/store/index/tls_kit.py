"""A TLS proxy before a real node, as an operator would put one: it asks for an API key, and shows a certificate."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"
KEY = "c2VjcmV0OmtleQ=="
WEAK_KEY = "d2VhazprZXk="
"""Known, and allowed nothing."""


class Authority:
    """Signs certificates; ``pem`` is its own."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        asked = _asked(self._name, self._name, self._key).add_extension(x509.BasicConstraints(True, 0), True)
        own = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        self._own = asked.add_extension(usage, True).add_extension(own, False).sign(self._key, hashes.SHA256())
        self.pem = folder / f"{name}.pem"
        self.pem.write_bytes(self._own.public_bytes(serialization.Encoding.PEM))

    def certificate(self, host: str, *, days: int = 30) -> Path:
        """A file with key and certificate for a host; one of fewer than no days is over."""
        key = ec.generate_private_key(ec.SECP256R1())
        try:
            alternative: x509.GeneralName = x509.IPAddress(ip_address(host))
        except ValueError:
            alternative = x509.DNSName(host)
        asked = _asked(_name(host), self._name, key, days).add_extension(
            x509.SubjectAlternativeName([alternative]), False
        )
        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        signed = asked.add_extension(signer, False).sign(self._key, hashes.SHA256())
        file = self._folder / f"{host}-{days}.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + signed.public_bytes(serialization.Encoding.PEM)
        )
        return file


class Proxy(ThreadingHTTPServer):
    """Passes on what has the key. ``asked`` counts requests, those refused as well."""

    daemon_threads = True

    def __init__(self, node: str, certificate: Path) -> None:
        super().__init__((HOST, 0), _Pass)
        self.node, self.asked = node, 0
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that end the handshake are what the tests are about."""


class _Pass(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def do_GET(self) -> None:
        self._pass()

    do_POST = do_PUT = do_DELETE = do_HEAD = do_GET

    def _pass(self) -> None:
        self.server.asked += 1
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        given = self.headers.get("Authorization")
        if given != f"ApiKey {KEY}":
            known = given == f"ApiKey {WEAK_KEY}"
            error = {"error": {"type": "security_exception", "reason": "denied" if known else "unknown key"}}
            self._answer(403 if known else 401, requests.models.complexjson.dumps(error).encode(), {})
            return
        kept = {name: value for name, value in self.headers.items() if name.lower() in ("content-type", "accept")}
        came = requests.request(self.command, self.server.node + self.path, data=body, headers=kept, timeout=30)
        shown = {name: came.headers[name] for name in ("Content-Type", "X-Elastic-Product") if name in came.headers}
        self._answer(came.status_code, came.content, shown)

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {
            "X-Elastic-Product": "Elasticsearch",
            "Content-Type": "application/json",
            **headers,
        }.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is told on stderr."""


@contextmanager
def proxy(node: str, certificate: Path) -> Iterator[Proxy]:
    """The proxy, listening on a free port."""
    server = Proxy(node, certificate)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def address(server: Proxy, host: str = HOST) -> str:
    """Where it answers."""
    return f"https://{host}:{server.server_port}"


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _asked(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int = 30
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
    )
