"""Declared sources → listeners: one line a kind."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from config.bundle import Source
from config.secrets import secret
from listeners.incoming import Listener
from listeners.replay import Replay
from listeners.x_search import XSearch
from listeners.x_stream import XStream
from store.database import Database

if TYPE_CHECKING:
    from config.world import World

log = logging.getLogger(__name__)
TOKEN = "bearer_token"
DEFAULT_TOKEN_NAME = "X_BEARER_TOKEN"


def listener(
    declared: Source, db: Database, world: World, *, base_url: str, clock: Callable[[], datetime], rng: Random
) -> Listener | None:
    """The listener for a declared source, or None for one that is disabled or brings posts by itself (``hand``).

    ``base_url`` is X or a stand-in for it. Nothing connects before :meth:`Listener.posts` is called.
    """
    if not declared.enabled:
        return None
    name = declared.secrets.get(TOKEN, DEFAULT_TOKEN_NAME)

    def token() -> str:
        return secret(name)

    if declared.kind == "x_stream":
        return XStream(declared.id, db, world, token=token, base_url=base_url, clock=clock, rng=rng)
    if declared.kind == "x_search":
        return XSearch(declared.id, db, world, token=token, base_url=base_url, clock=clock)
    if declared.kind == "file" and "path" in declared.settings:
        return Replay([Path(str(declared.settings["path"]))], report=lambda bad: log.warning("%s", bad))
    return None
