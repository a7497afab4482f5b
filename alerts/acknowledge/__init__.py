"""Taking an incident on from the telephone: signed links, and the small app that opens them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from config.settings import Settings


def serve(settings: Settings) -> None:
    """Serve the acknowledgement page on this machine until told to stop; see :mod:`alerts.acknowledge.server`."""
    from alerts.acknowledge import server

    server.serve(settings)
