"""The acknowledgement app on its port."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from contextlib import suppress

import uvicorn

from alerts.acknowledge.app import app
from config.publish import Configuration
from config.secrets import installation_key
from config.settings import Settings
from config.world import World
from store import times
from store.database import Database

TOGETHER = 200
LONGEST_HEADERS = 16_384


def serve(settings: Settings) -> None:
    """Serve on ``settings.acknowledge_port`` until told to stop. Where one of ``settings.proxies`` asks, it
    asks for the one whom it names.

    Links are secrets, so no request is logged. Raises SystemExit, saying what to do, where the port is taken, and
    BundleError where neither a published configuration nor the folder of the settings loads.
    """
    listening = _bound(settings.listen, settings.acknowledge_port)
    db = Database.open(settings.database)
    key = installation_key(settings.home, "acknowledge")
    config = uvicorn.Config(
        app(db, key=key, clock=times.now, world=_worlds(db, settings)),
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=settings.proxies is not None,
        forwarded_allow_ips=settings.proxies or "",
        limit_concurrency=TOGETHER,
        h11_max_incomplete_event_size=LONGEST_HEADERS,
        timeout_graceful_shutdown=2,
    )
    with suppress(KeyboardInterrupt):  # uvicorn has ended in order by then
        uvicorn.Server(config).run(sockets=[listening])
    db.close()


def _worlds(db: Database, settings: Settings) -> Callable[[], World]:
    """The configuration in force: what was published last, else the folder of the settings."""
    published = Configuration(db)
    last = published.current() or World.load(settings.config)

    def world() -> World:
        nonlocal last
        last = published.current() or last
        return last

    return world


def _bound(address: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((address, port))
    except OSError as error:
        listening.close()
        if error.errno != errno.EADDRINUSE:
            raise
        advice = "end what holds it, or set VIGIE_ACKNOWLEDGE_PORT to another port"
        raise SystemExit(f"port {port} is in use: {advice}") from error
    return listening
