"""`vigie desk`: the page for the crew."""

from __future__ import annotations

import errno
import json
import socket
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

import click
import uvicorn
from sqlalchemy.exc import SQLAlchemyError

from config.faults import BundleError
from config.publish import Configuration
from config.settings import HOST, Settings, settings
from config.world import World
from desk.web.app import create_app
from store import times
from store.database import Database

ANYWHERE = "0.0.0.0"


@click.command()
@click.option("--name", "names", multiple=True, metavar="HOST[:PORT]", help="Answer to this Host too, behind a proxy.")
@click.option("--json", "as_json", is_flag=True, help="Print the address as one line of JSON.")
def command(names: tuple[str, ...], as_json: bool) -> None:
    """Serve the desk on this machine: incidents, alerts, what the sources deliver. Ends with Ctrl-C.

    It answers to the loopback names, to the name in VIGIE_DESK_URL, and to each --name.

    Example: VIGIE_DESK_PORT=8720 vigie desk
    """
    chosen = settings()
    db = Database.open(chosen.database)
    world = adopted(db, chosen)
    listening = bound(chosen.listen, chosen.desk_port)
    address = f"http://{HOST if chosen.listen == ANYWHERE else chosen.listen}:{chosen.desk_port}"
    click.echo(json.dumps({"address": address, "port": chosen.desk_port}) if as_json else f"The desk: {address}")
    app = create_app(db, chosen, times.now, world=world, names=(*names, public_name(chosen.desk_url)))
    config = uvicorn.Config(
        app, log_level="warning", server_header=False, proxy_headers=False, timeout_graceful_shutdown=1
    )
    with suppress(KeyboardInterrupt):  # uvicorn has ended in order by then
        uvicorn.Server(config).run(sockets=[listening])
    db.close()


def public_name(url: str) -> str:
    """The Host header that browsers send to that address: without the port that its scheme implies."""
    parts = urlsplit(url)
    implied = {"http": ":80", "https": ":443"}[parts.scheme]
    return parts.netloc.rpartition("@")[2].removesuffix(implied)


def adopted(db: Database, chosen: Settings) -> Callable[[], World]:
    """The configuration in force: what was published last, the folder of the settings before anything was.

    Raises ClickException with every fault where the folder does not load.
    """
    published = Configuration(db)
    try:
        last = published.current() or World.load(chosen.config)
    except BundleError as error:
        raise click.ClickException(f"{chosen.config} does not load, see `vigie check`:\n{error}") from error

    def world() -> World:
        nonlocal last
        with suppress(SQLAlchemyError):  # the page that says so still wants a name and a time zone
            last = published.current() or last
        return last

    return world


def bound(address: str, port: int) -> socket.socket:
    """A socket that listens on the port of that address of this machine: who comes early waits.

    Raises ClickException, naming the port and the setting, where it is taken.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((address, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        if error.errno != errno.EADDRINUSE:
            raise
        raise click.ClickException(
            f"port {port} is in use: end what holds it, or set VIGIE_DESK_PORT to another port"
        ) from error
    return listening
