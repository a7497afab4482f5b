"""`vigie acknowledge`: the acknowledgement page, an app of its own that can be exposed without the desk."""

from __future__ import annotations

import click

from alerts.acknowledge import serve
from config.settings import settings


@click.command()
def command() -> None:
    """Serve the links in alerts: GET shows, POST acknowledges.

    Example: VIGIE_ACKNOWLEDGE_PORT=8711 vigie acknowledge
    """
    serve(settings())
